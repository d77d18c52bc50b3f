const lineFeed = 10;
const messageByte = 'M'.charCodeAt(0);
const headersByte = 'H'.charCodeAt(0);

/**
 * Reads messages without headers and control lines of the NATS protocol from chunks, for whoever answers each: what the answers to a
 * chunk amount to is sent at once.
 */
export class RequestReader {
  readonly #onMessage: (subject: string, reply: string) => string;
  readonly #onError: (text: string) => void;
  #rest = Buffer.alloc(0);

  /** @param onMessage returns what is sent for a message; `reply` is empty where there is none */
  constructor(onMessage: (subject: string, reply: string) => string, onError: (text: string) => void) {
    this.#onMessage = onMessage;
    this.#onError = onError;
  }

  /** @returns what is to be sent */
  read(chunk: Uint8Array, length: number): string {
    const read = Buffer.from(chunk.buffer, chunk.byteOffset, length);
    const bytes = this.#rest.length === 0 ? read : Buffer.concat([this.#rest, read]);
    let answers = '';
    let at = 0;
    for (;;) {
      const lineEnd = bytes.indexOf(lineFeed, at);
      if (lineEnd < 0) break;
      const line = bytes.toString('latin1', at, lineEnd - 1);
      let end = lineEnd + 1;
      if (bytes[at] === messageByte) {
        const words = line.split(' ');
        end += Number(words.at(-1)) + 2;
        if (end > bytes.length) break;
        answers += this.#onMessage(words[1]!, words.length === 5 ? words[3]! : '');
      } else if (line === 'PING') answers += 'PONG\r\n';
      else if (bytes[at] === headersByte || line.startsWith('-ERR')) this.#onError(line);
      at = end;
    }
    // the chunk's memory is read into again
    this.#rest = Buffer.from(bytes.subarray(at));
    return answers;
  }
}
