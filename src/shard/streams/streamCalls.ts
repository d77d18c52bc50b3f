import type { StreamUsage } from '../../base/reports.js';
import type { StreamSummary } from '../../stream/api/streamInfo.js';
import type { StreamConfig } from '../../stream/streamConfig.js';

/** Why a call has failed: what the client is to be told. */
export interface CallFailure {
  readonly code: number;
  readonly errCode: number;
  readonly description: string;
}

/** What the shard that decides on streams asks of the one that has a stream. What is given and answered can be posted to another thread. */
export type StreamCalls = {
  createStream(config: StreamConfig): StreamSummary | CallFailure;
  updateStream(config: StreamConfig): StreamSummary | CallFailure;
  destroyStream(name: string): CallFailure | null;
  /** Those of these names that are there. */
  streams(names: readonly string[]): readonly StreamSummary[];
  streamUsage(): StreamUsage;
};

/** The streams of all shards, as the shard that decides sees them. */
export interface StreamShards {
  /** Resolves with the answer, or with null when the shard is gone. */
  call<K extends keyof StreamCalls>(
    shard: number,
    name: K,
    ...given: Parameters<StreamCalls[K]>
  ): Promise<ReturnType<StreamCalls[K]> | null>;
}

export function isFailure(answer: object): answer is CallFailure {
  return 'errCode' in answer;
}
