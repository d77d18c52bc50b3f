import { type Broker, startBroker } from 'shardcast';
import { afterAll, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';

// Invariants 55 and 59 of docs/INVARIANTS.md.

let broker: Broker | undefined;
afterAll(() => broker?.stop());

test('what a program asks for in its process is what a monitoring port tells', async () => {
  broker = await startBroker({ shards: 2, listen: { port: 0, httpPort: 0 }, order: 'publisher', logLevel: 'silent' });
  const port = Number(new URL(broker.ports.nats[0] as string).port);
  const client = await RawClient.connect(port, { name: 'reader' });
  await client.exchange('SUB in.* 1\r\n');
  await broker.topic('in.process').publish('hello');
  // in turn, so that the kernel publishes them, and both shards put them in order
  await client.exchange(Array.from({ length: 200 }, (_, i) => `PUB in.${i % 3} 1\r\nx\r\n`).join(''));
  const other = await RawClient.connect(port, { name: 'other' });
  await other.exchange(Array.from({ length: 200 }, (_, i) => `PUB in.${i % 3} 1\r\nx\r\n`).join(''));
  await client.exchange();
  const stats = await broker.stats();
  const published = Object.fromEntries(stats.topics.map((each) => [each.topic, each.published]));
  expect(published).toEqual({ 'in.process': 1, 'in.0': 134, 'in.1': 134, 'in.2': 132 });
  expect(stats.subscribers).toEqual([
    expect.objectContaining({ topic: 'in.*', subscriber: 'reader', policy: 'disconnect', delivered: 401, waiting: 0 }),
  ]);
  expect(stats.received).toEqual({ messages: 400, bytes: 400 });
  expect(stats.sent.messages).toBe(401);
  for (const { topic, readToWritten: times } of stats.topics) {
    // what is published in the process is not read
    if (topic === 'in.process') expect(times).toBeNull();
    else {
      expect(times?.recentCount).toBe(times?.count);
      expect(times?.count).toBeGreaterThan(0);
      expect(times?.p50).toBeGreaterThan(0);
      expect(times?.p50).toBeLessThanOrEqual(times?.p99 as number);
      expect(times?.totalSeconds).toBeGreaterThan(0);
    }
  }
  const { readToWritten, turn, commit } = stats.durations;
  expect(readToWritten.count).toBe(400);
  expect(readToWritten.p50).toBeGreaterThan(0);
  expect(readToWritten.p50).toBeLessThanOrEqual(readToWritten.max);
  expect(turn.count).toBeGreaterThan(0);
  expect(commit.count).toBe(0);
  expect(stats.connections).toMatchObject({ open: 2, accepted: 2, refused: 0 });
  expect(stats.shards.map(({ shard }) => shard)).toEqual([0, 1]);
  for (const { turns, turnSeconds, memory } of stats.shards) {
    expect(turns).toBeGreaterThan(0);
    expect(turnSeconds).toBeGreaterThan(0);
    expect(memory.heap).toBeGreaterThan(0);
  }
  const scraped = await (await fetch(`${broker.ports.monitoring[0]}/metrics`)).text();
  for (const [topic, count] of Object.entries(published))
    expect(scraped).toContain(`events_published_total{topic="${topic}"} ${count}\n`);
  for (const quantile of ['0.5', '0.9', '0.99', '0.999'])
    expect(scraped).toContain(`shardcast_topic_read_to_written_seconds{topic="in.0",quantile="${quantile}"} 0.`);
  expect(scraped).toMatch(/shardcast_topic_read_to_written_seconds_count\{topic="in.0"\} \d+\n/);
  for (const each of [client, other]) each.close();
});

test('handlers and dead letters of the process are told, too', async () => {
  const own = await startBroker({ shards: 1, listen: { port: 0, httpPort: 0 }, logLevel: 'silent' });
  try {
    let done = (): void => {};
    const handled = new Promise<void>((resolve) => {
      done = resolve;
    });
    let calls = 0;
    const dead = own.topic('dead').subscribe();
    own.topic('slow').subscribe(async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (++calls === 5) done();
    });
    own.topic('work').subscribe((message) => message.terminate(), { group: 'g', prefetch: 1, deadLetter: 'dead' });
    for (let i = 0; i < 5; i++) await own.topic('slow').publish('x');
    for (let i = 0; i < 3; i++) await own.topic('work').publish('x');
    await handled;
    for (let i = 0; i < 3; i++) await dead.next();
    // what is counted is told once in a sweep
    let stats = await own.stats();
    while (stats.deadLetters.published < 3 || stats.durations.handler.count < 5) stats = await own.stats();
    expect(stats.deadLetters).toEqual({ published: 3, denied: 0, lost: 0 });
    const { handler } = stats.durations;
    expect(handler.max).toBeGreaterThan(0.001);
    expect(handler.totalSeconds).toBeGreaterThan(0.005);
    const scraped = await (await fetch(`${own.ports.monitoring[0]}/metrics`)).text();
    expect(scraped).toContain('shardcast_dead_letters_total{outcome="published"} 3\n');
    expect(scraped).toMatch(/shardcast_handler_seconds_count [5-8]\n/);
  } finally {
    await own.stop();
  }
});
