import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { readsPerTurn } from '../base/limits.js';
import type { Turn } from '../base/turn.js';

/** Who is told what a socket brings. */
export interface InletOwner {
  /** So many bytes stand in the gateway's read buffer, until the call returns; false when the socket is not to be read for now. */
  onRead(lengthBytes: number): boolean;
  /** The other side will send no more. */
  onEnd(): void;
  onClosed(reason: string): void;
}

/**
 * Sockets that have had their share of a turn. One that always has more would otherwise be read for as long as the event loop lets
 * it, megabytes at a time, before the next socket, timer or thread is looked at.
 */
export class RestingInlets {
  readonly #turn: Turn;
  readonly #resting: Inlet[] = [];

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  add(inlet: Inlet): void {
    this.#resting.push(inlet);
    this.#turn.request();
  }

  /** Has them read again in the next turn. */
  endTurn(): void {
    for (let i = 0; i < this.#resting.length; i++) this.#resting[i].goOn();
    this.#resting.length = 0;
  }
}

/** A socket of a gateway, read into the buffer that all of them share. It may change owners. */
export class Inlet {
  readonly socket: Socket;
  readonly descriptor: number;
  owner: InletOwner | null = null;
  readonly #bufferBytes: number;
  readonly #resting: RestingInlets;
  /** How often in succession it has filled the buffer. */
  #fullReads = 0;

  constructor(descriptor: number, readBuffer: Uint8Array, resting: RestingInlets) {
    this.#bufferBytes = readBuffer.length;
    this.#resting = resting;
    const options: SocketConstructorOpts & Pick<ConnectOpts, 'onread'> = {
      fd: descriptor,
      readable: true,
      writable: true,
      allowHalfOpen: true,
      onread: { buffer: readBuffer, callback: (lengthBytes) => this.#onRead(lengthBytes) },
    };
    this.descriptor = descriptor;
    this.socket = new Socket(options);
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => this.owner?.onClosed(error.message));
    this.socket.on('end', () => this.owner?.onEnd());
    this.socket.on('close', () => this.owner?.onClosed('connection closed'));
  }

  /** Reads on, unless it was paused meanwhile: whoever did that has it read again. */
  goOn(): void {
    if (!this.socket.isPaused()) this.socket.resume();
  }

  #onRead(lengthBytes: number): boolean {
    const wanted = this.owner === null || this.owner.onRead(lengthBytes);
    this.#fullReads = lengthBytes < this.#bufferBytes ? 0 : this.#fullReads + 1;
    if (!wanted || this.#fullReads < readsPerTurn) return wanted;
    this.#fullReads = 0;
    this.#resting.add(this);
    return false;
  }
}
