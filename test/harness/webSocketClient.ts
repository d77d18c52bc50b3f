import { once } from 'node:events';
import net from 'node:net';
import { type ConnectionOptions, type NatsConnection, wsconnect } from '@nats-io/nats-core';
import { afterEach } from 'vitest';
import WebSocket from 'ws';

const open = new Set<() => unknown>();

/** The official client over WebSocket, unchanged, closed after the test. */
export async function webSocketClient(port: number, options: ConnectionOptions = {}): Promise<NatsConnection> {
  const connection = await wsconnect({
    servers: `ws://127.0.0.1:${port}`,
    reconnect: false,
    wsFactory: (url: string) => Promise.resolve({ socket: new WebSocket(url) as unknown as never, encrypted: false }),
    ...options,
  } as ConnectionOptions);
  open.add(() => connection.close());
  return connection;
}

/** A WebSocket that is open, and what came over it. */
export async function openWebSocket(
  port: number,
  protocols: string[] = [],
  options: WebSocket.ClientOptions = {},
): Promise<{ socket: WebSocket; received: () => string }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, protocols, options);
  open.add(() => socket.terminate());
  let received = '';
  socket.on('message', (data: Buffer) => {
    received += data.toString('latin1');
  });
  await once(socket, 'open');
  return { socket, received: () => received };
}

/** How the broker refuses to open a WebSocket: the status of its answer. */
export async function refusedStatus(
  port: number,
  protocols: string[] = [],
  options: WebSocket.ClientOptions = {},
): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, protocols, options);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  // ws reports the end of the attempt as an error, which was expected
  socket.on('error', () => {});
  socket.terminate();
  return response.statusCode;
}

export async function closedWith(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

const handshake =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** Header by which a client offers compressed messages. */
export const offersDeflate = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';

/**
 * Bytes as they are over TCP, first a handshake unless told otherwise; what came back until the broker ended it.
 *
 * @param ends whether the client closes its side behind them, or waits to be closed
 */
export async function rawExchange(
  port: number,
  pieces: readonly (Buffer | string)[],
  protocol: string | null = 'nats',
  headers = '',
  ends = true,
): Promise<Buffer> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('data', (chunk) => chunks.push(chunk));
  // a reset is an answer too
  socket.on('error', () => {});
  if (protocol !== null) socket.write(`${handshake}${headers}Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`);
  for (const piece of pieces) await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
  if (ends) socket.end();
  await closed;
  return Buffer.concat(chunks);
}

/** A WebSocket over a plain socket whose handshake is done, for frames that no library would send; and what comes until it is ended. */
export async function rawWebSocket(
  port: number,
  protocol: string,
): Promise<{ socket: net.Socket; ended: Promise<string> }> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  open.add(() => socket.destroy());
  // a reset is an answer too
  socket.on('error', () => {});
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  socket.write(`${handshake}Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`);
  while (!received.includes('\r\n\r\n')) await once(socket, 'data');
  return { socket, ended };
}

/** A client's frame; `length` may lie, and `mask` may be left out. */
export function clientFrame(first: number, payload: Buffer, masked = true, lengthBytes = payload.length): Buffer {
  const head = lengthBytes < 126 ? [lengthBytes] : [126, lengthBytes >>> 8, lengthBytes & 0xff];
  if (lengthBytes > 0xffff) {
    const long = Buffer.alloc(8);
    long.writeBigUInt64BE(BigInt(lengthBytes));
    head.splice(0, 3, 127, ...long);
  }
  if (!masked) return Buffer.concat([Buffer.from([first, ...head]), payload]);
  head[0] = (head[0] as number) | 0x80;
  const key = [0x12, 0x34, 0x56, 0x78];
  const body = payload.map((byte, i) => byte ^ (key[i & 3] as number));
  return Buffer.concat([Buffer.from([first, ...head, ...key]), body]);
}

/** The code of the close frame at the end of what a server sent. */
export function closeCodeOf(bytes: Buffer): number | null {
  for (let at = bytes.length - 4; at >= 0; at--) {
    if (bytes[at] === 0x88 && bytes[at + 1] === bytes.length - at - 2) return bytes.readUInt16BE(at + 2);
  }
  return null;
}

afterEach(async () => {
  await Promise.all([...open].map((close) => close()));
  open.clear();
});
