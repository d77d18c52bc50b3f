/** The time of what has not been. */
export const zeroTime = '0001-01-01T00:00:00Z';

/** Microseconds since 1970 of a time in RFC 3339 (finer parts are rounded up, so that nothing earlier is meant); null when it is none. */
export function parseTime(text: string): number | null {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (parts === null) return null;
  const [, day = '', time, fraction = '', zone] = parts;
  const seconds = Date.parse(`${day}T${time}${zone}`);
  // a day that its month has not would be one of the next month
  if (Number.isNaN(seconds) || !new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day)) return null;
  return seconds * 1000 + Math.ceil(Number(fraction.padEnd(9, '0')) / 1000);
}

/** The clock of streams. */
export interface Clock {
  /** Microseconds since 1970; never goes back. */
  nowUs(): number;
  /** From now on it is not before that time. */
  notBefore(timeUs: number): void;
}

/** How far the finer clock may be from the wall clock before it is set anew. */
const driftMaxUs = 2_000;

/** The wall clock, in steps of a microsecond; when it is set back this one stands until that has caught up. */
export class WallClock implements Clock {
  #lastUs = 0;
  #originMs = performance.timeOrigin;

  notBefore(timeUs: number): void {
    this.#lastUs = Math.max(this.#lastUs, timeUs);
  }

  nowUs(): number {
    const wallMs = Date.now();
    let nowUs = Math.floor((this.#originMs + performance.now()) * 1000);
    if (Math.abs(nowUs - wallMs * 1000) > driftMaxUs) {
      this.#originMs = wallMs - performance.now();
      nowUs = wallMs * 1000;
    }
    this.#lastUs = Math.max(this.#lastUs, nowUs);
    return this.#lastUs;
  }
}
