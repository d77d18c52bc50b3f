import type { Speech } from './client.js';

const topic = 'bench';

/** A text frame of a client, masked as they must be; its content is under 64 KiB. */
function clientFrame(content: string): Buffer {
  const bytes = Buffer.from(content);
  const mask = Buffer.of(0x31, 0x52, 0x73, 0x14);
  const head = bytes.length < 126 ? [0x80 | bytes.length] : [0x80 | 126, bytes.length >>> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.of(0x81, ...head), mask, bytes.map((byte, i) => byte ^ mask[i & 3]!)]);
}

const handshake =
  'GET / HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** Counts the content of a server's frames. */
function frameCounter(): (chunk: Uint8Array, lengthBytes: number) => number {
  let contentLeft = 0;
  const head: number[] = [];
  return (chunk, lengthBytes) => {
    let content = 0;
    for (let at = 0; at < lengthBytes; ) {
      if (contentLeft > 0) {
        const part = Math.min(contentLeft, lengthBytes - at);
        content += part;
        contentLeft -= part;
        at += part;
        continue;
      }
      head.push(chunk[at++]!);
      const short = head[1] ?? 0;
      if (head.length < (short < 126 ? 2 : short === 126 ? 4 : 10)) continue;
      contentLeft = short < 126 ? short : head.slice(2).reduce((length, byte) => length * 256 + byte, 0);
      head.length = 0;
    }
    return content;
  };
}

const byteCounter = () => (_: Uint8Array, lengthBytes: number) => lengthBytes;
const opened = (received: string) => received.includes('\r\n\r\n');

/** NATS in WebSocket frames, one operation a frame. */
export function natsOverWebSocket(payloadBytes: number, subscribes: boolean): Speech {
  const payload = 'x'.repeat(payloadBytes);
  const lines = `CONNECT {"verbose":false}\r\n${subscribes ? `SUB ${topic} 1\r\n` : ''}PING\r\n`;
  return {
    hello: Buffer.concat([Buffer.from(handshake), clientFrame(lines)]),
    ready: (received) => received.includes('PONG\r\n'),
    publish: clientFrame(`PUB ${topic} ${payloadBytes}\r\n${payload}\r\n`),
    deliveryBytes: `MSG ${topic} 1 ${payloadBytes}\r\n`.length + payloadBytes + 2,
    counter: frameCounter,
  };
}

/** What a program that only broadcasts speaks: the payload in a frame. */
export function plainWebSocket(payloadBytes: number): Speech {
  return {
    hello: Buffer.from(handshake),
    ready: opened,
    publish: clientFrame('x'.repeat(payloadBytes)),
    deliveryBytes: payloadBytes,
    counter: frameCounter,
  };
}

export function jsonLines(payloadBytes: number, subscribes: boolean): Speech {
  const payload = 'x'.repeat(payloadBytes);
  return {
    hello: Buffer.from(`${subscribes ? `{"command":"SUB","topic":"${topic}"}\n` : ''}{"command":"PING"}\n`),
    ready: (received) => received.includes('"pong":true}\n'),
    publish: Buffer.from(`{"command":"PUB","topic":"${topic}","payload":"${payload}"}\n`),
    deliveryBytes: `BROKER BROADCAST [${topic}]: \n`.length + payloadBytes,
    counter: byteCounter,
  };
}
