import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { writeHeaderBlock } from '../../src/protocol/headerBlock.js';
import { JsonHead, TextHead, TimestampText } from '../../src/protocol/jsonDelivery.js';
import { runOf } from '../gateway/messages.js';

// Invariant 19 of docs/INVARIANTS.md.

const guard = 0xee;
const timestamp = new TimestampText(() => 1_700_000_000_123);
/** Everything at which some language ends a line. */
const lineEnds = /[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

const evil = fc.constantFrom(
  '\n',
  '\r',
  '\u2028',
  '\u2029',
  '\x85',
  '\x00',
  '\x7f',
  '"',
  '\\',
  'BROKER BROADCAST [x]: ',
  'é',
  '😀',
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.oneof(evil, fc.string()), { maxLength: 90 }).map((all) => all.join('')),
);
const wellFormed = text.map((value) => Buffer.from(value).toString());
const payload = fc.oneof(
  wellFormed.map((value) => Buffer.from(value)),
  fc.uint8Array({ maxLength: 1200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    ...['\xc0\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xe2\x80', '\xff', 'a\x80'].map((s) =>
      Buffer.from(s, 'latin1'),
    ),
  ),
);
const word = fc.string({ unit: fc.constantFrom(...'abc.1$é]:"\\'), minLength: 1, maxLength: 12 });
const headerName = fc.stringMatching(/^[A-Za-z_-]{1,12}$/);
const headers = fc.uniqueArray(
  fc.tuple(
    headerName,
    wellFormed.map((value) => value.replace(/[\r\n\0]/g, ' ').trim()),
  ),
  { selector: ([name]) => name.toLowerCase(), maxLength: 5 },
);

interface Sent {
  reply: string;
  headers: [string, string][];
  payload: Buffer;
}
const sent: fc.Arbitrary<Sent> = fc.record({ reply: fc.oneof(fc.constant(''), word), headers, payload });

function viewOf(message: Sent): MessageView {
  const reply = Buffer.from(message.reply);
  const block = message.headers.length === 0 ? Buffer.alloc(0) : Buffer.from(writeHeaderBlock(message.headers));
  const view = new MessageView();
  const span = new Span(
    new Uint8Array(Buffer.concat([Buffer.from('~'), reply, block, message.payload, Buffer.from('\r\n~')])),
  );
  view.set(span, 1 + reply.length, span.bytes.length - 3);
  view.setReply(1, 1 + reply.length);
  view.setHeaders(block.length);
  return view;
}

/** Encodes within its bound, and nowhere else. */
function encoded(head: TextHead | JsonHead, view: MessageView): string {
  const bound = head.bytesMax(view, 0);
  const target = new Span(new Uint8Array(bound + 16).fill(guard));
  const end = head.encode(target, 8, view, 0, true);
  expect(end - 8).toBeLessThanOrEqual(bound);
  expect([...target.bytes.subarray(0, 8), ...target.bytes.subarray(end, end + 1)].every((byte) => byte === guard)).toBe(
    true,
  );
  const line = new TextDecoder('utf-8', { fatal: true }).decode(target.bytes.subarray(8, end));
  expect(line.endsWith('\n')).toBe(true);
  expect(line.slice(0, -1)).not.toMatch(lineEnds);
  return line.slice(0, -1);
}

test('a message as JSON is one line, within its bound, and says what was published', () => {
  fc.assert(
    fc.property(word, fc.array(sent, { minLength: 1, maxLength: 4 }), (topic, messages) => {
      const head = new JsonHead(Buffer.from(topic), timestamp, null);
      for (const message of messages) {
        const object = JSON.parse(encoded(head, viewOf(message))) as Record<string, unknown>;
        const bytes = Buffer.from(object.payload as string, object.encoding === 'base64' ? 'base64' : 'utf8');
        expect(bytes.equals(message.payload)).toBe(true);
        expect(object.encoding).toBe(
          message.payload.equals(Buffer.from(message.payload.toString())) ? undefined : 'base64',
        );
        expect(object.topic).toBe(topic);
        expect(object.reply).toBe(message.reply === '' ? undefined : message.reply);
        expect(object.headers ?? {}).toEqual(Object.fromEntries(message.headers));
        expect(object.timestamp).toBe(1_700_000_000_123);
      }
    }),
  );
});

/** The inverse of what the text form does to a payload. */
function unescaped(line: string): string {
  return line.replace(/\\(u[0-9a-f]{4}|.)/g, (_, code: string) => JSON.parse(`"\\${code}"`) as string);
}

test('a message as text is one line, within its bound, and can be read back', () => {
  fc.assert(
    fc.property(word, sent, (topic, message) => {
      const line = encoded(new TextHead(Buffer.from(topic)), viewOf(message));
      const prefix = `BROKER BROADCAST [${topic.replaceAll('\\', '\\\\')}]: `;
      expect(line.slice(0, prefix.length)).toBe(prefix);
      if (message.payload.equals(Buffer.from(message.payload.toString())))
        expect(unescaped(line.slice(prefix.length))).toBe(message.payload.toString());
      else expect(line).toContain('\ufffd');
    }),
  );
});

test('fields stand for the headers that mean something', () => {
  const head = new JsonHead(Buffer.from('a'), timestamp, null);
  const message = {
    reply: '',
    headers: [
      ['shardcast-key', 'k'],
      ['Traceparent', 't'],
      ['Correlation-Id', 'c'],
      ['X', '1'],
      ['X', '2'],
      ['__proto__', 'p'],
    ] as [string, string][],
    payload: Buffer.from('1'),
  };
  expect(encoded(head, viewOf(message))).toBe(
    '{"topic":"a","payload":"1","key":"k","traceparent":"t","correlationId":"c","headers":{"X":["1","2"],"__proto__":"p"},"timestamp":1700000000123}',
  );
});

test('a run is its messages one after the other', () => {
  fc.assert(
    fc.property(fc.array(payload, { minLength: 1, maxLength: 8 }), (payloads) => {
      const view = runOf(payloads.map((each) => each.toString('latin1')));
      for (const head of [new TextHead(Buffer.from('a')), new JsonHead(Buffer.from('a'), timestamp, null)]) {
        const target = new Span(new Uint8Array(head.runBytesMax(view)));
        const run = Buffer.from(target.bytes.subarray(0, head.encodeRun(target, 0, view, true))).toString();
        const alone = payloads.map((each) => `${encoded(head, viewOf({ reply: '', headers: [], payload: each }))}\n`);
        expect(run).toBe(alone.join(''));
      }
    }),
  );
});
