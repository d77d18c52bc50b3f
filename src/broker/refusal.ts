import type { ListenerName } from '../gateway/doors/door.js';
import { errorLine } from '../protocol/encoder.js';
import { errors } from '../protocol/errors.js';
import { infoLine, type ServerInfo } from '../protocol/info.js';

const { text } = errors.connections;

/** What a client that is one too many is told before it is sent away, in the words of the door it came to. */
export function refusal(listener: ListenerName, server: ServerInfo, id: number, remoteAddress: string): string {
  switch (listener) {
    case 'nats':
      return (
        infoLine(server, { client_id: id, client_ip: remoteAddress }) + Buffer.from(errorLine(text)).toString('latin1')
      );
    case 'jsonl':
      return `${JSON.stringify({ error: text })}\n`;
    case 'websocket':
      return `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  }
}
