import type { BrokerStatistics, ShardState } from '../base/brokerStatistics.js';
import { bucketCount, countIn, mergeHistograms, quantile } from '../base/histogram.js';
import type { PolicyName } from '../base/policy.js';
import type { ShardSummary } from '../base/reports.js';
import type {
  CountedTopic,
  DurationSummary,
  RecentDurations,
  ShardStatistics,
  SubscriberCount,
  TopicCount,
} from '../base/statistics.js';
import type { HistogramName, TallyName } from '../base/tally.js';
import { type RowTimes, readTimes } from '../base/topicTimes.js';

export type Histograms = Readonly<Record<HistogramName, Float64Array>>;

/** What statistics are made of. */
export interface StatisticsSources {
  readonly startMs: number;
  readonly connections: number;
  readonly tallies: Readonly<Record<TallyName, number>>;
  /** The same by shard. */
  readonly shardTallies: readonly Readonly<Record<TallyName, number>>[];
  readonly histograms: Histograms;
  readonly summary: ShardSummary;
  readonly shards: readonly ShardStatistics[];
}

export function makeStatistics(sources: StatisticsSources): BrokerStatistics {
  const { tallies, summary, shards } = sources;
  const topics = sumBy(shards.flatMap(timedTopics), topicKey, addTopics).map(countOf).filter(isTold);
  const subscribers = sumBy(
    shards.flatMap((shard) => shard.subscribers),
    subscriberKey,
    addSubscribers,
  );
  const named = subscribers.reduce((sum, { delivered }) => sum + delivered, 0);
  const total = (count: (shard: ShardStatistics) => number): number =>
    shards.reduce((sum, each) => sum + count(each), 0);
  return {
    uptimeSeconds: (Date.now() - sources.startMs) / 1000,
    connections: {
      open: sources.connections,
      accepted: tallies.accepted,
      refused: tallies.refused,
      slow: tallies.slowConsumers,
      stale: tallies.staleConnections,
      authFailures: tallies.authFailures,
      authTimeouts: tallies.authTimeouts,
    },
    subscriptions: tallies.subscribed - tallies.unsubscribed,
    received: { messages: tallies.inMessages, bytes: tallies.inBytes },
    sent: { messages: tallies.outMessages, bytes: tallies.outBytes },
    published: total(({ published }) => published),
    topics,
    otherPublished: total(({ otherPublished }) => otherPublished),
    subscribers,
    otherDelivered: Math.max(0, tallies.outMessages - named),
    dropped: droppedOf(tallies),
    replaced: tallies.replaced,
    skipped: tallies.skipped,
    deadLetters: { published: tallies.deadLetters, denied: tallies.lettersDenied, lost: tallies.lettersLost },
    spans: { exported: tallies.spansExported, failed: tallies.spansFailed, dropped: tallies.spansDropped },
    parked: { now: total(({ parked }) => parked), ...parkedOf(tallies) },
    durations: {
      readToWritten: summarize(sources.histograms.readToWritten),
      turn: summarize(sources.histograms.turn),
      delay: summarize(sources.histograms.delay),
      commit: summarize(sources.histograms.commit),
      handler: summarize(sources.histograms.handler),
    },
    shards: shards.map((shard) => stateOf(shard, sources.shardTallies[shard.shard])),
    pendingBytes: summary.pendingBytes,
    streams: {
      streams: summary.streams,
      consumers: summary.consumers,
      messages: summary.messages,
      memoryBytes: summary.memoryBytes,
      fileBytes: summary.fileBytes,
      requests: summary.answered,
      failedRequests: summary.failed,
    },
  };
}

function summarize(numbers: Float64Array): DurationSummary {
  const at = (part: number): number => quantile(numbers, part) / 1e6;
  return {
    count: countIn(numbers),
    totalSeconds: (numbers[bucketCount] as number) / 1e6,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
  };
}

function droppedOf(tallies: Readonly<Record<TallyName, number>>): Record<PolicyName, number> {
  return {
    disconnect: tallies.droppedByDisconnect,
    'drop-new': tallies.droppedByDropNew,
    'drop-old': tallies.droppedByDropOld,
    block: tallies.droppedByBlock,
    conflate: tallies.droppedByConflate,
  };
}

function parkedOf(tallies: Readonly<Record<TallyName, number>>): Pick<BrokerStatistics['parked'], 'times' | 'seconds'> {
  return {
    times: {
      memory: tallies.parkedForMemory,
      subscribers: tallies.parkedForSubscribers,
      room: tallies.parkedForRoom,
      other: tallies.parkedForOthers,
    },
    seconds: {
      memory: tallies.parkedMsForMemory / 1000,
      subscribers: tallies.parkedMsForSubscribers / 1000,
      room: tallies.parkedMsForRoom / 1000,
      other: tallies.parkedMsForOthers / 1000,
    },
  };
}

function stateOf(
  { shard, lanes, journals, memory }: ShardStatistics,
  tallies: Readonly<Record<TallyName, number>> | undefined,
): ShardState {
  const { turns = 0, turnMs = 0, delays = 0, delayMs = 0 } = tallies ?? {};
  return { shard, turns, turnSeconds: turnMs / 1000, delays, delaySeconds: delayMs / 1000, lanes, journals, memory };
}

interface TimedTopic {
  readonly topic: string;
  readonly published: number;
  readonly times: readonly RowTimes[];
}

function timedTopics({ topics, times }: ShardStatistics): TimedTopic[] {
  return topics.map(({ topic, published, slot }: CountedTopic) => {
    const own = times === null ? null : readTimes(times, slot);
    return { topic, published, times: own === null ? [] : [own] };
  });
}

function countOf({ topic, published, times }: TimedTopic): TopicCount {
  return { topic, published, readToWritten: times.length === 0 ? null : recentOf(times) };
}

const isTold = ({ published, readToWritten }: TopicCount): boolean => published > 0 || readToWritten !== null;

function recentOf(times: readonly RowTimes[]): RecentDurations {
  const lately = summarize(mergeHistograms(times.map((each) => each.lately)));
  const count = times.reduce((sum, each) => sum + each.count, 0);
  const microseconds = times.reduce((sum, each) => sum + each.microseconds, 0);
  return {
    ...lately,
    recentCount: Math.round(lately.count),
    count: Math.round(count),
    totalSeconds: microseconds / 1e6,
  };
}

const topicKey = ({ topic }: TimedTopic): string => topic;
const subscriberKey = ({ topic, subscriber, policy }: SubscriberCount): string => `${topic} ${subscriber} ${policy}`;

function addTopics(one: TimedTopic, other: TimedTopic): TimedTopic {
  const times = [...one.times, ...other.times];
  return { topic: one.topic, published: one.published + other.published, times };
}

function addSubscribers(one: SubscriberCount, other: SubscriberCount): SubscriberCount {
  return {
    topic: one.topic,
    subscriber: one.subscriber,
    policy: one.policy,
    subscriptions: one.subscriptions + other.subscriptions,
    delivered: one.delivered + other.delivered,
    dropped: one.dropped + other.dropped,
    replaced: one.replaced + other.replaced,
    waiting: one.waiting + other.waiting,
  };
}

/** What several threads count of the same, as one. */
function sumBy<T>(counts: readonly T[], keyOf: (count: T) => string, add: (one: T, other: T) => T): T[] {
  const sums = new Map<string, T>();
  for (const count of counts) {
    const key = keyOf(count);
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? count : add(sum, count));
  }
  return [...sums.values()];
}
