const lf = 10;
const space = 32;
const zero = 48;

/** What came: a message, with the line in front of it. */
export interface Line {
  bytes: Buffer;
  start: number;
  end: number;
  /** Of the message that stands behind it, with its headers; -1 where there is none. */
  payloadBytes: number;
}

/** Reads what a server sends, as sparingly as can be: who measures is not to be what is measured. */
export class LineReader {
  readonly #line: Line = { bytes: Buffer.alloc(0), start: 0, end: 0, payloadBytes: -1 };
  readonly #onLine: (line: Line) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: (line: Line) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let next = this.#take(bytes, at); next > 0; next = this.#take(bytes, at)) at = next;
    this.#rest = bytes.subarray(at);
  }

  /** Takes what begins at a position; returns where the next begins, 0 while it is not whole. */
  #take(bytes: Buffer, start: number): number {
    const lineEnd = bytes.indexOf(lf, start);
    if (lineEnd < 0) return 0;
    const first = bytes[start];
    // MSG and HMSG
    const isMessage = first === 77 || first === 72;
    const payloadBytes = isMessage ? sizeBefore(bytes, lineEnd - 1) : -1;
    const next = lineEnd + 1 + (isMessage ? payloadBytes + 2 : 0);
    if (next > bytes.length) return 0;
    const line = this.#line;
    line.bytes = bytes;
    line.start = start;
    line.end = lineEnd - 1;
    line.payloadBytes = payloadBytes;
    this.#onLine(line);
    return next;
  }
}

function sizeBefore(bytes: Buffer, end: number): number {
  let size = 0;
  let unit = 1;
  for (let at = end - 1; bytes[at] !== space; at--, unit *= 10) size += (bytes[at]! - zero) * unit;
  return size;
}

/** The words of a line. */
export function wordsOf({ bytes, start, end }: Line): string[] {
  return bytes.toString('latin1', start, end).split(' ');
}
