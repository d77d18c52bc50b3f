import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { ShardSummary } from '../../src/base/reports.js';
import { createTallies, mergedHistograms, readTally } from '../../src/base/tally.js';
import { makeStatistics } from '../../src/monitor/statistics.js';
import type { ScrapedSample } from '../harness/exposition.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ask, padding, publication } from '../policies/slowSubscriber.js';

// Invariant 55 of docs/INVARIANTS.md.

const server = useBroker({ shards: 2, config: { http_port: -1 } });

const open: RawClient[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

async function connect(name: string): Promise<RawClient> {
  const client = await RawClient.connect(server.port, { name });
  open.push(client);
  return client;
}

/** What is counted of one metric, by its labels in that order. */
function byLabels(samples: readonly ScrapedSample[], name: string, ...labels: string[]): Map<string, number> {
  const own = samples.filter((sample) => sample.name === name);
  return new Map(own.map((sample) => [labels.map((label) => sample.labels[label] ?? '').join(' | '), sample.value]));
}

const measured = (samples: readonly ScrapedSample[], name: string): number =>
  samples.find((sample) => sample.name === name)?.value ?? Number.NaN;
const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, each) => sum + each, 0);

/** What has been added, of what is above nothing. */
function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Record<string, number> {
  const grown = [...after].map(([key, value]) => [key, value - (before.get(key) ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, difference]) => difference !== 0));
}

test('dead letters are counted by what became of them', async () => {
  const letters = (samples: readonly ScrapedSample[]) => byLabels(samples, 'shardcast_dead_letters_total', 'outcome');
  const before = letters(await server.broker.scraped());
  expect([...before.keys()]).toEqual(['published', 'denied', 'lost']);
  const worker = await connect('worker');
  await ask(worker, { subject: 'jobs', queue: 'w', prefetch: 1, deadLetter: 'jobs.dead' });
  await worker.exchange('SUB jobs w 1\r\nSUB jobs.dead 2\r\n');
  worker.send('PUB jobs 1\r\nx\r\n');
  const [work] = (await worker.readUntil(({ op }) => op === 'MSG', 'MSG')).filter(({ op }) => op === 'MSG');
  worker.send(`PUB ${(work as { reply: string }).reply} 5\r\n+TERM\r\n`);
  await worker.readUntil((frame) => 'subject' in frame && frame.subject === 'jobs.dead', 'the letter');
  await expect
    .poll(async () => growth(before, letters(await server.broker.scraped())), { timeout: 20_000 })
    .toEqual({ published: 1 });
});

test('what is denied and what is lost of dead letters is told apart', () => {
  const tallies = { ...readTally(createTallies(1), 0), deadLetters: 1, lettersDenied: 2, lettersLost: 3 };
  const histograms = mergedHistograms(createTallies(1));
  const sources = { startMs: 0, connections: 0, tallies, shardTallies: [], histograms, shards: [] };
  const { deadLetters } = makeStatistics({ ...sources, summary: {} as ShardSummary });
  expect(deadLetters).toEqual({ published: 1, denied: 2, lost: 3 });
});

const subjects = ['m.one', 'm.two', 'm.three', 'other', 'unwanted'] as const;
const publish = fc.record({
  kind: fc.constant('publish' as const),
  client: fc.nat(2),
  subject: fc.constantFrom(...subjects),
  // runs, single messages, and subjects in turn, which the kernel publishes
  times: fc.constantFrom(1, 3, 50),
  inTurn: fc.boolean(),
});
const subscribe = fc.record({
  kind: fc.constant('subscribe' as const),
  client: fc.nat(2),
  subject: fc.constantFrom('m.one', 'm.*', 'other', 'm.>'),
  queue: fc.constantFrom('', 'q'),
  ends: fc.boolean(),
});
const operations = fc.array(fc.oneof({ weight: 3, arbitrary: publish }, { weight: 1, arbitrary: subscribe }), {
  minLength: 3,
  maxLength: 30,
});

let runs = 0;

