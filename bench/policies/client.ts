import { once } from 'node:events';
import net, { type Socket } from 'node:net';

/** Where in a message's payload the time stands at which it was meant to be sent, in milliseconds, as a double. */
export type OnMessage = (bytes: Buffer, payloadAt: number) => void;

/** A stream buffers little, so that what a slow reader has not read is the broker's and the kernel's business; not in Node's types. */
const shortBuffer = { highWaterMark: 4096 };

/** A client whose deliveries all have one size, so that nothing has to be searched for. */
export class Client {
  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Connects, sends `lines` and waits until they have been carried out. */
  static async open(port: number, lines: string): Promise<Client> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, ...shortBuffer });
    await once(socket, 'connect');
    socket.write(`CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n${lines}PING\r\n`);
    for (let text = ''; !text.includes('PONG\r\n'); ) {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) await once(socket, 'readable');
      else text += chunk.toString('latin1');
      if (text.includes('-ERR')) throw new Error(text);
    }
    return new Client(socket);
  }

  /** Reads at full speed. */
  readAll(messageBytes: number, payloadOffset: number, onMessage: OnMessage): void {
    const cut = this.#cutter(messageBytes, payloadOffset, onMessage);
    this.socket.removeAllListeners('readable');
    this.socket.on('data', cut).resume();
  }

  /** Reads `bytes` each time it is called, if so many are there. */
  reader(messageBytes: number, payloadOffset: number, onMessage: OnMessage): (bytes: number) => void {
    const cut = this.#cutter(messageBytes, payloadOffset, onMessage);
    let owed = 0;
    return (bytes) => {
      owed += bytes;
      while (owed >= 1) {
        const available = Math.min(Math.floor(owed), this.socket.readableLength);
        const chunk = this.socket.read(available) as Buffer | null;
        if (chunk === null) break;
        cut(chunk);
        owed -= chunk.length;
      }
      owed = Math.min(owed, bytes);
    };
  }

  close(): void {
    this.socket.destroy();
  }

  /** Cuts a stream of messages of one size, and of PINGs, which it answers. */
  #cutter(messageBytes: number, payloadOffset: number, onMessage: OnMessage): (chunk: Buffer) => void {
    let rest = Buffer.alloc(0);
    return (chunk) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      while (at < bytes.length) {
        const isPing = bytes[at] === letterP;
        const end = at + (isPing ? ping.length : messageBytes);
        if (end > bytes.length) break;
        if (isPing) this.socket.write('PONG\r\n');
        else onMessage(bytes, at + payloadOffset);
        at = end;
      }
      rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
    };
  }
}

const ping = 'PING\r\n';
const letterP = ping.charCodeAt(0);

/** Runs `work(count)` so that it is asked for `perSecond` in all, until `durationMs` have passed. */
export function paced(
  perSecond: number,
  durationMs: number,
  work: (count: number, nowMs: number) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const startMs = performance.now();
    let done = 0;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const due = Math.floor(((nowMs - startMs) * perSecond) / 1000);
      work(due - done, nowMs);
      done = due;
      if (nowMs - startMs < durationMs) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
}

export const publication = (subject: string, payload: string): Buffer =>
  Buffer.from(`PUB ${subject} ${payload.length}\r\n${payload}\r\n`);

export const asking = (wish: object): string =>
  `PUB $SHARDCAST.SUB ${JSON.stringify(wish).length}\r\n${JSON.stringify(wish)}\r\n`;
