/** What two threads do with the memory they share. A thread that finds something wrong throws. */
export interface Scenario {
  /** Bugs that can be planted: the harness has to find each in most seeds, else it could not find a real one. */
  readonly planted: readonly string[];
  /** The memory for one run. */
  memory(seed: number): SharedArrayBuffer[];
  readonly threads: readonly [Thread, Thread];
}

/** @param plant the planted bug, or '' for the code as it is */
export type Thread = (memory: SharedArrayBuffer[], seed: number, plant: string) => void | Promise<void>;

/** What the main thread tells a worker for one run, and what it answers: '' when all was well. */
export interface Run {
  scenario: string;
  turnstile: SharedArrayBuffer;
  memory: SharedArrayBuffer[];
  seed: number;
  plant: string;
}

export type Answer = string;

export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}
