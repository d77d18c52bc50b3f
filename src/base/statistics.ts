import type { PolicyName } from './policy.js';

/** What a shard's thread tells of what it counts and holds, for statistics: bounded, so that it is told at once. */

export interface TopicCount {
  readonly topic: string;
  readonly published: number;
  /** How long its messages of clients took, from when they were read to when what they caused on the same thread was written; null where there were none. */
  readonly readToWritten: RecentDurations | null;
}

/** A topic as its thread counts it, and where its durations are among those of the thread. */
export interface CountedTopic {
  readonly topic: string;
  readonly published: number;
  readonly slot: number;
}

/** How long something took, in seconds, since the start where nothing else is said: each number but the count is exact to a thirty-second of it. */
export interface DurationSummary {
  readonly count: number;
  readonly totalSeconds: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** The same of samples: count and total are of all, about, since it is counted by name; the rest is of the last half to one minute. */
export interface RecentDurations extends DurationSummary {
  readonly recentCount: number;
}

/** What subscriptions to the same subject, of connections of the same name, were delivered and were not. */
export interface SubscriberCount {
  /** The subject as it was subscribed to. */
  readonly topic: string;
  readonly subscriber: string;
  readonly policy: PolicyName;
  readonly subscriptions: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly replaced: number;
  /** Messages that wait for them by their policies. */
  readonly waiting: number;
}

/** Lanes of one kind to other threads: how full the fullest of them is, of 1, and what waits for room in all. */
export interface LaneFill {
  readonly kind: 'control' | 'publish' | 'deliver';
  readonly fullest: number;
  readonly usedBytes: number;
  readonly outboxes: number;
}

export interface JournalCount {
  readonly journal: 'synced' | 'buffered';
  readonly commits: number;
  readonly bytes: number;
  readonly milliseconds: number;
  /** Laid, and not written yet. */
  readonly waitingBytes: number;
}

/** By what it is held for, in bytes. */
export interface HeldMemory {
  readonly heap: number;
  readonly output: number;
  readonly backlogs: number;
  readonly input: number;
  readonly work: number;
  readonly spare: number;
  readonly subscriptions: number;
  readonly topics: number;
  readonly lastValues: number;
}

export interface ShardStatistics {
  readonly shard: number;
  readonly published: number;
  readonly topics: readonly CountedTopic[];
  /** Their durations (`TopicTimes`); null before anything is counted by name. */
  readonly times: SharedArrayBuffer | null;
  readonly otherPublished: number;
  readonly subscribers: readonly SubscriberCount[];
  readonly lanes: readonly LaneFill[];
  readonly journals: readonly JournalCount[];
  readonly memory: HeldMemory;
  /** Connections whose input waits. */
  readonly parked: number;
}
