import { writeSync } from 'node:fs';

/**
 * The one door to `Atomics`: everything that two threads share goes through the package's `#atomics` import, which is
 * this file, or, under the condition `interleave`, an instrumented double that steps real workers by a seeded turnstile.
 */
export const load = Atomics.load;
export const store = Atomics.store;
export const add = Atomics.add;
export const sub = Atomics.sub;
export const exchange = Atomics.exchange;
export const notify = Atomics.notify;

const oneByte = new Uint8Array(1);

/** Wakes the thread that reads this pipe. One that is full wakes it without another byte. */
export function poke(descriptor: number): void {
  try {
    writeSync(descriptor, oneByte, 0, 1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
}

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: false; value: 'not-equal' | 'timed-out' } | { async: true; value: Promise<'ok' | 'timed-out'> };

/** Typed here because the standard library's types place it behind a later language level than Node 20 needs. */
export const waitAsync = (Atomics as unknown as { waitAsync: WaitAsync }).waitAsync;