test('what was published to each subject and delivered to each subscriber is what they have said and heard', async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (all) => {
      const before = await server.broker.scraped();
      const run = ++runs;
      const published: Record<string, number> = {};
      const delivered: Record<string, number> = {};
      const clients = await Promise.all([0, 1, 2].map((i) => connect(`${run}-${i}`)));
      const subscribed: Map<string, string>[] = clients.map(() => new Map());
      let sid = 0;
      const settle = async (client: RawClient, i: number): Promise<void> => {
        client.send('PING\r\n');
        for (const frame of await client.readUntil(({ op }) => op === 'PONG', 'PONG')) {
          if (frame.op !== 'MSG') continue;
          const key = `${subscribed[i]?.get(frame.sid)} | ${run}-${i}`;
          delivered[key] = (delivered[key] ?? 0) + 1;
        }
      };
      for (const operation of all) {
        const client = clients[operation.client] as RawClient;
        if (operation.kind === 'subscribe') {
          subscribed[operation.client]?.set(`${++sid}`, operation.subject);
          client.send(`SUB ${operation.subject} ${operation.queue} ${sid}\r\n`);
          if (operation.ends) client.send(`UNSUB ${sid} 5\r\n`);
          await settle(client, operation.client);
          continue;
        }
        const lines: string[] = [];
        for (let i = 0; i < operation.times; i++) {
          const subject = operation.inTurn ? (subjects[i % subjects.length] as string) : operation.subject;
          lines.push(`PUB ${subject} 2\r\nhi\r\n`);
          published[subject] = (published[subject] ?? 0) + 1;
        }
        client.send(lines.join(''));
        await settle(client, operation.client);
      }
      for (let i = 0; i < 2; i++) await Promise.all(clients.map(settle));
      const after = await server.broker.scraped();
      const difference = (name: string, ...labels: string[]): Record<string, number> =>
        growth(byLabels(before, name, ...labels), byLabels(after, name, ...labels));
      expect(difference('events_published_total', 'topic')).toEqual(published);
      expect(difference('events_delivered_total', 'topic', 'subscriber')).toEqual(delivered);
      const publishedInAll = Object.values(published).reduce((sum, each) => sum + each, 0);
      const grown = (name: string): number => measured(after, name) - measured(before, name);
      expect(grown('shardcast_received_messages_total')).toBe(publishedInAll);
      // each was timed
      expect(grown('shardcast_read_to_written_seconds_count')).toBe(publishedInAll);
      expect(sumOf(byLabels(after, 'events_delivered_total', 'topic', 'subscriber'))).toBe(
        measured(after, 'shardcast_sent_messages_total'),
      );
      for (const client of open.splice(0)) client.close();
    }),
    { numRuns: 20 },
  );
});

test('what a subscriber was published is what it was delivered, what it lost by its policy, and what waits', async () => {
  const published = 1_500;
  const publisher = await connect('publisher');
  const policies = ['drop-new', 'drop-old', 'conflate'] as const;
  const slow: RawClient[] = [];
  for (const policy of policies) {
    const client = await connect(`slow ${policy}`);
    await ask(client, { subject: 'lost.*', policy, ...(policy === 'conflate' ? {} : { maxMessages: 100 }) });
    await client.exchange('SUB lost.* 1\r\n');
    client.socket.pause();
    client.onFrame = ({ op }) => {
      if (op === 'PING') client.send('PONG\r\n');
    };
    slow.push(client);
  }
  // more than the buffers of the kernel hold
  for (let i = 0; i < published; i++) publisher.send(publication(`lost.${i % 7}`, padding));
  await publisher.exchange();
  const now = async (): Promise<Record<string, { delivered: number; lost: number; waits: number }>> => {
    const samples = await server.broker.scraped();
    const delivered = byLabels(samples, 'events_delivered_total', 'topic', 'subscriber');
    const lost = byLabels(samples, 'events_dropped_total', 'topic', 'subscriber', 'policy');
    const waits = byLabels(samples, 'lag', 'topic', 'subscriber');
    return Object.fromEntries(
      policies.map((policy) => {
        const key = `lost.* | slow ${policy}`;
        return [
          policy,
          {
            delivered: delivered.get(key) ?? 0,
            lost: lost.get(`${key} | ${policy}`) ?? 0,
            waits: waits.get(key) ?? 0,
          },
        ];
      }),
    );
  };
  // what is on its way to a subscriber of another shard is in none of these yet
  await expect
    .poll(async () => Object.values(await now()).map(({ delivered, lost, waits }) => delivered + lost + waits))
    .toEqual(policies.map(() => published));
  for (const [policy, { lost, waits }] of Object.entries(await now()))
    expect(Math.min(lost, waits), policy).toBeGreaterThan(0);
  for (const client of slow) client.socket.resume();
  await expect.poll(async () => Object.values(await now()).map(({ waits }) => waits)).toEqual([0, 0, 0]);
  for (const { delivered, lost } of Object.values(await now())) expect(delivered + lost).toBe(published);
});

