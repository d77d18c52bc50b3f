import { readdirSync, readFileSync } from 'node:fs';

type Random = (bound: number) => number;
const corpusFolder = new URL('./corpus/', import.meta.url);

/** Streams that once found something, or that reach a part of the protocol which chance alone would not. */
export const corpus: readonly Buffer[] = readdirSync(corpusFolder)
  .sort()
  .map((name) => readFileSync(new URL(name, corpusFolder)));

const words = [
  'CONNECT ',
  'PUB ',
  'HPUB ',
  'SUB ',
  'UNSUB ',
  'PING',
  'PONG',
  'INFO {}',
  '+OK',
  "-ERR 'x'",
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  '\0',
  '.',
  '*',
  '>',
  'foo',
  'a..b',
  '-1',
  '0',
  '1',
  '12',
  '1048576',
  '1048577',
  '4294967296',
  '99999999999999999999',
  'NaN',
  '{"verbose":true}',
  '{',
  '}',
  '"',
  'NATS/1.0\r\n\r\n',
  '$SYS.x',
  '\xff',
].map((word) => Buffer.from(word, 'latin1'));

/** One hostile input: random bytes, random words of the protocol, or a stream of the corpus bent a few times. */
export function hostileInput(random: Random): Buffer {
  const kind = random(10);
  if (kind === 0) return Buffer.from(Array.from({ length: random(400) }, () => random(256)));
  if (kind === 1) return Buffer.concat(Array.from({ length: 1 + random(60) }, () => pick(random, words)));
  let bytes = pick(random, corpus);
  for (let bends = 1 + random(4); bends > 0; bends--) bytes = bend(random, bytes);
  return bytes;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)] as T;
}

function bend(random: Random, bytes: Buffer): Buffer {
  const at = random(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random(12));
  const [head, cut, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
  switch (random(7)) {
    case 0: // a byte changed
      return Buffer.concat([head, Buffer.of(random(256)), bytes.subarray(at + 1)]);
    case 1: // some left out
      return Buffer.concat([head, tail]);
    case 2: // some twice
      return Buffer.concat([head, cut, cut, tail]);
    case 3: // a word put in
      return Buffer.concat([head, pick(random, words), bytes.subarray(at)]);
    case 4: // a word in place of some
      return Buffer.concat([head, pick(random, words), tail]);
    case 5: // the end missing
      return head;
    default: // two streams crossed
      return Buffer.concat([head, pick(random, corpus).subarray(random(40))]);
  }
}
