import { nowhere, placeOf } from '../../src/base/span.js';
import { op, Parser } from '../../src/protocol/parser.js';
import { keep, type Pair } from './pair.js';

const messages = 1_000;

/** Cuts a read at its line ends, with strings, as a first version would. */
function naiveParse(text: string): number {
  let payloads = 0;
  let rest = 0;
  while (rest < text.length) {
    const lineEnd = text.indexOf('\r\n', rest);
    const words = text.slice(rest, lineEnd).split(' ');
    const [word, subject] = words;
    const size = words[words.length - 1];
    if (word !== 'PUB') throw new Error(`no ${word} of ${subject} here`);
    const payload = text.slice(lineEnd + 2, lineEnd + 2 + Number(size));
    payloads += payload.length;
    rest = lineEnd + 2 + Number(size) + 2;
  }
  return payloads;
}

const noReply = (_: number): string => '';

function pairOf(name: string, subjectOf: (index: number) => string, repeats: boolean, replyOf = noReply): Pair {
  const payload = 'x'.repeat(16);
  const text = Array.from({ length: messages }, (_, i) => `PUB ${subjectOf(i)} ${replyOf(i)}16\r\n${payload}\r\n`).join(
    '',
  );
  const bytes = new Uint8Array(Buffer.from(text));
  const parser = new Parser({ maxControlLineBytes: 4096, maxPayloadBytes: 1024 * 1024 });
  const memo = repeats ? placeOf(new Uint8Array(Buffer.from(subjectOf(0)))) : nowhere;
  return {
    name,
    baseline: 'toString, indexOf, split',
    messages,
    ours() {
      let payloads = 0;
      for (let position = 0; parser.next(bytes, position, bytes.length, memo) === op.publish; ) {
        position = parser.nextPosition;
        const { starts, ends, count } = parser.message;
        for (let i = 0; i < count; i++) payloads += ends[i] - starts[i];
      }
      keep(payloads);
    },
    naive() {
      keep(naiveParse(Buffer.from(bytes.buffer).toString('latin1')));
    },
  };
}

export const parserPairs = (): Pair[] => [
  pairOf('parser: PUB, 16 B, same subject', () => 'prices.AAPL', true),
  pairOf(
    'parser: PUB, 16 B, same subject, a reply each',
    () => 'prices.AAPL',
    true,
    (i) => `_INBOX.Xy12.${i} `,
  ),
  pairOf('parser: PUB, 16 B, other subjects', (i) => `prices.${i}`, false),
];
