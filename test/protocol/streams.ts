import fc from 'fast-check';

/** Valid streams of a client, with the freedoms that the protocol leaves: case, white space, line ends, zeros. */

const binary = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const tokenCharacter = fc.constantFrom(...'abcXYZ019_-$@*>\u00ff\u00e4');
const token = fc.string({ unit: tokenCharacter, minLength: 1, maxLength: 6 });
export const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const blank = fc.constantFrom(' ', ' ', ' ', '\t', '  ', ' \t ');
const lineEnd = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', ' \r\n', '\t\n');
const zeros = fc.constantFrom('', '', '', '0', '000');
const keyword = (word: string) =>
  fc
    .integer({ min: 0, max: 2 })
    .map((shape) => [word, word.toLowerCase(), word[0] + word.slice(1).toLowerCase()][shape]!);

function line(words: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.tuple(...words), fc.array(blank, { minLength: words.length, maxLength: words.length }), lineEnd)
    .map(([parts, blanks, end]) => {
      const kept = parts.filter((part) => part !== '');
      return kept.map((part, i) => (i === 0 ? part : blanks[i]! + part)).join('') + end;
    });
}

const reply = fc.option(subject, { nil: '' });
// few subjects: a publisher repeats its own
const topic = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'a.b', 'prices.AAPL') },
  { weight: 1, arbitrary: subject },
);
const payload = binary(40);

const pub = payload.chain((body) =>
  fc
    .tuple(line([keyword('PUB'), topic, reply, zeros.map((some) => some + body.length)]), fc.constant(body))
    .map(([head, rest]) => `${head}${rest}\r\n`),
);
const hpub = fc
  .tuple(binary(30), payload)
  .chain(([headers, body]) =>
    line([
      keyword('HPUB'),
      topic,
      reply,
      zeros.map((some) => some + headers.length),
      zeros.map((some) => some + (headers.length + body.length)),
    ]).map((head) => `${head}${headers}${body}\r\n`),
  );
const sub = line([keyword('SUB'), subject, fc.option(token, { nil: '' }), fc.nat(9999).map(String)]);
const unsub = line([keyword('UNSUB'), token, fc.option(fc.integer({ min: -5, max: 99 }).map(String), { nil: '' })]);
const connect = fc
  .tuple(keyword('CONNECT'), fc.dictionary(fc.string({ maxLength: 5 }), fc.boolean(), { maxKeys: 3 }))
  .map(([word, fields]) => `${word} ${Buffer.from(JSON.stringify(fields)).toString('latin1')}\r\n`);
const simple = fc
  .tuple(
    fc.constantFrom('PING', 'ping', 'PONG', 'Pong', '+OK', '+ok', 'INFO {}', "-ERR 'gone'", 'PING and more'),
    lineEnd,
  )
  .map(([word, end]) => word + end);

export const operation = fc.oneof(
  { weight: 4, arbitrary: pub },
  { weight: 2, arbitrary: hpub },
  { weight: 2, arbitrary: sub },
  { weight: 1, arbitrary: unsub },
  { weight: 1, arbitrary: connect },
  { weight: 2, arbitrary: simple },
);

/** A stream of whole operations, and how many they are. */
export const stream = fc
  .array(operation, { minLength: 1, maxLength: 12 })
  .map((operations) => ({ count: operations.length, bytes: Buffer.from(operations.join(''), 'latin1') }));
