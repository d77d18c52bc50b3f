import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { NatsHead } from '../../src/protocol/encoder.js';
import { keep, type Pair } from './pair.js';

const messages = 1_000;
const subject = 'prices.AAPL';
const sid = '1';

export function messageOf(payloadBytes: number): MessageView {
  const message = new MessageView();
  message.set(new Span(new Uint8Array(Buffer.from(`${'x'.repeat(payloadBytes)}\r\n`))), 0, payloadBytes);
  return message;
}

function pairOf(payloadBytes: number): Pair {
  const message = messageOf(payloadBytes);
  const payload = 'x'.repeat(payloadBytes);
  const head = new NatsHead(Buffer.from(subject), sid);
  const target = new Span(new Uint8Array(messages * (payloadBytes + 64)));
  return {
    name: `encoder: MSG, ${payloadBytes} B`,
    baseline: 'string concatenation, Buffer.from',
    messages,
    ours() {
      let position = 0;
      for (let i = 0; i < messages; i++) position = head.encode(target, position, message, 0, true);
      keep(position);
    },
    naive() {
      let text = '';
      for (let i = 0; i < messages; i++) text += `MSG ${subject} ${sid} ${payload.length}\r\n${payload}\r\n`;
      keep(Buffer.from(text, 'latin1').length);
    },
  };
}

export const encoderPairs = (): Pair[] => [pairOf(16), pairOf(128), pairOf(1024)];
