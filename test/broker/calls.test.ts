import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnswerMessage, answerCall, type CallHandlers, type CallMessage, Calls } from '../../src/broker/calls.js';

// Invariant 15 of docs/INVARIANTS.md.

type Echo = {
  now(value: number): string;
  later(value: number): string;
};

/** A caller and a callee with a wire between them, on which messages wait until the test lets them through. */
class Wire {
  readonly calls = new Calls<Echo>((call) => this.toCallee.push(call));
  readonly toCallee: CallMessage<Echo>[] = [];
  readonly toCaller: AnswerMessage[] = [];
  /** Calls of `later` that wait for their answer. */
  readonly open: (() => void)[] = [];
  readonly #handlers: CallHandlers<Echo> = {
    now: (value) => `now ${value}`,
    later: (value) => new Promise((resolve) => this.open.push(() => resolve(`later ${value}`))),
  };

  /** Lets something happen; false when there was nothing of the kind. */
  async step(kind: 'call' | 'answer' | 'settle', choice: number): Promise<boolean> {
    const queue = { call: this.toCallee, answer: this.toCaller, settle: this.open }[kind];
    if (queue.length === 0) return false;
    const [item] = queue.splice(kind === 'settle' ? choice % queue.length : 0, 1);
    if (kind === 'call') answerCall(this.#handlers, item as CallMessage<Echo>, (answer) => this.toCaller.push(answer));
    else if (kind === 'answer') this.calls.onAnswer(item as AnswerMessage);
    else (item as () => void)();
    await Promise.resolve();
    return true;
  }

  async finish(): Promise<void> {
    for (let moved = true; moved; ) {
      moved = false;
      for (const kind of ['call', 'settle', 'answer'] as const) if (await this.step(kind, 0)) moved = true;
    }
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('ask now' as const, 'ask later' as const), choice: fc.nat(9) }),
    fc.record({ kind: fc.constantFrom('call' as const, 'answer' as const, 'settle' as const), choice: fc.nat(9) }),
  ),
  { maxLength: 60 },
);

describe('calls to a thread', () => {
  it('give each caller its own answer, however many of one name are under way and in whatever order they settle', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const wire = new Wire();
        const asked: { expected: string; answer: Promise<string | null> }[] = [];
        for (const { kind, choice } of plan) {
          const value = asked.length;
          if (kind === 'ask now') asked.push({ expected: `now ${value}`, answer: wire.calls.call('now', value) });
          else if (kind === 'ask later')
            asked.push({ expected: `later ${value}`, answer: wire.calls.call('later', value) });
          else await wire.step(kind, choice);
        }
        await wire.finish();
        for (const { expected, answer } of asked) expect(await answer).toBe(expected);
        expect(wire.calls.waiting).toBe(0);
      }),
    );
  });

  it('are answered once: a second answer is a mistake of ours', async () => {
    const wire = new Wire();
    const asked = wire.calls.call('now', 1);
    await wire.step('call', 0);
    const [answer] = wire.toCaller as [AnswerMessage];
    wire.calls.onAnswer(answer);
    expect(await asked).toBe('now 1');
    expect(() => wire.calls.onAnswer(answer)).toThrow('a call is answered once');
  });

  it('are answered with null by a thread that is gone, those under way too', async () => {
    const wire = new Wire();
    const before = [wire.calls.call('now', 1), wire.calls.call('later', 2)];
    await wire.step('call', 0);
    wire.calls.abandon();
    await wire.step('answer', 0);
    expect(await Promise.all([...before, wire.calls.call('now', 3)])).toEqual([null, null, null]);
    expect(wire.calls.waiting).toBe(0);
  });
});
