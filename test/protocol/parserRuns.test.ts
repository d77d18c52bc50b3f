import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { runMessagesMax } from '../../src/base/limits.js';
import { MessageView, positionBytes } from '../../src/base/messageView.js';
import { placeOf } from '../../src/base/span.js';
import { op, Parser } from '../../src/protocol/parser.js';
import { cutAt, readPieces } from './feeding.js';
import { readStream } from './referenceParser.js';

const limits = { maxControlLineBytes: 4096, maxPayloadBytes: 64 };

test.each([
  ['ordinary memory', (lengthBytes: number) => new Uint8Array(lengthBytes)],
  ["the kernel's memory", (lengthBytes: number) => takeKernelBytes(lengthBytes)!],
])('messages that repeat their subject come in runs, none longer than may be: %s', (_, room) => {
  const count = 3 * runMessagesMax + 5;
  const stream = Buffer.from('PUB a.b 2\r\nxy\r\n'.repeat(count));
  const bytes = room(stream.length);
  bytes.set(stream);
  const parser = new Parser(limits, new MessageView(room(positionBytes)));
  const counts: number[] = [];
  const memo = placeOf(new Uint8Array(Buffer.from('a.b')));
  for (
    let position = 0;
    parser.next(bytes, position, bytes.length, memo) === op.publish;
    position = parser.nextPosition
  )
    counts.push(parser.message.count);
  expect(counts.reduce((sum, each) => sum + each, 0)).toBe(count);
  expect(Math.max(...counts)).toBe(runMessagesMax);
});

/** Messages of few subjects, some with what ends a run: a reply, a header, a size that is none or too large. */
const message = fc
  .tuple(
    fc.constantFrom('a', 'a', 'a', 'a', 'ab', 'a.b'),
    fc.constantFrom('', '', '', '', '', 'r '),
    fc.oneof(fc.constantFrom(3, 12), fc.nat(66)),
    fc.nat(60),
  )
  .map(([subject, reply, size, bend]) => {
    const body = 'PUB a 1\r\n'.repeat(9).slice(0, size);
    if (bend === 0) return `PUB ${subject} ${size}x\r\n${body}\r\n`;
    if (bend === 1) return `PUB ${subject} ${size}\r\n${body}\n`;
    if (bend === 2) return `HPUB ${subject} 0 ${size}\r\n${body}\r\n`;
    if (bend === 3) return `pub ${subject}  ${size}\r\n${body}\r\n`;
    return `PUB ${subject} ${reply}${size}\r\n${body}\r\n`;
  });

test('a run is what its messages would be one by one, wherever it is cut and whatever ends it', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 4 }), (messages, places) => {
      const bytes = Buffer.from(messages.join(''));
      const whole = readPieces([bytes], limits);
      expect(whole).toEqual(readStream(bytes.toString('latin1'), limits));
      expect(readPieces([bytes], limits, 1)).toEqual(whole);
      expect(readPieces(cutAt(bytes, places), limits, places.length)).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});
