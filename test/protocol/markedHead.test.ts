import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { MarkedHead } from '../../src/protocol/markedHead.js';
import { deliveryOfWorkReply, isWorkReply } from '../../src/protocol/workReply.js';

const message = fc.record({
  reply: fc.constantFrom('', 'r', '_INBOX.abc.1'),
  block: fc.constantFrom('', 'NATS/1.0\r\n\r\n', 'NATS/1.0\r\nA: b\r\n\r\n', 'abc', '\r', '\r\n'),
  payload: fc.string({ unit: fc.constantFrom('a', '\r', '\n', '\0'), maxLength: 9 }),
});
const number = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.constantFrom(999_999_999, 1_000_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 10 ** 15, 2 ** 53 - 1),
  fc.maxSafeInteger().map((value) => Math.abs(value) + 1),
);

test('what is written is what is said, within its bound, and its reply names the delivery', () => {
  fc.assert(
    fc.property(
      message,
      number,
      fc.integer({ min: 1, max: 32_768 }),
      fc.boolean(),
      (m, delivery, deliveries, headers) => {
        const bytes = Buffer.from(`${m.reply}${m.block}${m.payload}\r\n`, 'latin1');
        const view = new MessageView();
        view.set(new Span(bytes), m.reply.length, bytes.length - 2);
        view.setReply(0, m.reply.length);
        view.setHeaders(m.block.length);
        const head = new MarkedHead(Buffer.from('jobs'), '7', { delivery, deliveries, sequence: 0 });
        const target = new Span(new Uint8Array(head.bytesMax(view, 0)));
        const end = head.encode(target, 0, view, 0, headers);
        expect(end).toBeLessThanOrEqual(target.bytes.length);
        const [line, ...rest] = Buffer.from(target.bytes.subarray(0, end))
          .toString('latin1')
          .split(/(?<=\r\n)/);
        const behind = rest.join('');
        const block = headers ? blockOf(m) : '';
        const to = `$SHARDCAST.ACK.${delivery}.${deliveries}`;
        const total = block.length + m.payload.length;
        expect(line).toBe(
          block === '' ? `MSG jobs 7 ${to} ${total}\r\n` : `HMSG jobs 7 ${to} ${block.length} ${total}\r\n`,
        );
        expect(behind).toBe(`${block}${m.payload}\r\n`);
        const subject = Buffer.from(to);
        expect(isWorkReply(subject, 0, subject.length)).toBe(true);
        expect(deliveryOfWorkReply(subject, 0, subject.length)).toBe(delivery);
      },
    ),
  );
});

function blockOf({ reply, block }: { reply: string; block: string }): string {
  if (reply === '') return block;
  if (block === '') return `NATS/1.0\r\nShardcast-Reply: ${reply}\r\n\r\n`;
  return block.replace('\r\n', `\r\nShardcast-Reply: ${reply}\r\n`);
}

test.each([
  ['$SHARDCAST.ACK.1', true, 0],
  ['$SHARDCAST.ACK.', true, 0],
  ['$SHARDCAST.ACK.-1.1', true, 0],
  ['$SHARDCAST.ACK.0.1', true, 0],
  ['$SHARDCAST.ACK.1x.1', true, 0],
  ['$SHARDCAST.ACK.123456789012345678901234567890.1', true, 0],
  ['$SHARDCAST.ACK.7.', true, 7],
  ['$SHARDCAST.ACK', false, 0],
  ['$SHARDCAST.SUB', false, 0],
  ['$', false, 0],
])('%s', (subject, is, delivery) => {
  const bytes = Buffer.from(subject);
  expect(isWorkReply(bytes, 0, bytes.length)).toBe(is);
  if (is) expect(deliveryOfWorkReply(bytes, 0, bytes.length)).toBe(delivery);
});
