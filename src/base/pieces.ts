const numbersAPiece = 1024;

type Numbers = Float64Array | Uint32Array | Int32Array | Uint8Array;

/** Lays out numbers, arrays and texts one behind the other, to be read again in that order: `PieceReader`. Arrays are not copied. */
export class PieceWriter {
  #pieces: Uint8Array[] = [];
  #numbers = new Float64Array(numbersAPiece);
  /** Those from here to `#count` are no piece yet. */
  #from = 0;
  #count = 0;

  /** What was laid out so far. */
  get pieces(): readonly Uint8Array[] {
    this.#endNumbers();
    return this.#pieces;
  }

  number(value: number): void {
    if (this.#count === numbersAPiece) this.#newNumbers();
    this.#numbers[this.#count++] = value;
  }

  /** An array whose length the reader is told. */
  array(values: Numbers): void {
    this.number(values.length);
    this.#endNumbers();
    this.#pieces.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  /** One byte a character. */
  text(text: string): void {
    this.array(Buffer.from(text, 'latin1'));
  }

  /** What another one has laid out and taken. */
  taken(bytes: Uint8Array): void {
    this.#endNumbers();
    this.#pieces.push(bytes);
  }

  /** A copy of all that was laid out since the last one. */
  take(): Uint8Array {
    const taken = Buffer.concat(this.pieces);
    this.#pieces = [];
    return taken;
  }

  #endNumbers(): void {
    if (this.#count === this.#from) return;
    this.#pieces.push(new Uint8Array(this.#numbers.buffer, this.#from * 8, (this.#count - this.#from) * 8));
    this.#from = this.#count;
  }

  #newNumbers(): void {
    this.#endNumbers();
    this.#numbers = new Float64Array(numbersAPiece);
    this.#from = this.#count = 0;
  }
}

/** Reads what a `PieceWriter` has laid out, in the same order. Arrays are copies. */
export class PieceReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether something was laid out behind what was read. */
  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  number(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** Bytes that are not copied. */
  bytes(): Uint8Array {
    return this.#take(this.number());
  }

  doubles(): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#copy(8));
  }

  words(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#copy(4));
  }

  /** The same; null when there are none: of many empty ones nothing is made. */
  wordsOrNone(): Uint32Array<ArrayBuffer> | null {
    if (this.#view.getFloat64(this.#at, true) > 0) return this.words();
    this.#at += 8;
    return null;
  }

  /** Copies an array of so many words, of which `number` has told, to `words[start]`: what is restored in many parts makes no garbage. */
  wordsTo(words: Uint32Array, start: number, length: number): void {
    const target = new Uint8Array(words.buffer, words.byteOffset + 4 * start, 4 * length);
    target.set(this.#take(target.length));
  }

  text(): string {
    return Buffer.from(this.bytes()).toString('latin1');
  }

  #copy(bytesEach: number): ArrayBuffer {
    const bytes = new Uint8Array(this.number() * bytesEach);
    bytes.set(this.#take(bytes.length));
    return bytes.buffer;
  }

  #take(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
