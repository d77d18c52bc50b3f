import { describe, expect } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { isOracle, ours } from '../harness/target.js';

/** nats-server has no such mode; its broker here only answers to the flags that it does not get. */
describe.skipIf(isOracle)('--strict', () => {
  const server = useBroker({ args: ['--strict', '--topic', 'news', '--topic', 'sport.*', '--topic', 'all.>'] });

  ours.each(['news', 'sport.ball', 'all.a', 'all.a.b'])('%s may be published to', async (subject) => {
    expect(await talk(server.port, `SUB > 1\r\nPUB ${subject} 1\r\nx\r\n`)).toEqual([`MSG ${subject} 1 | x`]);
  });

  ours.each(['new', 'news.a', 'sport', 'sport.a.b', 'all', 'News'])(
    '%s may not: its publisher is told, nobody gets it',
    async (subject) => {
      const other = await RawClient.connect(server.port);
      await other.exchange('SUB > 1\r\n');
      expect(await talk(server.port, `PUB ${subject} 4\r\nPING\r\nPUB news 1\r\nx\r\n`)).toEqual([
        "-ERR 'Unknown Topic'",
      ]);
      expect(await other.exchange()).toEqual(['MSG news 1 | x']);
    },
  );

  ours('where a client awaits answers others may publish, whatever its prefix, until it does so no more', async () => {
    const client = await RawClient.connect(server.port);
    const other = await RawClient.connect(server.port);
    await client.exchange('SUB mine.7.* 1\r\nSUB last.word 2\r\n');
    const listener = await RawClient.connect(server.port);
    await listener.exchange('SUB news 1\r\n');
    const answers = ['mine.7.a', 'mine.7.b', 'last.word'].map((subject) => `PUB ${subject} 1\r\nx\r\n`).join('');
    const refused = ["-ERR 'Unknown Topic'", "-ERR 'Unknown Topic'", "-ERR 'Unknown Topic'"];
    expect(await other.exchange(answers)).toEqual(refused);
    await client.exchange('PUB news mine.7.a 0\r\n\r\nPUB news last.word 0\r\n\r\n');
    expect(await other.exchange(answers)).toEqual([]);
    expect(await client.exchange()).toEqual(['MSG mine.7.a 1 | x', 'MSG mine.7.b 1 | x', 'MSG last.word 2 | x']);
    await client.exchange('UNSUB 1\r\nUNSUB 2\r\n');
    expect(await other.exchange(answers)).toEqual(refused);
  });

  ours('a subscription to an undeclared subject is no error', async () => {
    expect(await talk(server.port, 'SUB nothing 1\r\nSUB any.> 2\r\n')).toEqual([]);
  });
});
