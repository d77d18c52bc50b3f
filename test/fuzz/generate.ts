import { readdirSync, readFileSync } from 'node:fs';

export type Random = (bound: number) => number;

/** Streams that once found something, or that reach a part of a protocol which chance alone would not. */
function corpusIn(folder: string): readonly Buffer[] {
  const url = new URL(`./${folder}/`, import.meta.url);
  return readdirSync(url)
    .sort()
    .map((name) => readFileSync(new URL(name, url)));
}

function linesOf(stream: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const end = stream.indexOf(10, at) + 1;
    lines.push(stream.subarray(at, end));
    at = end;
  }
  return lines;
}

const natsWords = [
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

const jsonWords = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ',',
    ':',
    '\n',
    '\r\n',
    '\u2028',
    '\\u0000',
    '\\ud800',
    'null',
    'true',
    '-0',
    '1e999',
  ],
  ...['"__proto__":{"id":1}', '"constructor"', '"topic":""', '"topic":">"', '"payload":', '"id":', '"command":"PUB"'],
  ...['"headers":{"a\\r\\nb":"c"}', '"prefetch":1', '"group":"g@key"', '"delivery":2', '{"command":"PING"}\n'],
  ...['['.repeat(300), 'x'.repeat(2000), 'GET / HTTP/1.1', '$SYS.x', '$SHARDCAST.SUB', '\0', '\ufeff'],
].map((word) => Buffer.from(word));

/** Hostile inputs of one protocol, each from a seed: random bytes, random words, or a stream of the corpus bent a few times. */
class Hostile {
  readonly #corpus: readonly Buffer[];
  readonly #words: readonly Buffer[];

  constructor(corpus: readonly Buffer[], words: readonly Buffer[]) {
    this.#corpus = corpus;
    this.#words = words;
  }

  input(random: Random): Buffer {
    const kind = random(10);
    if (kind === 0) return Buffer.from(Array.from({ length: random(400) }, () => random(256)));
    if (kind === 1) return Buffer.concat(Array.from({ length: 1 + random(60) }, () => pick(random, this.#words)));
    let bytes = pick(random, this.#corpus);
    for (let bends = 1 + random(4); bends > 0; bends--) bytes = this.bend(random, bytes);
    return bytes;
  }

  bend(random: Random, bytes: Buffer): Buffer {
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
        return Buffer.concat([head, pick(random, this.#words), bytes.subarray(at)]);
      case 4: // a word in place of some
        return Buffer.concat([head, pick(random, this.#words), tail]);
      case 5: // the end missing
        return head;
      default: // two streams crossed
        return Buffer.concat([head, pick(random, this.#corpus).subarray(random(40))]);
    }
  }
}

/** Streams of the NATS protocol that have once been of interest. */
export const corpus = corpusIn('corpus');
const nats = new Hostile(corpus, natsWords);
/** Most often one line an input: what is wrong with one is told, and the next is read. */
const json = new Hostile(corpusIn('corpusJson').flatMap(linesOf), jsonWords);

/** A hostile stream of the NATS protocol. */
export const hostileInput = (random: Random): Buffer => nats.input(random);

/** A hostile stream of JSON lines. */
export const hostileLines = (random: Random): Buffer => json.input(random);

/** Bytes of any protocol, one thing about them wrong. */
export const bent = (random: Random, bytes: Buffer): Buffer => json.bend(random, bytes);

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)] as T;
}
