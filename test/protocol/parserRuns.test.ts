import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeKernelBytes } from '../../src/base/kernel.js';
import { runMessagesMax } from '../../src/base/limits.js';
import { MessageView, positionBytes } from '../../src/base/messageView.js';
import { placeOf } from '../../src/base/span.js';
import { op, Parser } from '../../src/protocol/parser.js';
import { cutAt, readPieces } from './feeding.js';
import { readStream } from './referenceParser.js';

// Invariant 36 of docs/INVARIANTS.md.

const limits = { maxControlLineBytes: 70, maxPayloadBytes: 64 };

const rooms = [
  ['ordinary memory', (lengthBytes: number) => new Uint8Array(lengthBytes)],
  ["the kernel's memory", (lengthBytes: number) => takeKernelBytes(lengthBytes)!],
] as const;

const lines: [string, (index: number) => string][] = [
  ['nothing else', () => 'PUB a.b 2\r\nxy\r\n'],
  ['a reply each', (i) => `PUB a.b _INBOX.x.${i} 2\r\nxy\r\n`],
  ['headers', (i) => `HPUB a.b ${1 + (i % 2)} 3\r\nxyz\r\n`],
  ['headers of no bytes', () => 'HPUB a.b 0 2\r\nxy\r\n'],
  ['a reply each and headers of no bytes', (i) => `HPUB a.b _INBOX.x.${i} 0 2\r\nxy\r\n`],
  ['a reply each and headers', (i) => `HPUB a.b _INBOX.x.${i} 1 2\r\nxy\r\n`],
];
const cases = rooms.flatMap(([where, room]) => lines.map(([what, lineOf]) => ({ where, room, what, lineOf })));

test.each(cases)(
  'messages that repeat their subject come in runs, none longer than may be: $what, $where',
  ({ room, lineOf }) => {
    const count = 3 * runMessagesMax + 5;
    const stream = Buffer.from(Array.from({ length: count }, (_, i) => lineOf(i)).join(''));
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
  },
);

const word = fc.string({ unit: fc.constantFrom(...'ab.5$_\xff'), minLength: 1, maxLength: 40 });

/** Messages of few subjects, most alike, some with what ends a run: another shape, a size that is none or too large, a line that is odd. */
const messagesOf = (keyword: string, reply: fc.Arbitrary<string>, headerBytes = fc.nat(20)) =>
  fc.array(
    fc
      .tuple(
        fc.constantFrom('a', 'a', 'a', 'a', 'a', 'ab', 'a.b'),
        fc.oneof(
          { weight: 9, arbitrary: reply },
          { weight: 1, arbitrary: fc.constantFrom('', 'r ', '$JS.ACK.x ', '_R_.x ', 'x\0y ', 'x\x7f ') },
        ),
        fc.oneof(fc.constantFrom(3, 12), fc.nat(66)),
        headerBytes,
        fc.nat(90),
      )
      .map(([subject, reply, size, headers, bend]) => {
        const body = 'PUB a 1\r\n'.repeat(9).slice(0, size);
        const start = bend === 3 ? `${keyword.toLowerCase()} ${subject}  ` : `${keyword} ${subject} `;
        const lengths = keyword === 'PUB' ? '' : `${bend === 4 ? (headers === 0 ? '00' : 0) : headers} `;
        if (bend === 0) return `${start}${reply}${lengths}${size}x\r\n${body}\r\n`;
        if (bend === 1) return `${start}${reply}${lengths}${size}\r\n${body}\n`;
        if (bend === 2) return `HPUB ${subject} 0 ${size}\r\n${body}\r\n`;
        if (bend === 5) return `${start}${'y'.repeat(80)} ${lengths}${size}\r\n${body}\r\n`;
        if (bend === 6) return `${start}${reply}${lengths}${size} \r\n${body}\r\n`;
        if (bend === 7) return `${start}${reply}\r\n`;
        return `${start}${reply}${lengths}${size}\r\n${body}\r\n`;
      }),
    { maxLength: 30 },
  );
const replied = word.map((reply) => `${reply} `);
const plain = fc.constant('');
const streamOfRuns = fc.oneof(
  messagesOf('PUB', plain),
  messagesOf('PUB', replied),
  messagesOf('HPUB', plain),
  messagesOf('HPUB', replied),
  messagesOf('HPUB', plain, fc.constant(0)),
  messagesOf('HPUB', replied, fc.constant(0)),
);

test('a run is what its messages would be one by one, wherever it is cut and whatever ends it', () => {
  fc.assert(
    fc.property(streamOfRuns, fc.array(fc.nat(), { maxLength: 4 }), (messages, places) => {
      const bytes = Buffer.from(messages.join(''), 'latin1');
      const whole = readPieces([bytes], limits);
      expect(whole).toEqual(readStream(bytes.toString('latin1'), limits));
      expect(readPieces([bytes], limits, 1)).toEqual(whole);
      expect(readPieces(cutAt(bytes, places), limits, places.length)).toEqual(whole);
    }),
    { numRuns: 2000 },
  );
});

test('a message whose reply nobody may name is alone in its run', () => {
  const parser = new Parser(limits);
  const replies = ['r', '_INBOX.x', '$JS.ACK.x', '_R_.x', 'r', 'r'];
  const bytes = new Uint8Array(Buffer.from(replies.map((reply) => `PUB a ${reply} 0\r\n\r\n`).join('')));
  const memo = placeOf(new Uint8Array(Buffer.from('a')));
  const runs: string[][] = [];
  for (
    let position = 0;
    parser.next(bytes, position, bytes.length, memo) === op.publish;
    position = parser.nextPosition
  )
    runs.push(Array.from({ length: parser.message.count }, (_, i) => parser.message.replyText(i)));
  expect(runs).toEqual([['r', '_INBOX.x'], ['$JS.ACK.x'], ['_R_.x'], ['r', 'r']]);
});
