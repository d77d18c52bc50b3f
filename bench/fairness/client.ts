import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A client that sends what it is told to, right or wrong, and keeps the last of what it hears. */
export class Client {
  readonly socket: Socket;
  readonly port: number;
  /** The end of what the broker said. */
  heard = '';
  /** The last error that it was told, and whether it was ended. */
  error = '';
  ended = false;

  private constructor(port: number) {
    this.port = port;
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.ended = true;
    });
    this.socket.on('data', (chunk) => this.#hear(chunk.toString('latin1')));
  }

  static async connect(port: number): Promise<Client> {
    const client = new Client(port);
    await once(client.socket, 'connect');
    return client;
  }

  /** @param more further options of its CONNECT */
  static async nats(port: number, more: object = {}): Promise<Client> {
    const client = await Client.connect(port);
    const options = { verbose: false, pedantic: false, headers: true, no_responders: true, protocol: 1, ...more };
    client.socket.write(`CONNECT ${JSON.stringify(options)}\r\n`);
    await client.flush();
    return client;
  }

  static async webSocket(port: number, headers = ''): Promise<Client> {
    const client = await Client.connect(port);
    const key = randomBytes(16).toString('base64');
    client.socket.write(
      `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`,
    );
    await client.hears(/\r\n\r\n/);
    return client;
  }

  /** Sends it all, as fast as it is taken. */
  async send(bytes: string | Uint8Array): Promise<void> {
    if (this.socket.write(bytes)) return;
    await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]);
  }

  /** Sends a line for each number below `count`. */
  async sendLines(count: number, line: (index: number) => string): Promise<void> {
    for (let i = 0; i < count && !this.ended; ) {
      let block = '';
      for (let k = 0; k < 1000 && i < count; k++, i++) block += line(i);
      await this.send(block);
    }
  }

  /** Sends the same again and again, for so long. */
  async flood(bytes: string | Uint8Array, durationMs: number): Promise<void> {
    const stop = AbortSignal.timeout(durationMs);
    while (!stop.aborted && !this.ended) {
      if (this.socket.write(bytes)) await sleep(0);
      else await once(this.socket, 'drain', { signal: stop }).catch(() => {});
    }
  }

  /** Waits until all that was sent has been carried out, or it has been ended. */
  async flush(timeoutMs = 30_000): Promise<void> {
    this.heard = '';
    await this.send('PING\r\n');
    await this.hears(/PONG\r\n/, timeoutMs);
  }

  async hears(pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    const late = Date.now() + timeoutMs;
    while (!pattern.test(this.heard) && !this.ended && Date.now() < late) await sleep(5);
  }

  close(): void {
    this.socket.destroy();
  }

  #hear(text: string): void {
    this.heard = (this.heard + text).slice(-2000);
    const error = /-ERR '([^']*)'|"error":"([^"]*)"/.exec(text);
    if (error !== null) this.error = error[1] ?? error[2]!;
  }
}

/** A masked frame of a client, with zeros for its mask: then its content stands as it is. */
export function frame(code: number, content: string | Uint8Array, final = true): Buffer {
  const bytes = Buffer.from(content as string);
  const short = bytes.length < 126 ? [bytes.length] : [126, bytes.length >> 8, bytes.length & 255];
  const length =
    bytes.length < 1 << 16 ? short : [127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((by) => (bytes.length >> by) & 255)];
  return Buffer.concat([
    Buffer.from([(final ? 0x80 : 0) | code, 0x80 | length[0]!, ...length.slice(1), 0, 0, 0, 0]),
    bytes,
  ]);
}
