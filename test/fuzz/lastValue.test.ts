import { describe, expect, test } from 'vitest';
import type { Message } from '../harness/frames.js';
import { RawClient } from '../harness/rawClient.js';
import { Broker, useBroker } from '../harness/server.js';
import { ask, publication } from '../policies/slowSubscriber.js';

// Invariants 10, 13 and 20 of docs/INVARIANTS.md.

const mib = 1024 * 1024;

async function publishAll(port: number, subjects: readonly string[], body: string): Promise<void> {
  const publisher = await RawClient.connect(port);
  for (let i = 0; i < subjects.length; i += 1_000)
    await publisher.exchange(
      subjects
        .slice(i, i + 1_000)
        .map((subject) => publication(subject, body))
        .join(''),
    );
}

/** The subjects of the messages that come before the answer to a PING. */
async function subjectsUntilPong(client: RawClient): Promise<string[]> {
  client.send('PING\r\n');
  const frames = await client.readUntil(({ op }) => op === 'PONG', 'PONG');
  return frames.filter((frame): frame is Message => frame.op === 'MSG').map(({ subject }) => subject);
}

describe.each([1, 4])('%i shards', (shards) => {
  const args = ['--last-value', 'big.>', '--write-deadline', '60s'];
  const server = useBroker({ shards, args, config: { max_pending: 8 * mib } });
  const big = Array.from({ length: 1_000 }, (_, i) => `big.${i}`);

  test('who asks thousands of times for much and reads nothing takes little memory, and nobody has to wait for it', async () => {
    await publishAll(server.port, big, 'x'.repeat(10_000));
    const normal = await RawClient.connect(server.port);
    await normal.exchange('SUB big.1 there\r\n');
    const before = server.broker.residentBytes;
    const many = Array.from({ length: 5_000 }, (_, i) => i);
    const hostile = await Promise.all(many.slice(0, 6).map(() => RawClient.connect(server.port)));
    for (const client of hostile) client.socket.pause();
    // as it subscribes, again and again, and for subscriptions that are there already
    for (const client of hostile.slice(0, 2)) {
      client.send('PUB $SHARDCAST.SUB 13\r\n{"last":true}\r\n');
      client.send(many.map((i) => `SUB > ${i}\r\n`).join(''));
    }
    for (const client of hostile.slice(2, 4)) {
      client.send('PUB $SHARDCAST.SUB 13\r\n{"last":true}\r\n');
      client.send(many.map((i) => `SUB big.> ${i}\r\nUNSUB ${i}\r\n`).join(''));
    }
    for (const client of hostile.slice(4)) {
      client.send(many.map((i) => `SUB big.> ${i}\r\n`).join(''));
      client.send('PUB $SHARDCAST.SUB 13\r\n{"last":true}\r\n');
    }
    const asking = await RawClient.connect(server.port, { shardcast: { last: true } });
    asking.send('SUB big.* 1\r\n');
    expect((await subjectsUntilPong(asking)).sort()).toEqual([...big].sort());
    normal.send('PUB $SHARDCAST.SUB 31\r\n{"subject":"big.1","last":true}\r\n');
    expect(await subjectsUntilPong(normal)).toEqual(['big.1']);
    const publisher = await RawClient.connect(server.port);
    for (let i = 0; i < 20; i++) await publisher.exchange(publication('big.2', `${i}`));
    expect(await subjectsUntilPong(asking)).toEqual(Array.from({ length: 20 }, () => 'big.2'));
    // an image is 10 MB, and ten thousand were asked for
    expect(server.broker.residentBytes - before).toBeLessThan(250 * mib);
  });
});

test('with > everything is in the image, of many subjects, and live messages pass it', async () => {
  const broker = await Broker.start({ shards: 4, args: ['--last-value', '>'] });
  const subjects = Array.from({ length: 40_000 }, (_, i) => `many.${i % 317}.${i}`);
  await publishAll(broker.port, subjects, 'x');
  const [subscriber, other] = [await RawClient.connect(broker.port), await RawClient.connect(broker.port)];
  await ask(subscriber, { last: true });
  subscriber.send('SUB > 1\r\n');
  await other.exchange(publication('while.under.way', 'live'));
  const came = await subjectsUntilPong(subscriber);
  expect(came.filter((subject) => subject === 'while.under.way').length).toBeLessThanOrEqual(1);
  expect(new Set(came).size).toBe(came.length);
  const missing = new Set(subjects);
  for (const subject of came) missing.delete(subject);
  expect(missing.size).toBe(0);
});

test('what has no room is dropped in the order of age, and the log says so once', async () => {
  const args = ['--last-value', 'a.>', '--last-value-max', '10', '--last-value-memory', '64KiB'];
  const broker = await Broker.start({ args });
  const subscriber = await RawClient.connect(broker.port, { shardcast: { last: true } });
  const image = async (sid: number): Promise<string[]> => {
    subscriber.send(`SUB a.* ${sid}\r\n`);
    const subjects = await subjectsUntilPong(subscriber);
    await subscriber.exchange(`UNSUB ${sid}\r\n`);
    return subjects;
  };
  const names = Array.from({ length: 30 }, (_, i) => `a.${i}`);
  const logged = broker.logged(/no room for more last values/);
  await publishAll(broker.port, [...names, 'a.25'], 'x');
  expect(await image(1)).toEqual([...names.slice(20, 25), ...names.slice(26), 'a.25']);
  await logged;
  // too large to be kept: what was kept for the subject is not its last value any more
  await publishAll(broker.port, ['a.25'], 'x'.repeat(100_000));
  expect(await image(2)).toEqual([...names.slice(20, 25), ...names.slice(26)]);
  await publishAll(broker.port, ['a.0', 'a.1', 'a.2'], 'x'.repeat(30_000));
  expect(await image(3)).toEqual(['a.1', 'a.2']);
  await publishAll(broker.port, names, 'x');
  expect(broker.output.match(/no room for more last values/g)).toHaveLength(1);
});

test('a stop sends an image that has begun to its end', async () => {
  const broker = await Broker.start({ shards: 2, args: ['--last-value', 'big.>'] });
  const big = Array.from({ length: 800 }, (_, i) => `big.${i}`);
  await publishAll(broker.port, big, 'x'.repeat(10_000));
  const subscriber = await RawClient.connect(broker.port, { shardcast: { last: true } });
  subscriber.send('SUB big.> 1\r\n');
  await subscriber.messages(1);
  broker.signal('SIGTERM');
  const lines = await subscriber.expectClosed(({ op }) => op === 'MSG');
  expect(lines).toHaveLength(big.length - 1);
  expect((await broker.exited).code).toBe(0);
});
