import { HistogramWriter } from '../base/histogram.js';
import { latencyMarksMax, latencyShift, latencyUnits } from '../base/limits.js';
import { histogramIn, type TallyRow } from '../base/tally.js';
import type { Work } from '../base/work.js';

/**
 * How long messages take from when they are read to when what they cause on their thread is written, or is in the lanes to others. The clock is looked at with the first
 * read of a turn and whenever some work has been done since, and once where the turn writes: all messages in between share these looks.
 */
export class Latency {
  readonly #now: () => number;
  readonly #work: Work;
  readonly #histogram: HistogramWriter;
  /** When messages were read that are not written yet, and how many. */
  readonly #readMs = new Float64Array(latencyMarksMax);
  readonly #messages = new Float64Array(latencyMarksMax);
  #marks = 0;
  #lastMs = 0;
  #turn = -1;
  #units = 0;

  constructor(row: TallyRow, work: Work, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#work = work;
    this.#histogram = new HistogramWriter(histogramIn(row, 'readToWritten'));
  }

  /** Something is read: tells when. */
  readAt(): number {
    const { turn, units } = this.#work;
    // in a long turn seldom: what matters is how exact it is beside that
    const looksAfter = Math.max(latencyUnits, units >> latencyShift);
    if (turn === this.#turn && units - this.#units < looksAfter) return this.#lastMs;
    this.#turn = turn;
    this.#units = units;
    this.#lastMs = this.#now();
    return this.#lastMs;
  }

  /** So many messages were carried out that were read then. */
  note(readMs: number, messages: number): void {
    const last = this.#marks - 1;
    if (last >= 0 && (this.#readMs[last] === readMs || this.#marks === latencyMarksMax)) {
      this.#messages[last] += messages;
      return;
    }
    this.#readMs[this.#marks] = readMs;
    this.#messages[this.#marks++] = messages;
  }

  /** Whether there are any that are not written yet. */
  get any(): boolean {
    return this.#marks > 0;
  }

  /** All of them are written. */
  written(nowMs: number): void {
    for (let i = 0; i < this.#marks; i++)
      this.#histogram.add(nowMs - (this.#readMs[i] as number), this.#messages[i] as number);
    this.#marks = 0;
  }
}
