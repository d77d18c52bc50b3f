import type { GatewayCensus } from '../gateway/census.js';

/** What one shard's thread holds at the moment. */
export interface ShardCensus extends GatewayCensus {
  readonly shard: number;
  /** Subscription subjects of the whole broker, and names of queue groups, as this thread knows them. */
  readonly interest: number;
  readonly queues: number;
  /** Topics that it remembers; forgotten a while after their last use. */
  readonly topics: number;
  /** Last values that it keeps and what they count for, in bytes; how many were dropped for others or too large, since the start. */
  readonly lastValues: number;
  readonly lastValueBytes: number;
  readonly lastValuesDropped: number;
  /** Messages that the kernel has encoded by itself since the start, of other shards and of known topics; the others took the way through JavaScript. */
  readonly kernelEncoded: number;
  /** Timers that are set. */
  readonly timers: number;
  /** Memory in use on the thread's heap and in its buffers, in bytes; with `--expose-gc` garbage is collected first. */
  readonly memoryBytes: number;
}

/** Timers that are set in this thread. */
export function timersSet(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

export function memoryInUse(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