test('whatever subjects and names clients think of, what is scraped is read, and is no longer than it may be', async () => {
  const names = ['a"b', 'back\\slash', 'new\nline', 'all others', 'half \ud800', `${'n'.repeat(2_000)}`];
  const shown = 'evil.{}="\\,#\u00e9';
  const subject = Buffer.from(shown).toString('latin1');
  for (const name of names) {
    const client = await connect(name);
    await client.exchange(
      `SUB ${subject} 1\r\nSUB ${'s'.repeat(1_000)} 2\r\nPUB ${subject} 0\r\n\r\nPUB ${'s'.repeat(1_000)} 0\r\n\r\n`,
    );
  }
  const samples = await server.broker.scraped();
  const published = byLabels(samples, 'events_published_total', 'topic');
  expect(published.get(shown)).toBe(names.length);
  const delivered = byLabels(samples, 'events_delivered_total', 'topic', 'subscriber');
  expect(delivered.get(`${shown} | a"b`)).toBe(6);
  expect(delivered.get(`${shown} | new\nline`)).toBe(4);
  const texts = samples.flatMap(({ labels }) => Object.values(labels));
  expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(256);
});

test('however many subjects and subscribers there are, what is scraped is bounded, nothing is lost, and others only grow', async () => {
  const crowd = await connect('crowd');
  let others = 0;
  const before = sumOf(byLabels(await server.broker.scraped(), 'events_published_total', 'topic'));
  const rounds = 4;
  for (let round = 0; round < rounds; round++) {
    const lines = Array.from(
      { length: 1_000 },
      (_, i) => `SUB c${round}.${i} ${round * 1000 + i}\r\nPUB c${round}.${i} 0\r\n\r\n`,
    );
    await crowd.exchange(lines.join(''));
    const samples = await server.broker.scraped();
    const published = byLabels(samples, 'events_published_total', 'topic');
    expect(published.size).toBeLessThanOrEqual(2 * 256 + 1);
    expect(published.get('all others')).toBeGreaterThanOrEqual(others);
    others = published.get('all others') as number;
    expect(byLabels(samples, 'events_delivered_total', 'topic', 'subscriber').size).toBeLessThanOrEqual(2 * 256 + 1);
  }
  // rows that others have taken the place of are in none any more
  const after = sumOf(byLabels(await server.broker.scraped(), 'events_published_total', 'topic'));
  expect(after - before).toBeLessThanOrEqual(rounds * 1_000);
  expect(after - before).toBeGreaterThan(rounds * 1_000 - 2 * 256);
});

test('thousands of scrapes are answered, or refused, and messages pass', async () => {
  const client = await connect('while scraped');
  const statuses = await Promise.all(
    Array.from({ length: 1_000 }, async (_, i) => {
      if (i % 100 === 0) await client.exchange('PUB a 0\r\n\r\n');
      const response = await fetch(`http://127.0.0.1:${server.broker.monitoringPort}/metrics`).catch(() => null);
      await response?.text();
      return response?.status ?? 0;
    }),
  );
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
  expect(new Set(statuses.filter((status) => ![0, 200, 503].includes(status)))).toEqual(new Set());
  await client.exchange('PUB a 0\r\n\r\n');
});
