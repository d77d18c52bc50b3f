/** Work that can be left and gone on with later: it yields after every slice of some hundred things. */
export type Sliced<T> = Generator<void, T>;

/** How many things are done between two looks whether the share of work is spent. */
export const sliceThings = 256;

/** Does all of it at once. */
export function complete<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
