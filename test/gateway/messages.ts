import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { NatsHead } from '../../src/protocol/encoder.js';

/** A message without reply and headers, as a parser would leave it. */
export function messageOf(payload: string): MessageView {
  const message = new MessageView();
  message.set(new Span(Buffer.from(`${payload}\r\n`, 'latin1')), 0, payload.length);
  return message;
}

/** A run of messages without reply and headers. */
export function runOf(payloads: readonly string[]): MessageView {
  const message = new MessageView();
  message.span = new Span(Buffer.from(payloads.map((payload) => `${payload}\r\n`).join(''), 'latin1'));
  message.count = payloads.length;
  let position = 0;
  for (const [i, payload] of payloads.entries()) {
    message.starts[i] = position;
    message.ends[i] = position + payload.length;
    position += payload.length + 2;
  }
  return message;
}

export const headOf = (subject: string, sid: string): NatsHead => new NatsHead(Buffer.from(subject, 'latin1'), sid);

/** What one delivery looks like on the wire. */
export const wireOf = (subject: string, sid: string, payload: string): string =>
  `MSG ${subject} ${sid} ${payload.length}\r\n${payload}\r\n`;
