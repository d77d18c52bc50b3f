import type { PieceReader, PieceWriter } from '../base/pieces.js';

/** Sequences in one piece, in bits. */
const pieceBits = 4096;
const piecesAStep = 64;
/** Follows what was laid out. */
const end = -1;

/** Removed sequences of a stream that lie between others: a bit each, where there are any. */
export class RemovedSet {
  readonly #pieces = new Map<number, Uint32Array>();

  get memoryBytes(): number {
    return this.#pieces.size * (pieceBits / 8 + 64);
  }

  has(sequence: number): boolean {
    if (this.#pieces.size === 0) return false;
    const piece = this.#pieces.get(Math.floor(sequence / pieceBits));
    if (piece === undefined) return false;
    const bit = sequence % pieceBits;
    return (piece[bit >>> 5] & (1 << (bit & 31))) !== 0;
  }

  add(sequence: number): void {
    const number = Math.floor(sequence / pieceBits);
    let piece = this.#pieces.get(number);
    if (piece === undefined) {
      piece = new Uint32Array(pieceBits / 32);
      this.#pieces.set(number, piece);
    }
    const bit = sequence % pieceBits;
    piece[bit >>> 5] |= 1 << (bit & 31);
  }

  /** The first of `[from, to)` that is removed; `to` when none is. */
  firstIn(from: number, to: number): number {
    if (this.#pieces.size === 0) return to;
    let at = from;
    while (at < to && !this.has(at)) at++;
    return at;
  }

  /** How many of `[from, to)` are removed. */
  countIn(from: number, to: number): number {
    if (this.#pieces.size === 0) return 0;
    let count = 0;
    for (let at = from; at < to; ) {
      const end = Math.min(to, (Math.floor(at / pieceBits) + 1) * pieceBits);
      if (this.#pieces.has(Math.floor(at / pieceBits)))
        for (let sequence = at; sequence < end; sequence++) if (this.has(sequence)) count++;
      at = end;
    }
    return count;
  }

  /** Lays out all that is here, in steps: what is removed meanwhile is there or not. */
  *save(target: PieceWriter): Generator<void> {
    let step = 0;
    for (const [number, piece] of this.#pieces) {
      target.number(number);
      target.array(piece);
      if (++step % piecesAStep === 0) yield;
    }
    target.number(end);
  }

  /** Takes over what was laid out. */
  restore(source: PieceReader): void {
    for (let number = source.number(); number !== end; number = source.number())
      this.#pieces.set(number, source.words());
  }

  /** Forgets what lies below a sequence, piece by piece; `from` is what was said before. */
  forgetBelow(from: number, sequence: number): void {
    if (this.#pieces.size === 0) return;
    const first = Math.floor(from / pieceBits);
    const end = Math.floor(sequence / pieceBits);
    if (end - first > this.#pieces.size) {
      for (const number of [...this.#pieces.keys()]) if (number < end) this.#pieces.delete(number);
    } else for (let number = first; number < end; number++) this.#pieces.delete(number);
  }
}
