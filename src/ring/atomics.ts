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

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: false; value: 'not-equal' | 'timed-out' } | { async: true; value: Promise<'ok' | 'timed-out'> };

/** Typed here because the standard library's types place it behind a later language level than Node 20 needs. */
export const waitAsync = (Atomics as unknown as { waitAsync: WaitAsync }).waitAsync;
