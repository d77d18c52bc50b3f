import { latin1Bytes, latin1String } from '../base/bytes.js';
import { headerNames } from '../base/headerNames.js';
import { lineEndBytes } from '../base/ownMessage.js';
import type { Span } from '../base/span.js';
import { lf } from './ascii.js';
import type { Dialect } from './dialect.js';
import { errorLine, NatsHead, okLine, pingLine, pongLine } from './encoder.js';
import { infoLine } from './info.js';
import { MarkedHead } from './markedHead.js';

/** The NATS protocol, over TCP and over WebSocket. */
export const natsDialect: Dialect = {
  name: 'nats',
  greeting: (server, client) => new Uint8Array(Buffer.from(infoLine(server, client))),
  error: (text) => errorLine(text),
  ok: () => okLine,
  pong: () => pongLine,
  ping: pingLine,
  head: (subject, sid, mark) => (mark === null ? new NatsHead(subject, sid) : new MarkedHead(subject, sid, mark)),
  messageBytes,
  textual: false,
  marks: true,
  lossNotice: (subject, sid, lost, policy, headers) => (headers ? lossMessage(subject, sid, lost, policy) : null),
};

/** What stands behind the first line, but for the CR LF at the end. */
function messageBytes({ bytes }: Span, start: number, end: number): number {
  return end - lineEndBytes - (bytes.indexOf(lf, start) + 1);
}

/** A message without payload, whose headers say how many messages were lost, and by which policy. */
function lossMessage(subject: Uint8Array, sid: string, lost: number, policy: string): Uint8Array {
  const block = `NATS/1.0\r\n${headerNames.dropped}: ${lost}\r\n${headerNames.policy}: ${policy}\r\n\r\n`;
  const to = `${latin1String(subject, 0, subject.length)} ${sid}`;
  return latin1Bytes(`HMSG ${to} ${block.length} ${block.length}\r\n${block}\r\n`);
}
