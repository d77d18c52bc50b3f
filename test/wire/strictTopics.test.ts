import { describe, expect } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { isOracle, ours } from '../harness/target.js';

/** nats-server has no such mode; its broker here only answers to the flags that it does not get. */
describe.skipIf(isOracle)('--strict', () => {
  const server = useBroker({ args: ['--strict', '--topic', 'news', '--topic', 'sport.*', '--topic', 'all.>'] });

  ours.each(['news', 'sport.ball', 'all.a', 'all.a.b', '_INBOX.x'])('%s may be published to', async (subject) => {
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

  ours('a subscription to an undeclared subject is no error', async () => {
    expect(await talk(server.port, 'SUB nothing 1\r\nSUB any.> 2\r\n')).toEqual([]);
  });
});
