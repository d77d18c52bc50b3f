import { bucketCount, HistogramWriter, histogramNumbers } from './histogram.js';

/** Behind a histogram's numbers: how many values it has. */
const valuesAt = histogramNumbers;
const windowNumbers = Math.ceil((histogramNumbers + 1) / 8) * 8;
/** Before a row's two windows: how many values there were in all, and their sum in microseconds. */
const headNumbers = 8;
const rowNumbers = headNumbers + 2 * windowNumbers;

const windowAt = (row: number, window: number): number => row * rowNumbers + headNumbers + window * windowNumbers;

/** What one row tells: values since it began, their sum in microseconds, and a histogram of those that came lately. */
export interface RowTimes {
  readonly count: number;
  readonly microseconds: number;
  readonly lately: Float64Array;
}

/**
 * How long messages took, by rows, in memory that one thread writes and any may read: since a row began in all, and lately in two windows, of which one is
 * filled and the other is the one before. So what is told of lately are one to two windows.
 */
export class TopicTimes {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Float64Array;
  readonly #rows: number;
  readonly #writers: readonly (readonly HistogramWriter[])[];
  #window = 0;

  constructor(rows: number) {
    this.#rows = rows;
    this.memory = new SharedArrayBuffer(rows * rowNumbers * Float64Array.BYTES_PER_ELEMENT);
    this.#numbers = new Float64Array(this.memory);
    this.#writers = Array.from({ length: rows }, (_, row) =>
      [0, 1].map((window) => {
        const at = windowAt(row, window);
        return new HistogramWriter(this.#numbers.subarray(at, at + histogramNumbers));
      }),
    );
  }

  add(row: number, milliseconds: number, count: number): void {
    this.#writers[row][this.#window].add(milliseconds, count);
    this.#numbers[windowAt(row, this.#window) + valuesAt] += count;
    this.#numbers[row * rowNumbers] += count;
    this.#numbers[row * rowNumbers + 1] += milliseconds * 1000 * count;
  }

  /** A row is somebody else's from now on. */
  clear(row: number): void {
    if (this.#numbers[row * rowNumbers] > 0) this.#numbers.fill(0, row * rowNumbers, (row + 1) * rowNumbers);
  }

  /** The next window begins. */
  turn(): void {
    this.#window = 1 - this.#window;
    for (let row = 0; row < this.#rows; row++) {
      const at = windowAt(row, this.#window);
      if (this.#numbers[at + valuesAt] > 0) this.#numbers.fill(0, at, at + windowNumbers);
    }
  }
}

/** What a row tells, in whichever thread; null when it has no values. */
export function readTimes(memory: SharedArrayBuffer, row: number): RowTimes | null {
  const numbers = new Float64Array(memory);
  const count = numbers[row * rowNumbers] as number;
  if (count === 0) return null;
  const lately = new Float64Array(histogramNumbers);
  for (const window of [0, 1]) {
    const at = windowAt(row, window);
    if (numbers[at + valuesAt] === 0) continue;
    for (let i = 0; i <= bucketCount; i++) lately[i] += numbers[at + i] as number;
  }
  return { count, microseconds: numbers[row * rowNumbers + 1] as number, lately };
}
