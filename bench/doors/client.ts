import { once } from 'node:events';
import net, { type Socket } from 'node:net';

/** How a client of some server speaks: what it says first, when that is done with, and how what it receives is counted. */
export interface Speech {
  /** Said once connected. */
  readonly hello: Buffer;
  /** Whether all that `hello` asked for is done, by what has come back. */
  ready(received: string): boolean;
  /** One publish, as it goes on the wire. */
  readonly publish: Buffer;
  /** Content of one delivery, in bytes. */
  readonly deliveryBytes: number;
  /** Counts content in a stream that comes in any pieces. */
  counter(): (chunk: Uint8Array, lengthBytes: number) => number;
}

/** A raw socket: what it costs to read is little beside what is measured. */
export class Client {
  /** Content received, in bytes. */
  contentBytes = 0;
  onContent: () => void = () => {};
  readonly socket: Socket;
  #ready = false;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  static async open(port: number, speech: Speech): Promise<Client> {
    let received = '';
    const count = speech.counter();
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const onRead = (lengthBytes: number, buffer: Uint8Array): boolean => {
      if (!client.#ready) {
        received += Buffer.from(buffer.buffer, buffer.byteOffset, lengthBytes).toString('latin1');
        if (!speech.ready(received)) return true;
        client.#ready = true;
        begin();
        return true;
      }
      client.contentBytes += count(buffer, lengthBytes);
      client.onContent();
      return true;
    };
    const socket = net.connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: readBuffer, callback: onRead },
    });
    const client: Client = new Client(socket);
    await once(socket, 'connect');
    socket.write(speech.hello);
    await begun;
    return client;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Shared: each read is handled before the next begins. */
const readBuffer = Buffer.allocUnsafe(256 * 1024);
