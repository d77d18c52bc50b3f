import type { ShardSummary, WalkName, Walks } from '../base/reports.js';
import type { TallyName } from '../base/tally.js';
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
  /** Why streams on disk take nothing any more; null while they do. */
  readonly failure: string | null;
}

/** Where answers come from. */
export interface Sources {
  readonly facts: Facts;
  readonly tallies: Readonly<Record<TallyName, number>>;
  /** Connections that are open, and those that wait for their first words among them. */
  readonly connections: number;
  /** Where the monitor itself is reached, and how often it was asked for what. */
  readonly address: { readonly host: string; readonly port: number };
  readonly requests: ReadonlyMap<string, number>;
  summaries(): Promise<readonly ShardSummary[]>;
  /** Names of a stream's consumers; null when there is no such stream. */
  consumersOf(stream: string): Promise<readonly string[] | null>;
  /** Tells what each shard has, a page at a time: by shard, one behind the other or beside each other. */
  walk<K extends WalkName>(
    name: K,
    asked: Walks[K]['asked'],
    shard: number,
  ): AsyncGenerator<readonly Walks[K]['told'][]>;
  readonly shards: number;
}

/** What all shards have, in all. */
export async function totals(sources: Pick<Sources, 'summaries'>): Promise<ShardSummary> {
  const all = await sources.summaries();
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

/** Tells what all shards have, one shard behind the other, with which of them it is. */
export async function* fromAllShards<K extends WalkName>(
  sources: Pick<Sources, 'walk' | 'shards'>,
  name: K,
  asked: Walks[K]['asked'],
): AsyncGenerator<readonly [shard: number, page: readonly Walks[K]['told'][]]> {
  for (let shard = 0; shard < sources.shards; shard++)
    for await (const page of sources.walk(name, asked, shard)) yield [shard, page];
}
