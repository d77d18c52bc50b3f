/**
 * What threads tell of what they hold, for whoever watches the broker from outside: it is asked for a page at a time, so that no turn is long, and
 * all of it can be posted. Times are milliseconds since 1970, texts as people read them.
 */

/** A client's connection. */
export interface ConnectionReport {
  readonly id: number;
  readonly account: number;
  readonly kind: 'nats' | 'websocket' | 'jsonl';
  readonly address: string;
  readonly port: number;
  readonly startMs: number;
  /** When it was last seen to have said or been sent something, within the broker's looks at it. */
  readonly activeMs: number;
  /** When it ended, and why; null while it has not. */
  readonly end: { readonly ms: number; readonly reason: string } | null;
  /** How long it took to answer its last PING; 0 while it was asked for none. */
  readonly rttMs: number;
  readonly pendingBytes: number;
  readonly inMessages: number;
  readonly inBytes: number;
  readonly outMessages: number;
  readonly outBytes: number;
  readonly subscriptions: number;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  /** Who it said to be; '' when it has not. */
  readonly user: string;
  /** Of one that has ended: what it had, as far as that is kept. */
  readonly had?: readonly SubscriptionReport[];
}

export interface SubscriptionReport {
  readonly account: number;
  readonly connection: number;
  readonly subject: string;
  /** '' for none. */
  readonly queue: string;
  readonly sid: string;
  readonly messages: number;
  /** After how many it ends; 0 is never. */
  readonly messagesMax: number;
}

/** A stream, as text of JSON: its numbers may be larger than JavaScript's. */
export interface StreamReport {
  readonly name: string;
  readonly json: string;
}

export interface ConnectionsAsked {
  readonly state: 'open' | 'closed' | 'all';
  /** 0 for any; of others there is only told how many they are. */
  readonly id: number;
  /** '' for any, likewise. */
  readonly user: string;
  /** null for any; of others nothing is told. */
  readonly account: number | null;
}

export interface SubscriptionsAsked {
  /** Of which connections; null for all. */
  readonly connections: readonly number[] | null;
  /** null for any. */
  readonly account: number | null;
  /** Only those that take this subject; '' for all. */
  readonly subject: string;
  /** Of more than so many there is only told how many they are. */
  readonly max: number;
}

/** What is asked for, by what is told. */
export interface Walks {
  connections: { readonly asked: ConnectionsAsked; readonly told: ConnectionReport };
  subscriptions: { readonly asked: SubscriptionsAsked; readonly told: SubscriptionReport };
  streams: { readonly asked: { readonly consumers: boolean; readonly config: boolean }; readonly told: StreamReport };
}

export type WalkName = keyof Walks;

export interface Page<K extends WalkName = WalkName> {
  readonly rows: readonly Walks[K]['told'][];
  /** How many others there are here that were counted, and not told of. */
  readonly passed: number;
  readonly isLast: boolean;
}

/** What all streams of a shard use, and what its part of the API has answered. */
export interface StreamUsage {
  readonly streams: number;
  readonly consumers: number;
  readonly messages: number;
  readonly memoryBytes: number;
  readonly fileBytes: number;
  readonly reservedMemoryBytes: number;
  readonly reservedFileBytes: number;
  /** Requests that were answered, and those of them with an error. */
  readonly answered: number;
  readonly failed: number;
}

/** What a shard has at the moment, in all. */
export interface ShardSummary extends StreamUsage {
  /** Subscription subjects of the whole broker that it knows, and topics that it remembers. */
  readonly interest: number;
  readonly topics: number;
  readonly pendingBytes: number;
}
