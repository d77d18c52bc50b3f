import type { Page, ShardSummary, WalkName, Walks } from '../base/reports.js';
import type { ShardStatistics } from '../base/statistics.js';
import type { HistogramName, TallyName } from '../base/tally.js';
import type { BrokerOptions } from '../options/brokerOptions.js';
import type { ServerInfo } from '../protocol/info.js';

/** Options that are told: none of them is a secret. */
export const toldOptionNames = [
  'host',
  'port',
  'wsPort',
  'wsCompression',
  'shards',
  'serverName',
  'data',
  'domain',
  'streamMemoryBytes',
  'maxConnections',
  'maxSubscriptions',
  'maxControlLineBytes',
  'maxPayloadBytes',
  'maxPendingBytes',
  'authTimeoutMs',
  'pingIntervalMs',
  'pingMax',
  'writeDeadlineMs',
  'lameDuckDurationMs',
] as const satisfies readonly (keyof BrokerOptions)[];

export type ToldOptions = Pick<BrokerOptions, (typeof toldOptionNames)[number]>;

/** What the main thread knows of the broker; it tells the monitor whenever that changes. */
export interface Facts {
  readonly info: ServerInfo;
  readonly options: ToldOptions;
  /** Where WebSocket clients are listened to; null where they are not. */
  readonly webSocketPort: number | null;
  /** When the broker was started, and when it took its options, in milliseconds since 1970. */
  readonly startMs: number;
  readonly configuredMs: number;
  /** Whether there is a system account that somebody may log in to. */
  readonly hasSystem: boolean;
  /** Why streams on disk take nothing any more; null while they do. */
  readonly failure: string | null;
}

/** Where answers come from. */
export interface Sources {
  readonly facts: Facts;
  readonly tallies: Readonly<Record<TallyName, number>>;
  readonly histograms: Readonly<Record<HistogramName, Float64Array>>;
  /** The same by shard. */
  readonly shardTallies: readonly Readonly<Record<TallyName, number>>[];
  /** Connections that are open, and those that wait for their first words among them. */
  readonly connections: number;
  /** Where the monitor itself is reached, and how often it was asked for what. */
  readonly address: { readonly host: string; readonly port: number };
  readonly requests: ReadonlyMap<string, number>;
  summaries(): Promise<readonly ShardSummary[]>;
  statistics(): Promise<readonly ShardStatistics[]>;
  /** Names of a stream's consumers; null when there is no such stream. */
  consumersOf(stream: string): Promise<readonly string[] | null>;
  /** Tells what each shard has, a page at a time: by shard, one behind the other or beside each other. */
  walk<K extends WalkName>(name: K, asked: Walks[K]['asked'], shard: number): AsyncGenerator<Page<K>>;
  readonly shards: number;
}

/** What all shards have, in all. */
export async function totals(sources: Pick<Sources, 'summaries'>): Promise<ShardSummary> {
  return sumSummaries(await sources.summaries());
}

export function sumSummaries(all: readonly ShardSummary[]): ShardSummary {
  const total = (name: keyof ShardSummary): number => all.reduce((sum, summary) => sum + summary[name], 0);
  return {
    // each shard knows all of it
    interest: all.reduce((most, { interest }) => Math.max(most, interest), 0),
    topics: total('topics'),
    pendingBytes: total('pendingBytes'),
    streams: total('streams'),
    consumers: total('consumers'),
    messages: total('messages'),
    memoryBytes: total('memoryBytes'),
    fileBytes: total('fileBytes'),
    reservedMemoryBytes: total('reservedMemoryBytes'),
    reservedFileBytes: total('reservedFileBytes'),
    answered: total('answered'),
    failed: total('failed'),
  };
}

/** Tells what all shards have, as it comes, with which of them it is. */
export async function* fromAllShards<K extends WalkName>(
  sources: Pick<Sources, 'walk' | 'shards'>,
  name: K,
  asked: Walks[K]['asked'],
): AsyncGenerator<readonly [shard: number, page: Page<K>]> {
  const walks = Array.from({ length: sources.shards }, (_, shard) => sources.walk(name, asked, shard));
  const next = async (shard: number) => ({ shard, result: await (walks[shard] as AsyncGenerator<Page<K>>).next() });
  const coming = new Map(walks.map((_, shard) => [shard, next(shard)]));
  try {
    while (coming.size > 0) {
      const { shard, result } = await Promise.race(coming.values());
      coming.delete(shard);
      if (result.done === true) continue;
      coming.set(shard, next(shard));
      yield [shard, result.value];
    }
  } finally {
    await Promise.all(walks.map((walk) => walk.return(undefined)));
  }
}
