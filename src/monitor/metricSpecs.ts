import { type BrokerStatistics, parkCauses, type ShardState } from '../base/brokerStatistics.js';
import { policyNames } from '../base/policy.js';
import type { HeldMemory, SubscriberCount } from '../base/statistics.js';
import type { ConsumerLag } from './consumerLags.js';
import type { Facts } from './sources.js';
import type { Histograms } from './statistics.js';

/** What a scrape tells. */
export interface Observed {
  readonly statistics: BrokerStatistics;
  readonly histograms: Histograms;
  readonly lags: readonly ConsumerLag[];
  readonly facts: Facts;
  readonly requests: ReadonlyMap<string, number>;
  readonly wrongRequests: number;
}

type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (observed: Observed) => readonly Sample[];
}

/** Instead of a subject, for those that are not shown by themselves: no subject has a blank. */
const allOthers = 'all others';

type One = (statistics: BrokerStatistics) => number;
const one = (read: One) => ({
  labels: [],
  read: ({ statistics }: Observed): Sample[] => [[{}, read(statistics)]],
});
const counter = (name: string, help: string, read: One): MetricSpec => ({ name, type: 'counter', help, ...one(read) });
const gauge = (name: string, help: string, read: One): MetricSpec => ({ name, type: 'gauge', help, ...one(read) });

/** Of each shard's thread. */
const byShard = (
  name: string,
  type: MetricSpec['type'],
  help: string,
  labels: readonly string[],
  read: (shard: ShardState) => readonly Sample[],
): MetricSpec => ({
  name,
  type,
  help,
  labels: ['shard', ...labels],
  read: ({ statistics }) =>
    statistics.shards.flatMap((each) =>
      read(each).map(([own, value]): Sample => [{ shard: `${each.shard}`, ...own }, value]),
    ),
});

function publishedByTopic({ topics, otherPublished }: BrokerStatistics): Sample[] {
  const rows = topics.map(({ topic, published }): Sample => [{ topic }, published]);
  return [...rows, [{ topic: allOthers }, otherPublished]];
}

function deliveredBySubscriber({ subscribers, otherDelivered }: BrokerStatistics): Sample[] {
  const rows = subscribers.map(({ topic, subscriber, delivered }): Sample => [{ topic, subscriber }, delivered]);
  return [...rows, [{ topic: allOthers, subscriber: allOthers }, otherDelivered]];
}

/** What a policy has lost for a subscriber; conflation loses what it replaces. */
const lostBy = ({ dropped, replaced }: Pick<SubscriberCount, 'dropped' | 'replaced'>): number => dropped + replaced;

function droppedByPolicy({ subscribers, dropped, replaced, skipped }: BrokerStatistics): Sample[] {
  const losing = subscribers.filter((each) => lostBy(each) > 0);
  const samples = losing.map(
    (each): Sample => [{ topic: each.topic, subscriber: each.subscriber, policy: each.policy }, lostBy(each)],
  );
  for (const policy of policyNames) {
    const all = dropped[policy] + (policy === 'conflate' ? replaced : 0);
    const named = losing.reduce((sum, each) => (each.policy === policy ? sum + lostBy(each) : sum), 0);
    samples.push([{ topic: allOthers, subscriber: allOthers, policy }, Math.max(0, all - named)]);
  }
  samples.push([{ topic: allOthers, subscriber: allOthers, policy: 'skip' }, skipped]);
  return samples;
}

function lagOf({ statistics, lags }: Observed): Sample[] {
  const waiting = statistics.subscribers
    .filter(({ waiting: messages, dropped, replaced }) => messages + dropped + replaced > 0)
    .map(({ topic, subscriber, waiting: messages }): Sample => [{ topic, subscriber }, messages]);
  return [...waiting, ...lags.map(({ stream, consumer, pending }): Sample => [{ stream, consumer }, pending])];
}

const memoryKinds: Readonly<Record<keyof HeldMemory, string>> = {
  heap: 'heap',
  output: 'output',
  backlogs: 'backlogs',
  input: 'input',
  work: 'work',
  spare: 'spare',
  subscriptions: 'subscriptions',
  topics: 'topics',
  lastValues: 'last_values',
};

