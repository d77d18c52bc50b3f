import { pingFrame } from '../protocol/webSocketFrame.js';
import type { Connection } from './connection.js';
import type { Egress } from './egress.js';

/** Whether the connection's door has a way to ask whether the client is there. */
export function canPing({ dialect, frameOpcode }: Connection): boolean {
  return frameOpcode !== 0 || dialect.ping !== null;
}

/** Asks a client for a sign, in order with its deliveries; where its door has no way to, nothing is sent. */
export function sendPing(egress: Egress, connection: Connection): void {
  const { dialect, frameOpcode } = connection;
  if (frameOpcode !== 0) egress.writeFrame(connection, pingFrame);
  else if (dialect.ping !== null) egress.write(connection, dialect.ping);
}
