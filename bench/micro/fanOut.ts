import { Span } from '../../src/base/span.js';
import { NatsHead } from '../../src/protocol/encoder.js';
import { messageOf } from './encoder.js';
import { keep, type Pair } from './pair.js';

const messages = 100;
const subscribers = 10;
const payloadBytes = 16;

/** A batch for ten subscribers: encoded once and referred to ten times, or put together for each of them. */
export function fanOutPairs(): Pair[] {
  const message = messageOf(payloadBytes);
  const head = new NatsHead(Buffer.from('prices.AAPL'), '1');
  const target = new Span(new Uint8Array(messages * (payloadBytes + 64)));
  const line = Buffer.from(`MSG prices.AAPL 1 ${payloadBytes}\r\n`);
  const payload = Buffer.from(message.bytes.subarray(0, payloadBytes));
  const lineEnd = Buffer.from('\r\n');
  const segments: { span: Span; end: number }[] = [];
  const queues: Buffer[][] = Array.from({ length: subscribers }, () => []);
  return [
    {
      name: `fan-out: 1 -> ${subscribers}, ${payloadBytes} B`,
      baseline: 'Buffer.concat a subscriber',
      messages,
      ours() {
        let position = 0;
        for (let i = 0; i < messages; i++) position = head.encode(target, position, message, 0, true);
        for (let i = 0; i < subscribers; i++) segments[i] = { span: target, end: position };
        keep(position);
      },
      naive() {
        for (let i = 0; i < messages; i++)
          for (const queue of queues) queue.push(Buffer.concat([line, payload, lineEnd]));
        for (const queue of queues) keep(Buffer.concat(queue.splice(0)).length);
      },
    },
  ];
}
