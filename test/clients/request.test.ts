import { describe, expect, test } from 'vitest';
import { client, clients } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  test('a single answer, many requests in flight, with and without the shared inbox', async () => {
    const [asker, service] = await clients(2, server.port);
    service!.subscribe('double', { callback: (_, message) => void message.respond(`${Number(message.string()) * 2}`) });
    await service!.flush();
    for (const noMux of [false, true]) {
      const options = noMux ? { timeout: 30_000, noMux } : { timeout: 30_000 };
      const answers = await Promise.all(
        Array.from({ length: 300 }, (_, i) => asker!.request('double', `${i}`, options)),
      );
      expect(answers.map((answer) => Number(answer.string()))).toEqual(Array.from({ length: 300 }, (_, i) => 2 * i));
    }
  });

  test('many answers to one request', async () => {
    const [asker, ...services] = await clients(5, server.port);
    for (const [i, service] of services.entries()) {
      service.subscribe('all', { callback: (_, message) => void message.respond(`${i}`) });
      await service.flush();
    }
    const texts: string[] = [];
    const answers = await asker!.requestMany('all', '', { strategy: 'count', maxMessages: 4, maxWait: 30_000 });
    for await (const answer of answers) texts.push(answer.string());
    expect(texts.sort()).toEqual(['0', '1', '2', '3']);
  });

  test('nobody there is said at once', async () => {
    const connection = await client(server.port);
    const asked = Array.from({ length: 100 }, (_, i) => connection.request(`nobody.${i}`, '', { timeout: 30_000 }));
    for (const result of await Promise.allSettled(asked)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/no responders/) } });
    }
  });

  test('services in a queue group answer once', async () => {
    const [asker, ...services] = await clients(4, server.port);
    let answered = 0;
    for (const service of services) {
      const callback = (_: unknown, message: { respond(text: string): boolean }): void => {
        answered++;
        message.respond('x');
      };
      service.subscribe('once', { queue: 'q', callback });
      await service.flush();
    }
    await Promise.all(Array.from({ length: 200 }, () => asker!.request('once', '', { timeout: 30_000 })));
    expect(answered).toBe(200);
  });
});
