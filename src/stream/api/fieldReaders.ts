import type { Decoding } from './decoding.js';
import type { Parsed } from './json.js';

/** Reads a field's value; `decoding` remembers what is wrong with it. */
export type Reader<T> = (decoding: Decoding, value: Parsed, path: string) => T;
export const readText: Reader<string> = (decoding, value, path) => decoding.text(value, path);
export const flag: Reader<boolean> = (decoding, value, path) => decoding.flag(value, path);
export const whole =
  (goType: 'int' | 'int32' | 'int64' | 'uint64' | 'time.Duration'): Reader<bigint> =>
  (decoding, value, path) =>
    decoding.whole(value, path, goType);

/** One of some words; the first is what a field says that says none of them. */
export const choice =
  <T extends string>(fallback: T, ...others: T[]): Reader<T> =>
  (decoding, value) =>
    decoding.choice(value, [fallback, ...others], fallback);

export const choiceInAnyCase =
  <T extends string>(fallback: T, ...others: T[]): Reader<T> =>
  (decoding, value) => {
    const words = [fallback, ...others];
    // what is none of them is told as it was written
    const word = words.find((each) => typeof value === 'string' && each === value.toLowerCase());
    return decoding.choice(word ?? value, words, fallback);
  };
