import type { Bars, LoadScenario, RequestScenario, Scenario } from './scenario.js';

const NATS = 'nats-server';

function load(scenario: Omit<LoadScenario, 'kind'>): LoadScenario {
  return { kind: 'load', ...scenario };
}

type RequestLoad = Partial<Omit<RequestScenario, 'kind' | 'bars'>> & Pick<RequestScenario, 'id' | 'name'>;

function requests(scenario: RequestLoad, bars: Bars): RequestScenario {
  const usual = { clients: 10, inFlight: 8, workers: 4, answers: 1, payloadBytes: 16, inboxPrefix: '_INBOX' };
  return { kind: 'requests', ...usual, ...scenario, bars: { against: NATS, ...bars } };
}

/** Two publishers and four subscribers of a random 30 of 100 topics, at a pace at which nothing is behind. */
function light(ratePerSecond: number, shards: number, bars: Bars): LoadScenario {
  return load({
    id: `light-${ratePerSecond}-shards${shards}`,
    name: `2->4 30 random of 100 topics 32 B at ${ratePerSecond.toLocaleString('en-US')}/s --shards ${shards}`,
    publishers: 2,
    subscribers: 4,
    topics: { kind: 'random-sets', count: 100, perSubscriber: 30 },
    payloadBytes: 32,
    ratePerSecond,
    shardcastArgs: ['--shards', String(shards)],
    bars: { against: NATS, p50RatioMax: 1, p99RatioMax: shards === 1 ? 1 : 2, ...bars },
  });
}

