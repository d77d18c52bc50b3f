/** The same work done twice: as the broker does it, and as one would at first. */
export interface Pair {
  /** What is done, and how large: the name of its row. */
  readonly name: string;
  /** What the baseline does. */
  readonly baseline: string;
  /** Messages (or look-ups) that one call handles: figures are per message. */
  readonly messages: number;
  ours(): void;
  naive(): void | Promise<void>;
  /** Ends what the baseline needed. */
  close?(): void;
}

/** Keeps a result in use, so that the compiler cannot leave out what made it. */
export function keep(value: number): void {
  kept = (kept + value) | 0;
}

let kept = 0;
