import { availableParallelism } from 'node:os';
import { whenBound } from '../base/nativeFunction.js';

/** Bytes of a CPU mask: 1,024 CPUs, as in the C library's `cpu_set_t`. */
const maskBytes = 128;

const setAffinity = whenBound('int sched_setaffinity(int thread, size_t length, const void *mask)');

/** Ties the calling thread to one core, counted from the last: the first is left to the main thread. Linux only. */
export function pinThread(shard: number): void {
  if (process.platform !== 'linux') return;
  const cores = availableParallelism();
  const core = cores - 1 - (shard % cores);
  const mask = new Uint8Array(maskBytes);
  mask[core >> 3] = 1 << (core & 7);
  setAffinity()(0, maskBytes, mask);
}
