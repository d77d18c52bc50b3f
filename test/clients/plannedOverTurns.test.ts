import { afterEach, describe, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

// Invariants 7, 8, 11, 39 and 43 of docs/INVARIANTS.md.

/** More than is planned at once: patterns of 12 tokens, and groups. */
const tokens = 12;
const patterns = 1 << tokens;
const groups = 3_000;
const perTopic = 4;

const pattern = (bits: number) =>
  `${Array.from({ length: tokens }, (_, k) => ((bits >> k) & 1 ? '*' : 'a')).join('.')}.>`;

describe.each([1, 3])('%i shards', (shards) => {
  const server = useBroker({ args: ['--shards', String(shards)] });
  const clients: RawClient[] = [];
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect(server.port);
    clients.push(client);
    return client;
  };
  afterEach(() => {
    for (const client of clients.splice(0)) client.socket.destroy();
  });

  test('what is published to topics that thousands take comes once for each and in its order, while others come, go and publish', async () => {
    const [all, plain, publisher, other] = [await connect(), await connect(), await connect(), await connect()];
    let lines = '';
    for (let i = 0; i < patterns; i++) lines += `SUB ${pattern(i)} ${i}\r\n`;
    await all.exchange(lines);
    await plain.exchange('SUB > 1\r\n');
    const topics = Array.from({ length: 3 }, (_, i) => `${'a.'.repeat(tokens)}t${i}`);
    let publishes = '';
    for (let i = 0; i < perTopic; i++)
      for (const topic of topics) publishes += `PUB ${topic} 1\r\n${i}\r\nPUB quick.${i} 1\r\n${i}\r\n`;
    const published = publisher.exchange(publishes);
    for (let i = 0; i < 20; i++) await other.exchange(`SUB a.> ${i}\r\nUNSUB ${i}\r\n`);
    await published;
    // what was in order before its PING has come before its PONG
    await all.exchangeKeeping();
    expect(all.frames.filter(({ op }) => op === 'MSG')).toHaveLength(patterns * perTopic * topics.length);

    const seen = await plain.messages(2 * perTopic * topics.length);
    for (const topic of topics)
      expect(seen.filter(({ subject }) => subject === topic).map(({ payload }) => Number(payload))).toEqual([
        ...Array(perTopic).keys(),
      ]);
    const got = new Map<string, number[]>();
    for (const { subject, sid, payload } of await all.messages(patterns * perTopic * topics.length)) {
      const key = `${subject} ${sid}`;
      const list = got.get(key) ?? [];
      list.push(Number(payload));
      got.set(key, list);
    }
    expect(got.size).toBe(patterns * topics.length);
    for (const list of got.values()) expect(list).toEqual([...Array(perTopic).keys()]);
  });

  test('answers at an inbox that thousands take come once for each and in their order, while others come and go at it', async () => {
    const [all, asker, service, other] = [await connect(), await connect(), await connect(), await connect()];
    const inbox = `${'a.'.repeat(tokens)}mine`;
    await all.exchange(Array.from({ length: patterns }, (_, i) => `SUB ${pattern(i)} ${i}\r\n`).join(''));
    await service.exchange('SUB ask 1\r\n');
    await asker.exchange(`SUB ${inbox}.* 1\r\nPUB ask ${inbox}.0 0\r\n\r\n`);
    const addresses = Array.from({ length: 2 * perTopic }, (_, i) => `${inbox}.${i}`);
    const answered = service.exchange(addresses.map((address, i) => `PUB ${address} 1\r\n${i}\r\n`).join(''));
    // who takes one of them by its name has it be a topic of its own
    for (const [i, address] of addresses.entries()) await other.exchange(`SUB ${address} ${i}\r\nUNSUB ${i}\r\n`);
    await answered;
    const numbers = addresses.map((_, i) => i);
    expect((await asker.messages(addresses.length)).map(({ payload }) => Number(payload))).toEqual(numbers);
    const got = new Map<string, number[]>();
    for (const { sid, payload } of await all.messages(patterns * addresses.length)) {
      const list = got.get(sid) ?? [];
      list.push(Number(payload));
      got.set(sid, list);
    }
    expect(got.size).toBe(patterns);
    for (const list of got.values()) expect(list).toEqual(numbers);
  });

  test('each of thousands of groups gets each message once, from the first', async () => {
    const [member, publisher] = [await connect(), await connect()];
    let lines = '';
    for (let i = 0; i < groups; i++) lines += `SUB grouped q${i} ${i}\r\n`;
    await member.exchange(lines);
    await publisher.exchange('PUB grouped 1\r\n0\r\nPUB grouped 1\r\n1\r\n');
    const got = (await member.messages(2 * groups)).map(({ sid, payload }) => `${sid} ${payload}`);
    expect(new Set(got).size).toBe(2 * groups);
    expect(got).toHaveLength(2 * groups);
  });
});
