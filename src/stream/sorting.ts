import type { Steps } from './steps.js';

/** So many are sorted, or put in place, in one step. */
export const sortedAtOnce = 512;

/** Sorts very many in steps, as a merge does; those that are alike stay in their order. */
export function* sorted<T>(items: readonly T[], compare: (one: T, other: T) => number): Steps<T[]> {
  let from: T[] = [];
  for (let at = 0; at < items.length; at += sortedAtOnce) {
    for (const item of items.slice(at, at + sortedAtOnce).sort(compare)) from.push(item);
    yield;
  }
  for (let length = sortedAtOnce; length < items.length; length *= 2) {
    const into: T[] = [];
    for (let at = 0; at < items.length; at += 2 * length) yield* merge(from, at, length, into, compare);
    from = into;
  }
  return from;
}

/** Appends two runs that stand next to each other, as one. */
function* merge<T>(
  from: readonly T[],
  start: number,
  length: number,
  into: T[],
  compare: (one: T, other: T) => number,
): Steps {
  const middle = Math.min(start + length, from.length);
  const end = Math.min(middle + length, from.length);
  let one = start;
  let other = middle;
  while (one < middle || other < end) {
    if (into.length % sortedAtOnce === 0) yield;
    const takesOne = other === end || (one < middle && compare(from[one] as T, from[other] as T) <= 0);
    into.push(from[takesOne ? one++ : other++] as T);
  }
}
