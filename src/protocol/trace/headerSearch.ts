import { assert } from '../../base/assert.js';
import { latin1Bytes } from '../../base/bytes.js';
import type { Span } from '../../base/span.js';

const stride = 8;
const windowBytes = 4;
/** `NATS/1.0 CR LF`: no name stands before. */
const versionBytes = 10;
const placesBits = 8;
const spread = 0x9e3779b1 | 0;
/** Makes letters of ASCII small, four at a time; what else a name is made of stays as it is. */
const smallBits = 0x20202020;

/**
 * Whether a headers block may have a header of one name, which most have not: a block is not read line by line, but looked at every eight
 * bytes. Wherever the name stands, four of its letters begin at one of these places.
 */
export class HeaderSearch {
  readonly #name: Uint8Array;
  readonly #small: number;
  /** The windows of the name at which a look can begin, each at its place in a small table, and where in the name each stands. */
  readonly #windows = new Int32Array(1 << placesBits);
  readonly #places = new Uint8Array(1 << placesBits);

  /** @param name with its colon; in small letters where case says nothing */
  constructor(name: string, ignoresCase: boolean) {
    this.#name = latin1Bytes(name);
    this.#small = ignoresCase ? smallBits : 0;
    const view = new DataView(this.#name.buffer, this.#name.byteOffset);
    const first = Math.min(windowBytes, name.length - stride - windowBytes + 1);
    assert(first >= 0, 'the name has a window for every place of a look');
    for (let at = first; at < first + stride; at++) {
      const word = view.getInt32(at, true);
      assert(this.#windows[placeOf(word)] === 0, 'windows have places of their own');
      this.#windows[placeOf(word)] = word;
      this.#places[placeOf(word)] = at;
    }
  }

  /** Where the name stands first in a headers block, `span[start, end)`, be it in a value; -1 where it does not. */
  find({ bytes, view }: Span, start: number, end: number): number {
    const last = end - windowBytes;
    const small = this.#small;
    for (let at = start + versionBytes; at <= last; at += stride) {
      const word = view.getInt32(at, true) | small;
      const place = placeOf(word);
      if (this.#windows[place] !== word) continue;
      const nameAt = at - this.#places[place];
      if (this.#standsAt(bytes, nameAt, end)) return nameAt;
    }
    return -1;
  }

  #standsAt(bytes: Uint8Array, at: number, end: number): boolean {
    const name = this.#name;
    if (at + name.length > end) return false;
    const small = this.#small & 0xff;
    for (let i = 0; i < name.length; i++) if ((bytes[at + i] | small) !== name[i]) return false;
    return true;
  }
}

function placeOf(word: number): number {
  return Math.imul(word, spread) >>> (32 - placesBits);
}
