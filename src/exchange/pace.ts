import { reachUnits } from '../base/limits.js';
import type { LaneReader } from './laneReader.js';

/** What reads a lane. */
export interface PacedReader {
  readonly lane: LaneReader;
  /** Up to where it has taken what stands in the lane, within a record too. */
  readonly progress: number;
}

/** Work from which on it can be said what a lane's bytes cost, in units. */
const knownUnits = reachUnits / 8;

/**
 * How far ahead of its reader a lane's writer may be: as far as the reader gets with so much work, by what the lane's bytes cost it when it last left some of them. So what
 * stands in a lane costs a turn or two, whatever it is; cheap messages have the whole lane.
 */
export class Pace {
  readonly #reader: PacedReader;
  readonly #lane: LaneReader;
  #progress = 0;
  #units = 0;

  constructor(reader: PacedReader) {
    this.#reader = reader;
    this.#lane = reader.lane;
  }

  /** Its reader begins to take some of it, after so much work of this turn. */
  begin(units: number): void {
    this.#progress = this.#reader.progress;
    this.#units = units;
  }

  /** Its reader has taken all that there was: it keeps up, and twice as much may come. */
  onEmptied(): void {
    this.#lane.setReach(this.#lane.reachBytes === 0 ? reachBytesMin : 2 * this.#lane.reachBytes);
  }

  /** Its reader leaves the rest to another turn, after so much work of this one. */
  onSpent(units: number): void {
    const done = units - this.#units;
    const tookBytes = (this.#reader.progress - this.#progress) | 0;
    if (done >= knownUnits) this.#lane.setReach(Math.floor((tookBytes * reachUnits) / done));
  }

  /** Its reader may take no more of it, since those that it writes to are behind: so is it. */
  onHeldUp(reachBytes: number): void {
    if (reachBytes < this.#lane.reachBytes) this.#lane.setReach(reachBytes);
  }
}

/** From here on what was cut to nothing grows again, in bytes. */
const reachBytesMin = 1024;
