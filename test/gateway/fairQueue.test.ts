import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FairQueue } from '../../src/gateway/logins/fairQueue.js';

interface Line {
  readonly name: string;
  /** Newest last. */
  items: number[];
}

/** The same, said plainly: lines in the order of their turns. */
class Model {
  lines: Line[] = [];

  put(name: string, item: number): void {
    const line = this.lines.find((each) => each.name === name);
    if (line === undefined) this.lines.push({ name, items: [item] });
    else line.items = [...line.items.filter((other) => other !== item), item];
  }

  take(): number | undefined {
    const first = this.lines.shift();
    if (first !== undefined) this.lines.push(first);
    return first?.items.pop();
  }

  takeOldestOfLongest(): number | undefined {
    const most = Math.max(...this.lines.map(({ items }) => items.length));
    return this.lines.find(({ items }) => items.length === most)?.items.shift();
  }

  keepOnly(isKept: (item: number) => boolean): void {
    for (const line of this.lines) line.items = line.items.filter(isKept);
  }

  tidy(): void {
    this.lines = this.lines.filter(({ items }) => items.length > 0);
  }
}

type Step = (queue: FairQueue<number> | Model) => unknown;

const name = fc.constantFrom('a', 'b', 'c');
const item = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(name, item).map(
      ([to, each]): Step =>
        (queue) =>
          queue.put(to, each),
    ),
  },
  { weight: 3, arbitrary: fc.constant<Step>((queue) => queue.take()) },
  { weight: 1, arbitrary: fc.constant<Step>((queue) => queue.takeOldestOfLongest()) },
  {
    weight: 1,
    arbitrary: item.map(
      (gone): Step =>
        (queue) =>
          queue.keepOnly((each) => each !== gone),
    ),
  },
);

test('names have their turns, and of a name the newest comes first', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new FairQueue<number>();
      const model = new Model();
      for (const each of steps) {
        expect(each(queue)).toBe(each(model));
        model.tidy();
      }
      while (model.lines.length > 0) {
        expect(queue.take()).toBe(model.take());
        model.tidy();
      }
      expect(queue.take()).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});
