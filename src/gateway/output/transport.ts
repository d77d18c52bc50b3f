import type { Socket } from 'node:net';
import { streamTakenBytesMax } from '../../base/limits.js';
import type { Chunk } from '../chunkPool.js';
import { canSendDirectly, limitUnsent, sendDirectly } from '../native.js';

/** How bytes leave for one client. What is taken leaves in the order it was offered. */
export interface Transport {
  /** Offers bytes of a chunk; returns how many were taken: the chunk may be used again for these at once. 0 when it is broken. */
  offer(chunk: Chunk, start: number, end: number): number;
  /** Takes all of them, but when there is room: until `onWritten` the chunk stays as it is, and nothing else is offered. */
  write(chunk: Chunk, start: number, end: number, onWritten: () => void): void;
  /** Bounds what is taken beyond what can be sent at once. */
  limitUnsent(lengthBytes: number): void;
}

/** Hands bytes to the kernel, which says at once how many it takes. Where it has no room the socket waits for it. */
export class DirectTransport implements Transport {
  readonly #socket: Socket;
  readonly #descriptor: number;

  constructor(socket: Socket, descriptor: number) {
    this.#socket = socket;
    this.#descriptor = descriptor;
  }

  offer(chunk: Chunk, start: number, end: number): number {
    return sendDirectly(this.#descriptor, chunk.address + start, end - start);
  }

  write(chunk: Chunk, start: number, end: number, onWritten: () => void): void {
    writeTo(this.#socket, chunk.buffer.subarray(start, end), onWritten);
  }

  limitUnsent(lengthBytes: number): void {
    limitUnsent(this.#descriptor, lengthBytes);
  }
}

/**
 * Hands bytes to a stream: a TLS socket, or any socket where the kernel cannot be asked. The stream gets a copy, since it does not say
 * when it has read it; it has no more of these at a time than a kernel's buffer would.
 */
export class StreamTransport implements Transport {
  readonly #socket: Socket;
  #takenBytesMax = streamTakenBytesMax;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  offer(chunk: Chunk, start: number, end: number): number {
    const socket = this.#socket;
    const taken = socket.writable ? Math.min(end - start, this.#takenBytesMax - socket.writableLength) : 0;
    if (taken <= 0) return 0;
    socket.write(Buffer.from(chunk.buffer.subarray(start, start + taken)));
    return taken;
  }

  write(chunk: Chunk, start: number, end: number, onWritten: () => void): void {
    writeTo(this.#socket, chunk.buffer.subarray(start, end), onWritten);
  }

  limitUnsent(lengthBytes: number): void {
    this.#takenBytesMax = Math.min(this.#takenBytesMax, lengthBytes);
  }
}

/** The quickest way out of a socket. @param descriptor negative when its bytes may not bypass it, as with TLS */
export function transportOf(socket: Socket, descriptor: number): Transport {
  return canSendDirectly && descriptor >= 0 ? new DirectTransport(socket, descriptor) : new StreamTransport(socket);
}

/** An error is told by the socket, too: then nothing waits for the bytes any more. */
function writeTo(socket: Socket, bytes: Uint8Array, onWritten: () => void): void {
  socket.write(bytes, (error) => {
    if (!error) onWritten();
  });
}
