import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonHeadersMax } from '../../src/base/limits.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { copyOne } from '../../src/client/delivered.js';
import { JsonHead, TimestampText } from '../../src/protocol/jsonDelivery.js';
import { FieldBounds, findKey, latestName } from '../../src/protocol/messageKey.js';
import type { Topic } from '../../src/router/topic.js';

// Invariant 19 of docs/INVARIANTS.md: whoever reads a block, by bytes, as JSON or in the process, reads the same, and says each thing once.

const order = [
  'topic',
  'payload',
  'encoding',
  'reply',
  'status',
  'description',
  'key',
  'traceparent',
  'correlationId',
  'headers',
  'headersCut',
  'delivery',
  'redelivered',
  'deliveries',
  'timestamp',
];
const known = { key: 'shardcast-key', traceparent: 'traceparent', correlationId: 'correlation-id' };

/** The keys of every object in a text of JSON, as often as they stand there, outermost object first. */
function keysOf(json: string): string[][] {
  const objects: string[][] = [];
  const open: string[][] = [];
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[^"]/g) as string[];
  for (const [i, token] of tokens.entries()) {
    if (token === '{') {
      open.push([]);
      objects.push(open.at(-1) as string[]);
    } else if (token === '}') open.pop();
    else if (token[0] === '"' && tokens[i + 1] === ':') open.at(-1)!.push(JSON.parse(token) as string);
  }
  return objects;
}

/** What a block says, the plain way: lines, and of each what stands before its first colon and behind it. */
function modelOf(block: Buffer): [name: string, value: string][] {
  const lines = block.toString().split('\n').slice(1);
  const cut = lines.map((line) => (line.includes('\r') ? line.slice(0, line.indexOf('\r')) : line));
  return cut
    .filter((line) => line.indexOf(':') > 0)
    .map((line) => [
      line.slice(0, line.indexOf(':')),
      line.slice(line.indexOf(':') + 1).replace(/^[ \t]*|[ \t]*$/g, ''),
    ]);
}

/** Names differ by case only where ASCII has cases: the Kelvin sign is no k. */
const sameName = (name: string, wanted: string): boolean => /^[ -~]*$/.test(name) && name.toLowerCase() === wanted;

const name = fc.oneof(
  fc.constantFrom('Shardcast-Key', 'shardcast-key', 'SHARDCAST-KEY', 'Shardcast-\u212aey', 'Shardcast\rKey', 'key'),
  fc.constantFrom('traceparent', 'Traceparent', 'Correlation-Id', 'correlation-id', 'CORRELATION-ID', 'topic'),
  fc.constantFrom('X', 'x', '__proto__', 'constructor', '\xff', '\xfe', '', ' ', '"', '\u2028', 'headers', '0'),
);
const value = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a',
    'b',
    ' a ',
    '\tc\t',
    '\u00a0a\u00a0',
    '"',
    '\\',
    'a:b',
    '\u2028',
    '\x00',
    'Shardcast-Key: x',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const bytes = fc.uint8Array({ maxLength: 8 }).map((each) => Buffer.from(each).toString('latin1'));
const line = fc
  .tuple(
    name,
    fc.constantFrom(':', ': ', ' : ', ''),
    fc.oneof(value, bytes),
    fc.constantFrom('\r\n', '\r\n', '\n', '\r'),
  )
  .map((parts) => parts.join(''));
const first = fc.constantFrom(
  'NATS/1.0\r\n',
  'NATS/1.0 503\r\n',
  'NATS/1.0 503 No "Body"\r\n',
  'NATS/1.0\n',
  '\r\n',
  '',
);
const block = fc
  .tuple(first, fc.array(line, { maxLength: 6 }), fc.constantFrom('\r\n', ''), fc.constantFrom('utf8', 'latin1'))
  .map(([begin, lines, end, encoding]) => Buffer.from(begin + lines.join('') + end, encoding as BufferEncoding));
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom('', 'Shardcast-Key: x\r\n', '{"a":1,"a":2}'),
);
const reply = fc.constantFrom('', 'r', 'a"b', 'é');

function messageOf(head: Buffer, body: string | Uint8Array, answerTo: string): MessageView {
  const parts = [Buffer.from(answerTo), head, Buffer.from(body as Uint8Array)];
  const view = new MessageView();
  view.set(
    new Span(new Uint8Array(Buffer.concat([...parts, Buffer.from('\r\n')]))),
    parts[0]!.length,
    Buffer.concat(parts).length,
  );
  view.setReply(0, parts[0]!.length);
  view.setHeaders(head.length);
  return view;
}

function jsonOf(
  view: MessageView,
  delivery: { delivery: number; deliveries: number; sequence: number } | null,
): string {
  const head = new JsonHead(Buffer.from('a.b'), new TimestampText(() => 1), delivery);
  const target = new Span(new Uint8Array(head.bytesMax(view, 0)));
  return Buffer.from(target.bytes.subarray(0, head.encode(target, 0, view, 0, true))).toString();
}

