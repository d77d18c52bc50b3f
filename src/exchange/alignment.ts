import { assert } from '../base/assert.js';
import type { LaneReader } from './laneReader.js';

/** A deliver lane, as changes of owners see it. */
interface AlignedLane {
  readonly lane: LaneReader;
  /** Number of the last change before which nothing is left in it. */
  handoverMark: number;
}

/**
 * What a new owner of a pattern delivers must not be taken before what the one before delivered, on another lane. So a lane that is past a
 * change waits until all others are. A mark in the lane says that it is; a thread that took part in the change needs none: what was delivered
 * before could be seen by then.
 */
export class Alignment {
  /** The least mark of all lanes: those beyond wait. */
  #least = 0;
  #greatest = 0;
  /** Of lanes without marks: how far each had come when the change was made. */
  readonly #owed = new Map<AlignedLane, number>();
  #number = 0;

  /** Whether no lane waits. */
  get done(): boolean {
    return this.#least === this.#greatest;
  }

  /** @param from lanes of new owners: what is in them waits for the others */
  begin(number: number, from: readonly AlignedLane[], lanes: readonly AlignedLane[]): void {
    assert(this.done, 'one change is done with before the next');
    this.#number = number;
    for (const lane of lanes) if (!from.includes(lane)) this.#owed.set(lane, lane.lane.snapshot());
    for (const lane of from) lane.handoverMark = number;
    this.review(lanes);
  }

  mayTake(lane: AlignedLane): boolean {
    return lane.handoverMark <= this.#least;
  }

  /** Looks how far the lanes are. */
  review(lanes: readonly AlignedLane[]): void {
    for (const [lane, position] of this.#owed)
      if (lane.lane.hasTaken(position)) {
        lane.handoverMark = this.#number;
        this.#owed.delete(lane);
      }
    if (lanes.length === 0) return;
    this.#least = Number.MAX_SAFE_INTEGER;
    this.#greatest = this.#number;
    for (const { handoverMark } of lanes) {
      if (handoverMark < this.#least) this.#least = handoverMark;
      if (handoverMark > this.#greatest) this.#greatest = handoverMark;
    }
  }
}
