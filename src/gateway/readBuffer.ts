import { assert } from '../base/assert.js';
import { crowdUnits, firstReadBytesMin, firstReadsBytesMax } from '../base/limits.js';
import type { Work } from '../base/work.js';

/**
 * The memory that all sockets of a gateway are read into, one after the other. The event loop reads every socket that has something before a turn's end
 * comes: so that a crowd cannot make that long, each gets a part at first. Who brings much gets all the next time, but not those of whom there are too many.
 */
export class ReadBuffer {
  readonly bytes: Uint8Array;
  /** What a socket is read into that has not brought much. */
  first: Uint8Array;
  readonly #work: Work;
  #sockets = 0;

  constructor(bytes: Uint8Array, work: Work) {
    this.#work = work;
    this.bytes = bytes;
    this.first = bytes;
  }

  /** A socket is read into it from now on. */
  join(): void {
    this.#count(1);
  }

  leave(): void {
    this.#count(-1);
  }

  /** Where the next read of a socket goes whose last one has brought so much, in this turn. */
  room(broughtBytes: number): Uint8Array {
    return broughtBytes >= firstReadBytesMin && this.#work.units < crowdUnits ? this.bytes : this.first;
  }

  #count(by: 1 | -1): void {
    this.#sockets += by;
    assert(this.#sockets >= 0, 'who leaves has joined');
    let lengthBytes = this.bytes.length;
    while (lengthBytes > firstReadBytesMin && lengthBytes * this.#sockets > firstReadsBytesMax) lengthBytes /= 2;
    if (lengthBytes !== this.first.length) this.first = this.bytes.subarray(0, lengthBytes);
  }
}
