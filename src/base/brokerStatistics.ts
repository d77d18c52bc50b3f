import type { PolicyName } from './policy.js';
import type { DurationSummary, HeldMemory, JournalCount, LaneFill, SubscriberCount, TopicCount } from './statistics.js';

/** Why publishers wait: memory is short, subscribers are waited for, a lane or a shard has no room, or something else, such as a plan that is made. */
export const parkCauses = ['memory', 'subscribers', 'room', 'other'] as const;
export type ParkCause = (typeof parkCauses)[number];

/** What a broker has done and holds, in all and by the busiest subjects and subscribers. Counts begin with the broker and only grow. */
export interface BrokerStatistics {
  readonly uptimeSeconds: number;
  readonly connections: {
    readonly open: number;
    readonly accepted: number;
    readonly refused: number;
    readonly slow: number;
    readonly stale: number;
    readonly authFailures: number;
    readonly authTimeouts: number;
  };
  readonly subscriptions: number;
  /** What clients of the network have said and were sent. */
  readonly received: { readonly messages: number; readonly bytes: number };
  readonly sent: { readonly messages: number; readonly bytes: number };
  /** Messages that were put in order, or that nobody wanted, whoever published them. */
  readonly published: number;
  readonly topics: readonly TopicCount[];
  /** Of subjects that have no count of their own. */
  readonly otherPublished: number;
  readonly subscribers: readonly SubscriberCount[];
  /** Deliveries to subscriptions that have no counts of their own. */
  readonly otherDelivered: number;
  /** By what was lost by: each policy; `conflate` has replaced messages by newer ones. */
  readonly dropped: Readonly<Record<PolicyName, number>>;
  readonly replaced: number;
  /** Deliveries that connections far behind were not sent (`--no-fast-producer-stall`). */
  readonly skipped: number;
  /** Dead letters: that were published, that may not be published where they were to go, and for which there was no room. */
  readonly deadLetters: { readonly published: number; readonly denied: number; readonly lost: number };
  /** Spans of messages (`otel`): that were exported, that the collector has not taken, and for which there was no room. */
  readonly spans: { readonly exported: number; readonly failed: number; readonly dropped: number };
  /** Publishers that had to wait: how often, for how long in all, and how many do now. */
  readonly parked: {
    readonly now: number;
    readonly times: Readonly<Record<ParkCause, number>>;
    readonly seconds: Readonly<Record<ParkCause, number>>;
  };
  readonly durations: {
    /** Messages of clients, from when they are read to when what they cause on the same thread is written, or is in the lanes to others. */
    readonly readToWritten: DurationSummary;
    /** Turns of shards' loops. */
    readonly turn: DurationSummary;
    /** How late a timer of 100 ms came. */
    readonly delay: DurationSummary;
    /** Writes of blocks to journals. */
    readonly commit: DurationSummary;
    /** Handlers in process, until what they return has settled; of short ones some are timed, for all. */
    readonly handler: DurationSummary;
  };
  readonly shards: readonly ShardState[];
  readonly pendingBytes: number;
  readonly streams: {
    readonly streams: number;
    readonly consumers: number;
    readonly messages: number;
    readonly memoryBytes: number;
    readonly fileBytes: number;
    readonly requests: number;
    readonly failedRequests: number;
  };
}

/** What a shard's thread does and holds. */
export interface ShardState {
  readonly shard: number;
  /** Turns of its loop in which there was something to do, and how long they took. */
  readonly turns: number;
  readonly turnSeconds: number;
  /** How often it was looked how late a timer is, and how late all together. */
  readonly delays: number;
  readonly delaySeconds: number;
  readonly lanes: readonly LaneFill[];
  readonly journals: readonly JournalCount[];
  readonly memory: HeldMemory;
}