export const metricSpecs: readonly MetricSpec[] = [
  {
    name: 'events_published_total',
    type: 'counter',
    help: 'Messages that were put in order, or that nobody wanted, by subject: the busiest ones, and all others in one.',
    labels: ['topic'],
    read: ({ statistics }) => publishedByTopic(statistics),
  },
  {
    name: 'events_delivered_total',
    type: 'counter',
    help: 'Deliveries to clients by what was subscribed to and the name of the connection, or its number.',
    labels: ['topic', 'subscriber'],
    read: ({ statistics }) => deliveredBySubscriber(statistics),
  },
  {
    name: 'events_dropped_total',
    type: 'counter',
    help: 'Messages that subscribers lost by their policy; conflate: replaced by newer ones; skip: not sent to a connection far behind.',
    labels: ['topic', 'subscriber', 'policy'],
    read: ({ statistics }) => droppedByPolicy(statistics),
  },
  {
    name: 'shardcast_dead_letters_total',
    type: 'counter',
    help: 'Dead letters, by what became of them: published, denied by rights or unknown topics, lost for want of room.',
    labels: ['outcome'],
    read: ({ statistics }) => Object.entries(statistics.deadLetters).map(([outcome, count]) => [{ outcome }, count]),
  },
  {
    name: 'shardcast_spans_total',
    type: 'counter',
    help: 'Spans of messages (--otel), by what became of them: exported, failed (not taken by the collector), dropped for want of room.',
    labels: ['outcome'],
    read: ({ statistics }) => Object.entries(statistics.spans).map(([outcome, count]) => [{ outcome }, count]),
  },
  {
    name: 'lag',
    type: 'gauge',
    help: 'Messages that wait: for subscriptions with a policy (topic, subscriber), for consumers of streams (stream, consumer).',
    labels: ['topic', 'subscriber', 'stream', 'consumer'],
    read: lagOf,
  },
  {
    name: 'shardcast_consumer_unacknowledged_messages',
    type: 'gauge',
    help: 'Messages that consumers of streams were delivered and have not acknowledged.',
    labels: ['stream', 'consumer'],
    read: ({ lags }) => lags.map(({ stream, consumer, unacknowledged }) => [{ stream, consumer }, unacknowledged]),
  },
  {
    name: 'shardcast_info',
    type: 'gauge',
    help: '1, with what the server is as labels.',
    labels: ['name', 'id', 'version', 'node'],
    read: ({ facts: { info } }) => [
      [{ name: info.server_name, id: info.server_id, version: `${info.shardcast}`, node: info.go }, 1],
    ],
  },
  gauge('shardcast_uptime_seconds', 'Seconds since the broker was started.', (all) => all.uptimeSeconds),
  {
    name: 'shardcast_storage_failed',
    type: 'gauge',
    help: '1 when a disk has failed, so that streams on it take nothing; else 0.',
    labels: [],
    read: ({ facts }) => [[{}, facts.failure === null ? 0 : 1]],
  },
  gauge('shardcast_connections', 'Connections of clients that are open.', (all) => all.connections.open),
  counter('shardcast_connections_accepted_total', 'Connections that were taken.', (all) => all.connections.accepted),
  counter(
    'shardcast_connections_refused_total',
    'Connections that were sent away, since there were too many or the system had nothing left for them.',
    (all) => all.connections.refused,
  ),
  counter(
    'shardcast_slow_consumers_total',
    'Connections that were ended for what waited for them, or since they took nothing for too long.',
    (all) => all.connections.slow,
  ),
  counter(
    'shardcast_stale_connections_total',
    'Connections that were ended since they did not answer PINGs.',
    (all) => all.connections.stale,
  ),
  counter(
    'shardcast_auth_failures_total',
    'Connections that gave wrong credentials.',
    (all) => all.connections.authFailures,
  ),
  counter(
    'shardcast_auth_timeouts_total',
    'Connections that gave no credentials in time.',
    (all) => all.connections.authTimeouts,
  ),
  {
    name: 'shardcast_http_requests_total',
    type: 'counter',
    help: 'Requests to the monitoring port that were answered, by path.',
    labels: ['path'],
    read: ({ requests }) => [...requests].map(([path, count]) => [{ path }, count]),
  },
  {
    name: 'shardcast_http_auth_failures_total',
    type: 'counter',
    help: 'Requests to the monitoring port with wrong credentials.',
    labels: [],
    read: ({ wrongRequests }) => [[{}, wrongRequests]],
  },
  gauge('shardcast_subscriptions', 'Subscriptions of clients.', (all) => all.subscriptions),
  counter('shardcast_received_messages_total', 'Messages that clients have published.', (all) => all.received.messages),
  counter('shardcast_received_bytes_total', 'Bytes of their headers and payloads.', (all) => all.received.bytes),
  counter('shardcast_sent_messages_total', 'Messages that clients were sent.', (all) => all.sent.messages),
  counter('shardcast_sent_bytes_total', 'Bytes of their headers and payloads.', (all) => all.sent.bytes),
  gauge('shardcast_pending_bytes', 'Bytes that wait for connections.', (all) => all.pendingBytes),
  gauge('shardcast_parked_connections', 'Connections whose input waits.', (all) => all.parked.now),
  {
    name: 'shardcast_parked_total',
    type: 'counter',
    help: 'How often a publisher had to wait, by what for: memory, subscribers, room in a lane or shard, other.',
    labels: ['cause'],
    read: ({ statistics }) => parkCauses.map((cause) => [{ cause }, statistics.parked.times[cause]]),
  },
  {
    name: 'shardcast_parked_seconds_total',
    type: 'counter',
    help: 'For how long publishers had to wait, in all, by what for; of those that wait no more.',
    labels: ['cause'],
    read: ({ statistics }) => parkCauses.map((cause) => [{ cause }, statistics.parked.seconds[cause]]),
  },
  byShard('shardcast_turns_total', 'counter', "Turns of a shard's loop that had something to do.", [], (shard) => [
    [{}, shard.turns],
  ]),
  byShard('shardcast_turn_seconds_total', 'counter', 'How long these turns took in all.', [], (shard) => [
    [{}, shard.turnSeconds],
  ]),
  byShard(
    'shardcast_loop_checks_total',
    'counter',
    "How often it was looked how late a shard's event loop is.",
    [],
    (shard) => [[{}, shard.delays]],
  ),
  byShard(
    'shardcast_loop_delay_seconds_total',
    'counter',
    'How late it was at these looks, all together.',
    [],
    (shard) => [[{}, shard.delaySeconds]],
  ),
  byShard(
    'shardcast_lane_fill_ratio',
    'gauge',
    'How full the fullest lane from a shard to another thread is, of 1.',
    ['kind'],
    (shard) => shard.lanes.map(({ kind, fullest }) => [{ kind }, fullest]),
  ),
  byShard(
    'shardcast_lane_outboxes',
    'gauge',
    'Lanes from a shard that have more to pass on than they have room for.',
    ['kind'],
    (shard) => shard.lanes.map(({ kind, outboxes }) => [{ kind }, outboxes]),
  ),
  byShard(
    'shardcast_memory_bytes',
    'gauge',
    "Memory of a shard's thread by what it is held for; the heap has some of the others in it.",
    ['held_for'],
    (shard) =>
      Object.entries(memoryKinds).map(([kind, held_for]) => [{ held_for }, shard.memory[kind as keyof HeldMemory]]),
  ),
  byShard('shardcast_journal_commits_total', 'counter', 'Blocks that a journal has written.', ['journal'], (shard) =>
    shard.journals.map(({ journal, commits }) => [{ journal }, commits]),
  ),
  byShard('shardcast_journal_bytes_total', 'counter', 'Their bytes.', ['journal'], (shard) =>
    shard.journals.map(({ journal, bytes }) => [{ journal }, bytes]),
  ),
  byShard(
    'shardcast_journal_seconds_total',
    'counter',
    'How long it took to write them in all.',
    ['journal'],
    (shard) => shard.journals.map(({ journal, milliseconds }) => [{ journal }, milliseconds / 1000]),
  ),
  byShard('shardcast_journal_waiting_bytes', 'gauge', 'Bytes that a journal has to write yet.', ['journal'], (shard) =>
    shard.journals.map(({ journal, waitingBytes }) => [{ journal }, waitingBytes]),
  ),
  gauge('shardcast_streams', 'Streams.', (all) => all.streams.streams),
  gauge('shardcast_consumers', 'Consumers of streams.', (all) => all.streams.consumers),
  gauge('shardcast_stream_messages', 'Messages in streams.', (all) => all.streams.messages),
  gauge('shardcast_stream_memory_bytes', 'Bytes of messages in streams in memory.', (all) => all.streams.memoryBytes),
  gauge('shardcast_stream_file_bytes', 'Bytes of messages in streams on disk.', (all) => all.streams.fileBytes),
  counter('shardcast_stream_requests_total', 'Requests to the API of streams.', (all) => all.streams.requests),
  counter(
    'shardcast_stream_request_errors_total',
    'Requests to the API of streams that were answered with an error.',
    (all) => all.streams.failedRequests,
  ),
];
