import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PolicyName, SlowPolicy } from '../../src/base/policy.js';
import { Span } from '../../src/base/span.js';
import { ChunkPool } from '../../src/gateway/chunkPool.js';
import { SubscriptionBacklog } from '../../src/gateway/policies/subscriptionBacklog.js';

// Invariant 18 of docs/INVARIANTS.md.

interface Waiting {
  text: string;
  key: string;
}

/** What a backlog is meant to be, with no regard to speed. Notices are records of their own. */
class Model {
  waiting: Waiting[] = [];
  dropped = 0;
  replaced = 0;
  #unsaid = 0;
  #inRow = 0;
  readonly #policy: SlowPolicy;

  constructor(policy: SlowPolicy) {
    this.#policy = policy;
  }

  get #bytes(): number {
    return this.waiting.reduce((sum, { text }) => sum + text.length, 0);
  }

  #over(messages: number, bytes: number): boolean {
    return this.waiting.length + messages > this.#policy.maxMessages || this.#bytes + bytes > this.#policy.maxBytes;
  }

  #lose(): void {
    this.dropped++;
    this.#unsaid++;
  }

  #loseOldest(): void {
    if (this.waiting.length < 2) return;
    this.waiting.shift();
    this.#lose();
  }

  offer(text: string, key: string, squeezed: boolean): string {
    const { policy, maxDrops } = this.#policy;
    if (policy === 'drop-new' || policy === 'disconnect') {
      if (this.waiting.length > 0 && (squeezed || this.#over(1, text.length))) {
        this.#lose();
        return ++this.#inRow > maxDrops && policy === 'disconnect' ? 'ends' : 'lost';
      }
      this.#inRow = 0;
      if (this.#unsaid > 0) this.waiting.push({ text: `lost ${this.#take()}`, key: '' });
      this.waiting.push({ text, key });
      return 'waits';
    }
    const same = policy === 'conflate' ? this.waiting.find((each) => each.key === key) : undefined;
    if (same === undefined) this.waiting.push({ text, key });
    else {
      same.text = text;
      this.replaced++;
    }
    if (policy === 'block') return squeezed || this.#over(0, 0) ? 'blocks' : 'waits';
    if (squeezed && same === undefined) this.#loseOldest();
    while (this.waiting.length > 1 && this.#over(0, 0)) this.#loseOldest();
    return 'waits';
  }

  drain(budget: number, messagesMax: number): string[] {
    const out: string[] = [];
    const oldest = this.#policy.policy === 'drop-old' || this.#policy.policy === 'conflate';
    let messages = 0;
    for (let left = budget; left > 0 && messages < messagesMax && this.waiting.length > 0; messages++) {
      if (oldest && this.#unsaid > 0) out.push(`lost ${this.#take()}`);
      const { text } = this.waiting.shift()!;
      left -= text.length;
      out.push(text);
    }
    if (this.waiting.length === 0 && this.#unsaid > 0) out.push(`lost ${this.#take()}`);
    return out;
  }

  #take(): number {
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    return unsaid;
  }
}

const policies = fc.record({
  policy: fc.constantFrom<PolicyName>('disconnect', 'drop-new', 'drop-old', 'block', 'conflate'),
  maxMessages: fc.integer({ min: 1, max: 8 }),
  maxBytes: fc.integer({ min: 1, max: 400 }),
  maxDrops: fc.nat(3),
  by: fc.constant('subject' as const),
});

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      length: fc.integer({ min: 8, max: 120 }),
      key: fc.constantFrom('a', 'b', 'c'),
      squeezed: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ budget: fc.nat(300), messagesMax: fc.constantFrom(1, 3, Infinity) }) },
);

test('under every policy what is kept, lost, said and handed over is as a plain list has it', () => {
  fc.assert(
    fc.property(policies, fc.array(step, { maxLength: 80 }), (policy, steps) => {
      const backlog = new SubscriptionBacklog(policy, new ChunkPool(), (lost) => Buffer.from(`lost ${lost}`));
      const model = new Model(policy);
      let serial = 0;
      for (const each of steps) {
        if ('length' in each) {
          const text = `${++serial}`.padEnd(each.length, '.');
          const bytes = Buffer.from(text);
          const outcome = backlog.offer(new Span(bytes), 0, bytes.length, each.key, each.squeezed);
          expect(outcome).toBe(model.offer(text, each.key, each.squeezed));
        } else {
          const out: string[] = [];
          backlog.drain(each.budget, each.messagesMax, (span, start, end) =>
            out.push(Buffer.from(span.bytes.subarray(start, end)).toString()),
          );
          expect(out).toEqual(model.drain(each.budget, each.messagesMax));
        }
        expect([backlog.count, backlog.dropped, backlog.replaced]).toEqual([
          model.waiting.length,
          model.dropped,
          model.replaced,
        ]);
        if (backlog.empty) expect(backlog.heldBytes).toBe(0);
      }
      backlog.clear();
      expect(backlog.heldBytes).toBe(0);
    }),
    { numRuns: 500 },
  );
});
