import { latin1Bytes } from '../base/bytes.js';

/** Status, description and further headers of a message that has no payload, as a headers block. */
export function statusBlock(status: string, headers: Readonly<Record<string, number | string>> = {}): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return latin1Bytes(`NATS/1.0 ${status}\r\n${lines.join('')}\r\n`);
}