const mark = fc.option(
  fc.record({ delivery: fc.nat(), deliveries: fc.integer({ min: 1, max: 0x8000 }), sequence: fc.constant(0) }),
);

test('a line of JSON has each key once, in the documented order, and says all that the block says', () => {
  fc.assert(
    fc.property(block, payload, reply, mark, (head, body, answerTo, delivery) => {
      const json = jsonOf(messageOf(head, body, answerTo), delivery);
      const object = JSON.parse(json) as Record<string, unknown>;
      const [own, ...inner] = keysOf(json) as [string[], ...string[][]];
      expect(own).toEqual(order.filter((key) => own.includes(key)));
      for (const keys of inner) expect(new Set(keys).size).toBe(keys.length);
      const rest = modelOf(head);
      for (const [field, wanted] of Object.entries(known)) {
        const at = rest.findIndex(([each]) => sameName(each, wanted));
        expect(object[field]).toBe(at < 0 ? undefined : rest[at]![1]);
        if (at >= 0) rest.splice(at, 1);
      }
      const others = new Map<string, string[]>();
      for (const [each, text] of rest) others.set(each, [...(others.get(each) ?? []), text]);
      const expected = [...others].map(([each, texts]) => [each, texts.length === 1 ? texts[0] : texts]);
      expect(Object.entries(object.headers ?? {}).sort()).toEqual(expected.sort());
      for (const must of ['topic', 'payload', 'timestamp', ...(delivery === null ? [] : ['delivery'])])
        expect(own).toContain(must);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [700, 'values'],
  [20_000, 'none'],
])('a block of very many headers, of %i names, is read as one of few', (names, said) => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `n${i % names}:${said === 'none' ? '' : i}`);
  const head = Buffer.from(`NATS/1.0\r\n${lines.join('\r\n')}\r\n\r\n`);
  const { headers } = JSON.parse(jsonOf(messageOf(head, '', ''), null)) as { headers: Record<string, unknown> };
  const expected = new Map<string, string[]>();
  for (const [each, text] of modelOf(head)) expected.set(each, [...(expected.get(each) ?? []), text]);
  expect(Object.keys(headers).length).toBe(names);
  for (const [each, texts] of expected)
    if (texts.length > 1) expect(headers[each]).toEqual(texts);
    else expect(headers[each]).toBe(texts[0]);
});

test.each([
  [jsonHeadersMax, undefined],
  [jsonHeadersMax + 1, true],
  [200_000, true],
])('of %i headers those are told that take no thread for long, and whether there are more', (count, cut) => {
  const lines = Array.from({ length: count }, (_, i) => `n${i}:v`);
  const head = Buffer.from(`NATS/1.0\r\n${lines.join('\r\n')}\r\n\r\n`);
  const json = jsonOf(messageOf(head, 'x', ''), { delivery: 1, deliveries: 1, sequence: 0 });
  const { headers, headersCut } = JSON.parse(json) as { headers: Record<string, unknown>; headersCut?: true };
  expect(Object.keys(headers)).toEqual(lines.slice(0, jsonHeadersMax).map((line) => line.slice(0, -2)));
  expect(headersCut).toBe(cut);
  expect(keysOf(json)[0]).toEqual(order.filter((key) => keysOf(json)[0]!.includes(key)));
});

test('the key by bytes, as JSON and in the process is the same: the first one, in whatever case', () => {
  const found = new FieldBounds();
  fc.assert(
    fc.property(block, payload, (head, body) => {
      const view = messageOf(head, body, '');
      const key = modelOf(head).find(([each]) => sameName(each, known.key))?.[1];
      const delivered = copyOne({ text: 'a.b' } as Topic, view, 0, null);
      expect(delivered.header('Shardcast-Key')).toBe(key);
      // an empty key is none, for whoever orders or conflates by it
      const has = findKey(view, 0, found);
      expect(has).toBe(key !== undefined && key !== '');
      if (has) expect(Buffer.from(view.bytes.subarray(found.start, found.end)).toString()).toBe(key);
      expect(delivered.latestName).toBe(latestName('a.b', view, 0));
    }),
    { numRuns: 2000 },
  );
});

test('the headers of a message in the process are its lines, values of one name joined', () => {
  fc.assert(
    fc.property(block, payload, (head, body) => {
      const expected = new Map<string, string>();
      for (const [each, text] of modelOf(head))
        expected.set(each, expected.has(each) ? `${expected.get(each)}, ${text}` : text);
      const status = /^NATS\/1\.0 503/.test(head.toString());
      if (status) expected.set('Status', '503');
      const { headers } = copyOne({ text: 'a.b' } as Topic, messageOf(head, body, ''), 0, null);
      expect(new Map(Object.entries(headers))).toEqual(expected);
    }),
  );
});
