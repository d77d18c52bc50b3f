import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { FieldBounds, findKey, keyHashOf } from '../../src/protocol/messageKey.js';

/** A message somewhere in somebody's bytes, with its headers block and payload. */
function messageWith(headers: string, payload: string, before: string): MessageView {
  const message = new MessageView();
  message.set(
    new Span(Buffer.from(`${before}${headers}${payload}\r\n`, 'latin1')),
    before.length,
    before.length + headers.length + payload.length,
  );
  message.setHeaders(headers.length);
  return message;
}

function keyOf(message: MessageView): string | null {
  const found = new FieldBounds();
  return findKey(message, 0, found)
    ? Buffer.from(message.bytes.subarray(found.start, found.end)).toString('latin1')
    : null;
}

/** What the scan should find, by strings. */
function keyByStrings(headers: string): string | null {
  for (const line of headers.split('\n').slice(1)) {
    const match = /^Shardcast-Key:([^\r]*)/i.exec(line);
    if (match) return match[1].replace(/^[ \t]+|[ \t]+$/g, '') || null;
  }
  return null;
}

const name = fc.constantFrom(
  'Shardcast-Key',
  'shardcast-key',
  'SHARDCAST-KEY',
  'Shardcast-Keys',
  'hardcast-Key',
  'A',
  '',
);
const value = fc.constantFrom('', ' ', 'k', ' k1 ', '\tEURUSD', 'Shardcast-Key: x', 'a:b', '\xff');
const line = fc.tuple(name, fc.constantFrom(':', ': ', ' ', ''), value).map((parts) => parts.join(''));
const block = fc
  .tuple(fc.array(line, { maxLength: 5 }), fc.constantFrom('\r\n', '\n'), fc.constantFrom('', '\r\n'))
  .map(([lines, lineEnd, end]) => `NATS/1.0${lineEnd}${lines.map((each) => each + lineEnd).join('')}${end}`);

test('the key is the first header of that name, in any case, without the spaces around it', () => {
  fc.assert(
    fc.property(block, fc.string(), fc.constantFrom('', 'Shardcast-Key: before\r\n'), (headers, payload, before) => {
      expect(keyOf(messageWith(headers, payload, before))).toBe(keyByStrings(headers));
    }),
    { numRuns: 1000 },
  );
});

test('whatever the block holds, nothing behind it is taken for a key', () => {
  fc.assert(
    fc.property(block, fc.nat(100), (headers, cut) => {
      const kept = headers.slice(0, cut);
      expect(keyOf(messageWith(kept, 'Shardcast-Key: payload\r\n', ''))).toBe(keyByStrings(kept));
    }),
  );
});

test('the hash is that of the key alone; a message without headers has none', () => {
  const one = keyHashOf(messageWith('NATS/1.0\r\nShardcast-Key: k\r\n\r\n', 'x', ''), 0);
  expect(keyHashOf(messageWith('NATS/1.0\r\nA: b\r\nshardcast-key:k\r\n\r\n', 'y', 'z'), 0)).toBe(one);
  expect(keyHashOf(messageWith('NATS/1.0\r\nShardcast-Key: l\r\n\r\n', 'x', ''), 0)).not.toBe(one);
  expect(one).toBeGreaterThanOrEqual(0);
  expect(keyHashOf(messageWith('', 'NATS/1.0\r\nShardcast-Key: k\r\n\r\n', ''), 0)).toBe(-1);
});
