import * as real from '../../src/ring/atomics.js';
import { beginWait, endWait, entered, gate, signal } from './turnstile.js';

/**
 * The double of `src/ring/atomics.ts` that `#atomics` means under the condition `interleave`: every operation stands
 * between two gates of the turnstile, so that the other thread may run between an operation and the plain code around it.
 */
export function load(words: Int32Array, index: number): number {
  gate();
  const value = real.load(words, index);
  gate();
  return value;
}

export const store = changing(real.store);
export const add = changing(real.add);
export const sub = changing(real.sub);
export const exchange = changing(real.exchange);

export function notify(words: Int32Array, index: number): number {
  if (!entered()) return real.notify(words, index);
  gate();
  const woken = endWait(index);
  gate();
  return woken;
}

/** A byte in a pipe is not lost: a signal to the other thread. */
export function poke(_descriptor: number): void {
  gate();
  signal();
  gate();
}

/** Threads outside of a run never wait, so there is no other kind. */
export const waitAsync: typeof real.waitAsync = (words, index, value) => {
  gate();
  if (real.load(words, index) !== value) return { async: false, value: 'not-equal' };
  return { async: true, value: beginWait(index) };
};

type Operation = (words: Int32Array, index: number, value: number) => number;

function changing(operation: Operation): Operation {
  return (words, index, value) => {
    gate();
    const result = operation(words, index, value);
    gate();
    return result;
  };
}
