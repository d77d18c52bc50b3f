import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { runMessagesMax } from '../../src/base/limits.js';
import { MessageView, positionBytes } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { AckReader } from '../../src/shard/consumers/ackReader.js';

// Invariant 50 of docs/INVARIANTS.md: acknowledgements that say that a message is done are read by the kernel where they lie in its memory, and as they are elsewhere.

const topic = { kind: 'shared', text: '$JS.ACK.S.C.\0' } as const;
const roomBytes = 64 * 1024;
const there = {
  run: new MessageView(takeKernelBytes(positionBytes) as Uint8Array),
  span: new Span(takeKernelBytes(roomBytes) as Uint8Array),
};
const reader = new AckReader();
const elsewhere = { run: new MessageView(), span: new Span(new Uint8Array(roomBytes)) };

const number = fc.oneof(
  { weight: 8, arbitrary: fc.maxSafeNat().map(String) },
  fc.constantFrom('0', '007', '999999999999999', '9007199254740993', '1764283620123456789', '-1', 'x', '4a'),
);
const rest = fc.oneof(
  { weight: 8, arbitrary: fc.array(number, { minLength: 5, maxLength: 5 }) },
  fc.array(number, { minLength: 1, maxLength: 7 }),
);
const said = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('', '+ACK', '+OK') },
  fc.constantFrom('+NXT', '-NAK', '+WPI', '+ACKS', '+OKS', 'ACK', ' ', '+'),
);
const ack = fc.tuple(rest, said).map(([numbers, body]) => `${numbers.join('.')} ${body}`);

function lay({ run, span }: typeof there, acks: readonly string[]): MessageView {
  let at = 0;
  run.span = span;
  run.count = acks.length;
  for (const [i, text] of acks.entries()) {
    run.starts[i] = at;
    at += writeText(span, text, at);
    run.ends[i] = at;
    at += writeText(span, '\r\n', at);
  }
  return run;
}

/** What a reader finds, with what lies where another run says something else. */
function read(side: typeof there, acks: readonly string[]): object {
  const run = lay(side, acks);
  const runs: number[][] = [];
  for (let from = 0; from < run.count; ) {
    const end = reader.read(topic, run, from);
    runs.push([from, ...reader.acks.subarray(2 * from, 2 * end)]);
    from = end + 1;
  }
  return runs;
}

test('the kernel reads acknowledgements as they are read elsewhere', () => {
  fc.assert(
    fc.property(fc.array(ack, { minLength: 1, maxLength: runMessagesMax }), (acks) => {
      expect(read(there, acks)).toEqual(read(elsewhere, acks));
    }),
    { numRuns: 300 },
  );
});

test('a run of plain ones is read at one go', () => {
  const acks = Array.from({ length: 100 }, (_, i) => `1.${i + 7}.${i + 3}.1764283620123456789.0 `);
  const expected = [[0, ...acks.flatMap((_, i) => [i + 7, i + 3])]];
  for (const side of [there, elsewhere]) expect(read(side, acks)).toEqual(expected);
});

function writeText({ bytes }: Span, text: string, at: number): number {
  bytes.set(Buffer.from(text, 'latin1'), at);
  return text.length;
}