/** Every scenario, as data; those with `bars` are the rows Shardcast has promised. */
export const scenarios: readonly Scenario[] = [
  load({
    id: '1-1-16',
    name: '1->1 16 B',
    publishers: 1,
    subscribers: 1,
    topics: { kind: 'one' },
    payloadBytes: 16,
    bars: { against: NATS, throughputRatioMin: 1.5, cpuRatioMax: 0.65 },
  }),
  load({
    id: '1-10-16',
    name: '1->10 16 B',
    publishers: 1,
    subscribers: 10,
    topics: { kind: 'one' },
    payloadBytes: 16,
    bars: { against: NATS, throughputRatioMin: 3.5, cpuRatioMax: 0.3 },
  }),
  load({
    id: '1-1-1000t',
    name: '1->1 1,000 rotating topics 16 B',
    publishers: 1,
    subscribers: 1,
    topics: { kind: 'rotating', count: 1_000 },
    payloadBytes: 16,
    bars: { against: NATS, throughputRatioMin: 1.6, cpuRatioMax: 0.6 },
  }),
  load({
    id: '4-20-100t',
    name: '4->20 100 rotating topics 100 B',
    publishers: 4,
    subscribers: 20,
    topics: { kind: 'rotating', count: 100 },
    payloadBytes: 100,
    bars: { against: NATS, throughputRatioMin: 3, cpuRatioMax: 0.3 },
  }),
  load({
    id: '200-200',
    name: '200->200 200 topics 64 B',
    publishers: 200,
    subscribers: 200,
    topics: { kind: 'per-pair', count: 200 },
    payloadBytes: 64,
    bars: { against: NATS, throughputRatioMin: 3, cpuRatioMax: 0.25, peakMemoryMbMax: 400 },
  }),
  load({
    id: '2-2-shards2',
    name: '2->2 2 topics 64 B --shards 2',
    publishers: 2,
    subscribers: 2,
    topics: { kind: 'per-pair', count: 2 },
    payloadBytes: 64,
    shardcastArgs: ['--shards', '2'],
    bars: { against: NATS, throughputRatioMin: 1.2, cpuRatioMax: 0.9 },
  }),
  load({
    id: '1-10-50k',
    name: '1->10 at 50,000/s (latency)',
    publishers: 1,
    subscribers: 10,
    topics: { kind: 'one' },
    payloadBytes: 16,
    ratePerSecond: 50_000,
    bars: { against: NATS, cpuRatioMax: 1, p50RatioMax: 1, p99RatioMax: 1 },
  }),
  // Asked for a little more than the bar, so that a window's edges cannot fail a broker that keeps up.
  load({
    id: 'p1',
    name: 'P1: 1->10 16 B at 1,250,000/s',
    publishers: 1,
    subscribers: 10,
    topics: { kind: 'one' },
    payloadBytes: 16,
    ratePerSecond: 1_250_000,
    bars: { publishedPerSecondMin: 1_200_000, deliveredPerSecondMin: 12_000_000, p99MsMax: 10 },
  }),
  load({ id: '1-1-0', name: '1->1 0 B', publishers: 1, subscribers: 1, topics: { kind: 'one' }, payloadBytes: 0 }),
  load({
    id: '1-1-1k',
    name: '1->1 1 KiB',
    publishers: 1,
    subscribers: 1,
    topics: { kind: 'one' },
    payloadBytes: 1_024,
  }),
  load({
    id: '1-1-64k',
    name: '1->1 64 KiB',
    publishers: 1,
    subscribers: 1,
    topics: { kind: 'one' },
    payloadBytes: 65_536,
  }),
  load({
    id: '1-1-1m',
    name: '1->1 1 MiB',
    publishers: 1,
    subscribers: 1,
    topics: { kind: 'one' },
    payloadBytes: 1_048_576,
  }),
  load({
    id: '1-4-64k',
    name: '1->4 64 KiB',
    publishers: 1,
    subscribers: 4,
    topics: { kind: 'one' },
    payloadBytes: 65_536,
  }),
  load({
    id: '1-1-20000t',
    name: '1->1 20,000 rotating topics 16 B',
    publishers: 1,
    subscribers: 1,
    topics: { kind: 'rotating', count: 20_000 },
    payloadBytes: 16,
  }),
  load({
    id: '1-4-wild',
    name: '1->4 wildcard 1,000 topics 64 B',
    publishers: 1,
    subscribers: 4,
    topics: { kind: 'wildcard', count: 1_000 },
    payloadBytes: 64,
  }),
  load({
    id: '1-100-128',
    name: '1->100 128 B',
    publishers: 1,
    subscribers: 100,
    topics: { kind: 'one' },
    payloadBytes: 128,
  }),
  load({
    id: '4-50-sets',
    name: '4->50 30 random of 200 topics each 64 B',
    publishers: 4,
    subscribers: 50,
    topics: { kind: 'random-sets', count: 200, perSubscriber: 30 },
    payloadBytes: 64,
  }),
  load({
    id: '4-20-50k',
    name: '4->20 100 rotating topics 100 B at 50,000/s',
    publishers: 4,
    subscribers: 20,
    topics: { kind: 'rotating', count: 100 },
    payloadBytes: 100,
    ratePerSecond: 50_000,
  }),
  requests(
    { id: 'req-10x8-4', name: 'requests: 10 clients x 8, 4 workers' },
    { throughputRatioMin: 1.5, cpuRatioMax: 0.7, p50RatioMax: 1, p99RatioMax: 1, peakMemoryMbMax: 130 },
  ),
  requests(
    { id: 'req-10x8-4-prefix', name: 'requests: the same, inboxes of their own', inboxPrefix: 'my.own.inbox' },
    { throughputRatioMin: 1.5, cpuRatioMax: 0.7, p50RatioMax: 1, p99RatioMax: 1, peakMemoryMbMax: 130 },
  ),
  requests(
    {
      id: 'req-10x8-4-shards2',
      name: 'requests: the same --shards 2',
      shardcastArgs: ['--shards', '2'],
    },
    { throughputRatioMin: 1.1, cpuRatioMax: 1, p50RatioMax: 1.1, p99RatioMax: 1.2 },
  ),
  requests(
    { id: 'req-1', name: 'requests: one at a time', clients: 1, inFlight: 1, workers: 1 },
    { throughputRatioMin: 1, cpuRatioMax: 0.8, p50RatioMax: 1, p99RatioMax: 1 },
  ),
  requests(
    { id: 'req-50-8', name: 'requests: 50 clients, one at a time, 8 workers', clients: 50, inFlight: 1, workers: 8 },
    { throughputRatioMin: 1.3, cpuRatioMax: 0.8, p50RatioMax: 0.9, p99RatioMax: 1 },
  ),
  requests(
    { id: 'req-many', name: 'requests: 10 answers each', answers: 10 },
    { throughputRatioMin: 1.5, cpuRatioMax: 0.7 },
  ),
  light(2_000, 1, { cpuRatioMax: 1 }),
  light(2_000, 2, { cpuRatioMax: 1.5 }),
  light(2_000, 4, { cpuRatioMax: 2 }),
  ...[1, 2, 4].map((shards) => light(20_000, shards, { cpuRatioMax: 1 })),
  ...[1, 2, 4].map((shards) => light(300_000, shards, { cpuRatioMax: 1 })),
  // What lingering costs and brings: the same pace without, and with two waits.
  ...[0, 1_000, 5_000].map((lingerUs) =>
    load({
      id: `1-50-10k-linger${lingerUs}`,
      name: `1->50 128 B at 10,000/s, --linger-us ${lingerUs}`,
      publishers: 1,
      subscribers: 50,
      topics: { kind: 'one' },
      payloadBytes: 128,
      ratePerSecond: 10_000,
      shardcastArgs: ['--linger-us', String(lingerUs)],
    }),
  ),
  {
    kind: 'idle',
    id: 'idle-10k',
    name: '10,000 idle connections',
    connections: 10_000,
    subscriptionsEach: 0,
    holdSeconds: 3,
    bars: { descriptorsLeftMax: 0 },
  },
  {
    kind: 'idle',
    id: 'idle-10k-sub',
    name: '10,000 idle connections, 1 subscription each',
    connections: 10_000,
    subscriptionsEach: 1,
    holdSeconds: 3,
    bars: { descriptorsLeftMax: 0 },
  },
];
