import { getHeapStatistics } from 'node:v8';

/** So much of the heap that this thread may have, in bytes. */
export function heapPart(part: number): number {
  return Math.floor(getHeapStatistics().heap_size_limit * part);
}
