import net from 'node:net';
import type { Codec } from './protocol/codec.js';

/** Receives what the server sends after the handshake; `chunk` is valid only during the call. */
export type ChunkHandler = (chunk: Uint8Array, length: number) => void;

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly codec: Codec;
  readonly subjects: readonly string[];
  /** Read buffer, which all connections of a thread may share: each read is handled before the next begins. */
  readonly readBuffer: Uint8Array;
  /** Called once if the connection ends before `close()`. */
  readonly onLost: (reason: string) => void;
}

/** A client connection to any of the brokers: handshake first, then raw chunks to a handler. */
export class Connection {
  readonly socket: net.Socket;
  #onChunk: ChunkHandler;
  #closing = false;
  #lost = false;
  readonly #onLost: (reason: string) => void;

  private constructor(options: ConnectionOptions, onChunk: ChunkHandler) {
    this.#onLost = options.onLost;
    this.#onChunk = onChunk;
    this.socket = net.connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: {
        buffer: options.readBuffer,
        callback: (length, buffer) => {
          this.#onChunk(buffer, length);
          return true;
        },
      },
    });
    this.socket.on('error', (error) => this.#lose(error.message));
    this.socket.on('close', () => this.#lose('closed by the server'));
  }

  /** Connects, subscribes to `subjects` and waits until the server has answered a ping sent after them. */
  static open(options: ConnectionOptions): Promise<Connection> {
    return new Promise((resolve, reject) => {
      let received = Buffer.alloc(0);
      const connection: Connection = new Connection(
        {
          ...options,
          onLost: (reason) => {
            reject(new Error(`handshake: ${reason}`));
            options.onLost(reason);
          },
        },
        (chunk, length) => {
          received = Buffer.concat([received, chunk.subarray(0, length)]);
          const state = options.codec.handshakeState(received);
          if (state === 'ready') resolve(connection);
          else if (state !== 'more') {
            reject(new Error(`handshake: ${state.error}`));
            connection.close();
          }
        },
      );
      connection.socket.write(options.codec.handshake(options.subjects));
    });
  }

  /** Sends everything that arrives from now on to `onChunk`. */
  handleChunks(onChunk: ChunkHandler): void {
    this.#onChunk = onChunk;
  }

  close(): void {
    this.#closing = true;
    this.socket.destroy();
  }

  #lose(reason: string): void {
    if (this.#closing || this.#lost) return;
    this.#lost = true;
    this.#onLost(reason);
  }
}
