import { laneUnits } from '../base/limits.js';
import type { MessageWriter } from './messageWriter.js';

/** How much may be on its way, in units of `Work`: half of what its reader takes of all lanes in a turn, so that what came before is taken in one. */
const windowUnits = laneUnits / 2;

/**
 * How much for very many is on its way in a publish lane: a window, and the next when its reader has taken all of that. What the reader says of its reach comes
 * too late for the first of a flood, and keeps what costs little waiting as well.
 */
export class CrowdWindow {
  /** Null where there is no lane. */
  readonly #writer: MessageWriter | null;
  #units = 0;
  /** Where the last of it ends in the lane. */
  #end = 0;

  constructor(writer: MessageWriter | null) {
    this.#writer = writer;
  }

  /** Whether more may go: there is always something on its way that was not yet taken when it may not. */
  get mayGoOn(): boolean {
    if (this.#units < windowUnits) return true;
    if (this.#writer?.lane.isConsumed(this.#end) !== true) return false;
    this.#units = 0;
    return true;
  }

  /** So much work more is on its way, in units of `Work`. */
  note(units: number): void {
    this.#units += units;
    this.#end = this.#writer?.lane.position ?? 0;
  }
}
