import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mainAccount } from '../../src/base/account.js';
import { HistogramWriter, histogramNumbers } from '../../src/base/histogram.js';
import type { SlowPolicy } from '../../src/base/policy.js';
import { Span } from '../../src/base/span.js';
import { Blocks } from '../../src/client/blocks.js';
import { Delivered } from '../../src/client/delivered.js';
import { Subscription } from '../../src/client/subscription.js';
import { Topic } from '../../src/router/topic.js';

// Invariants 10, 13 of docs/INVARIANTS.md: a subscription keeps what its policy says, within its bounds.

const topics = ['a', 'b', 'c'].map((name, i) => {
  const subject = new Uint8Array(Buffer.from(name));
  return new Topic(subject, name, i, i + 1, i, 'literal', 0);
});

interface Item {
  topic: number;
  number: number;
  lengthBytes: number;
}

const commands = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ topic: fc.nat(2), lengthBytes: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.constant('discard' as const) },
  ),
  { maxLength: 60 },
);

/** What each policy makes of its messages, in the plainest way. */
class Model {
  items: Item[] = [];
  dropped = 0;
  ended = false;
  dropsInRow = 0;
  readonly #policy: SlowPolicy;

  constructor(policy: SlowPolicy) {
    this.#policy = policy;
  }

  get bytes(): number {
    return this.items.reduce((sum, item) => sum + item.lengthBytes, 0);
  }

  /** Whether one more of that length is too much. One may always wait, but for who has its publishers wait. */
  fullFor(lengthBytes: number): boolean {
    const { policy, maxMessages, maxBytes } = this.#policy;
    if (this.items.length === 0 && policy !== 'block') return false;
    return this.items.length + 1 > maxMessages || this.bytes + lengthBytes > maxBytes;
  }

  push(item: Item): void {
    if (this.ended) return;
    const full = this.fullFor(item.lengthBytes);
    if (!full) this.dropsInRow = 0;
    switch (this.#policy.policy) {
      case 'block':
        this.items.push(item);
        break;
      case 'drop-new':
        if (full) this.dropped++;
        else this.items.push(item);
        break;
      case 'drop-old':
        while (this.fullFor(item.lengthBytes)) this.#drop(0);
        this.items.push(item);
        break;
      case 'disconnect':
        if (!full) this.items.push(item);
        else {
          this.dropped++;
          this.ended = ++this.dropsInRow > this.#policy.maxDrops;
        }
        break;
      case 'conflate': {
        const at = this.items.findIndex(({ topic }) => topic === item.topic);
        if (at < 0) this.items.push(item);
        else {
          this.items[at] = item;
          this.dropped++;
        }
        while (this.items.length > this.#policy.maxMessages) this.#drop(0);
        while (this.bytes > this.#policy.maxBytes && this.items.length > 1) this.#drop(0);
      }
    }
  }

  take(): number | undefined {
    const item = this.items.shift();
    return item?.number;
  }

  #drop(at: number): void {
    this.items.splice(at, 1);
    this.dropped++;
  }
}

test.each(['block', 'drop-new', 'drop-old', 'disconnect', 'conflate'] as const)('%s', (policy) => {
  fc.assert(
    fc.property(
      commands,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 50 }),
      fc.nat(2),
      (steps, maxMessages, maxBytes, maxDrops) => {
        const slow: SlowPolicy = { policy, maxMessages, maxBytes, maxDrops, by: 'subject' };
        const blocked = new Set<string>();
        const blocks = new Blocks((subject, on) => {
          expect(blocked.has(subject)).toBe(!on);
          if (on) blocked.add(subject);
          else blocked.delete(subject);
        });
        const host = {
          blocks,
          wake: () => {},
          lost: () => {},
          remove: () => true,
          giveBack: () => false,
          roomChanged: () => {},
          handlerTimes: new HistogramWriter(new Float64Array(histogramNumbers)),
          workInFlight: 0,
          sender: { account: mainAccount, rights: null },
          bury: () => true,
          dropLetter: () => {},
        };
        const subscription = new Subscription(host, '>', '', slow, 0, null);
        const model = new Model(slow);
        const numbers = new Map<Delivered, number>();
        steps.forEach((step, number) => {
          if (step === 'take') {
            const taken = subscription.take();
            expect(taken === null ? undefined : numbers.get(taken)).toBe(model.take());
          } else if (step === 'discard') {
            subscription.discard();
            model.items = [];
          } else {
            const wasFull = model.fullFor(step.lengthBytes) && !model.ended;
            const bytes = new Span(new Uint8Array(step.lengthBytes));
            const delivered = new Delivered(topics[step.topic]!, bytes, 0, null);
            delivered.lengthBytes = step.lengthBytes;
            numbers.set(delivered, number);
            subscription.push(delivered);
            model.push({ ...step, number });
            if (policy === 'block' && wasFull) expect(blocked.has(topics[step.topic]!.text)).toBe(true);
          }
          const { backlog, dropped, ended } = subscription;
          expect({ count: backlog.count, bytes: backlog.bytes, dropped, ended }).toEqual({
            count: model.items.length,
            bytes: model.bytes,
            dropped: model.dropped,
            ended: model.ended,
          });
          if (policy !== 'block') expect(backlog.count).toBeLessThanOrEqual(maxMessages);
          if (backlog.count === 0) expect(blocked.size).toBe(0);
        });
        subscription.end();
        expect(blocked.size).toBe(0);
        expect(blocks.size).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});
