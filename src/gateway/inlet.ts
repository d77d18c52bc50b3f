import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { ReadBuffer } from './readBuffer.js';

/** Who is told what a socket brings. */
export interface InletOwner {
  /** So many bytes stand in the gateway's read buffer, until the call returns; false when the socket is not to be read for now. */
  onRead(lengthBytes: number): boolean;
  /** The other side will send no more. */
  onEnd(): void;
  onClosed(reason: string): void;
}

/** A socket of a gateway, read into the buffer that all of them share. It may change owners. */
export class Inlet {
  readonly socket: Socket;
  readonly descriptor: number;
  owner: InletOwner | null = null;
  readonly #buffer: ReadBuffer;
  /** Where the next read goes. */
  #room: Uint8Array;

  constructor(descriptor: number, buffer: ReadBuffer) {
    this.#buffer = buffer;
    buffer.join();
    this.#room = buffer.room(0);
    const options: SocketConstructorOpts & Pick<ConnectOpts, 'onread'> = {
      fd: descriptor,
      readable: true,
      writable: true,
      allowHalfOpen: true,
      onread: { buffer: () => this.#room, callback: (lengthBytes) => this.#onRead(lengthBytes) },
    };
    this.descriptor = descriptor;
    this.socket = new Socket(options);
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => this.owner?.onClosed(error.message));
    this.socket.on('end', () => this.owner?.onEnd());
    this.socket.on('close', () => this.#onClosed());
  }

  #onRead(lengthBytes: number): boolean {
    const reading = this.owner === null || this.owner.onRead(lengthBytes);
    this.#room = this.#buffer.room(lengthBytes);
    return reading;
  }

  #onClosed(): void {
    this.#buffer.leave();
    this.owner?.onClosed('connection closed');
  }
}
