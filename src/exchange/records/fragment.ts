import { copyBytes } from '../../base/bytes.js';
import { recordKind } from './kinds.js';

/*
 * A slice of a larger record:
 *
 *     0        4      8       12       16
 *     | length | kind | total | offset | bytes of the record, from `offset` on ... |
 *
 * Its length is 16 and the slice, aligned; the slice ends where the record does, or where the fragment does.
 */
const totalWord = 2;
const offsetWord = 3;
export const fragmentHeaderBytes = 16;

/** Writes `slice` bytes of a record that is `total` bytes long, from `offset` on, as a fragment of `lengthBytes`. */
export function writeFragment(
  words: Int32Array,
  bytes: Uint8Array,
  index: number,
  lengthBytes: number,
  record: Uint8Array,
  total: number,
  offset: number,
  slice: number,
): void {
  const word = index >> 2;
  words[word] = lengthBytes;
  words[word + 1] = recordKind.fragment;
  words[word + totalWord] = total;
  words[word + offsetWord] = offset;
  copyBytes(bytes, index + fragmentHeaderBytes, record, offset, offset + slice);
}

/** Length of the record that a fragment is a slice of. */
export function fragmentTotal(words: Int32Array, index: number): number {
  return words[(index >> 2) + totalWord];
}

/** Where the fragment's slice begins in its record. */
export function fragmentOffset(words: Int32Array, index: number): number {
  return words[(index >> 2) + offsetWord];
}

/** Puts a fragment's slice where it belongs in its record; returns whether the record is whole. */
export function takeFragment(words: Int32Array, bytes: Uint8Array, index: number, record: Uint8Array): boolean {
  const offset = fragmentOffset(words, index);
  const slice = Math.min(words[index >> 2] - fragmentHeaderBytes, record.length - offset);
  const start = index + fragmentHeaderBytes;
  record.set(bytes.subarray(start, start + slice), offset);
  return offset + slice === record.length;
}
