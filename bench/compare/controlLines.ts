import type { Connection } from './connection.js';
import type { Codec } from './protocol/codec.js';

/** Bytes of an unfinished control line that are kept; a server's INFO is the longest, and is not needed whole. */
const lineBytesMax = 4_096;
const LF = 10;

/** Assembles the server's control lines, answers those that want an answer and reports errors. */
export class ControlLines {
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #onError: (text: string) => void;
  #partial = '';
  #open = false;

  constructor(connection: Connection, codec: Codec, onError: (text: string) => void) {
    this.#connection = connection;
    this.#codec = codec;
    this.#onError = onError;
  }

  /** Whether a line has begun and not ended. */
  get open(): boolean {
    return this.#open;
  }

  /** Takes bytes up to the end of the line or of the chunk; returns the offset after what it took. */
  take(chunk: Uint8Array, offset: number, length: number): number {
    const lineFeed = chunk.indexOf(LF, offset);
    const ended = lineFeed !== -1 && lineFeed < length;
    const end = ended ? lineFeed : length;
    if (this.#partial.length < lineBytesMax) {
      this.#partial += Buffer.from(chunk.buffer, chunk.byteOffset + offset, end - offset).toString('latin1');
    }
    this.#open = !ended;
    if (!ended) return length;

    const action = this.#codec.control(this.#partial.trimEnd());
    this.#partial = '';
    if (action.kind === 'reply') this.#connection.socket.write(action.bytes);
    else if (action.kind === 'error') this.#onError(action.text);
    return lineFeed + 1;
  }
}
