import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Between two censuses of a poll: each has every thread collect its garbage, and who asks without a pause takes all cores from others. */
export const censusPauseMs = 1_000;

/** Bytes of this thread's heap that are in use once all garbage is gone. */
export function heapBytes(): number {
  // memory of array buffers is swept behind a collection: the next one waits for that
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
