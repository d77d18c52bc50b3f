import type { RecordView } from '../../log/storage.js';
import type { ConsumerConfig } from '../../stream/consumerConfig.js';

const microsecondsInMs = 1000;
/** Shorter pauses are none. */
const pauseMsMin = 1;
/** In a consumer's metadata: how many times as fast as they came. */
export const replaySpeedKey = 'shardcast.replay_speed';

/** Delivers messages as far apart as they were stored, or so many times closer, until all that had come before are delivered. */
export class Replay {
  readonly #speed: number;
  #lastUs = 0;
  #lastMs = 0;
  #dueMs = 0;
  #isOver = false;

  static of({ replay_policy, metadata }: ConsumerConfig): Replay | null {
    if (replay_policy === 'instant') return null;
    const speed = Number(metadata.get(replaySpeedKey) ?? 1);
    return new Replay(speed > 0 ? speed : 1);
  }

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** When the next message may be delivered, in milliseconds; infinity when it may at any time. */
  get dueMs(): number {
    return this.#isOver || this.#dueMs === 0 ? Number.POSITIVE_INFINITY : this.#dueMs;
  }

  isDue(nowMs: number): boolean {
    return this.#isOver || nowMs >= this.#dueMs;
  }

  /** Whether a message may be delivered now; else it is known when. */
  allows({ timeUs }: RecordView, nowMs: number): boolean {
    if (this.#isOver) return true;
    const pauseMs = this.#lastUs === 0 ? 0 : (timeUs - this.#lastUs) / microsecondsInMs / this.#speed;
    if (pauseMs > pauseMsMin && nowMs < this.#lastMs + pauseMs) {
      this.#dueMs = this.#lastMs + pauseMs;
      return false;
    }
    this.#lastUs = timeUs;
    this.#lastMs = nowMs;
    this.#dueMs = 0;
    return true;
  }

  /** All that was there is delivered: what comes now is delivered at once. */
  caughtUp(): void {
    this.#isOver = true;
  }
}
