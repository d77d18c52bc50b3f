import type { Dialect } from './dialect.js';
import { errorLine, NatsHead, okLine, pingLine, pongLine } from './encoder.js';
import { infoLine } from './info.js';

/** The NATS protocol, over TCP and over WebSocket. */
export const natsDialect: Dialect = {
  name: 'nats',
  greeting: (server, client) => new Uint8Array(Buffer.from(infoLine(server, client))),
  error: (text) => errorLine(text),
  ok: okLine,
  pong: pongLine,
  ping: pingLine,
  head: (subject, sid) => new NatsHead(subject, sid),
};
