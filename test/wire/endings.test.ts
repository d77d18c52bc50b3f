import { describe, expect, test } from 'vitest';
import { connectLine, RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { ours, shardCounts } from '../harness/target.js';

/** Ways in which a client's input ends. */
const endings: Readonly<Record<string, (client: RawClient) => void>> = {
  'its own -ERR': (client) => client.send("-ERR 'enough'\r\nPUB a 0\r\n\r\n"),
  'a mistake': (client) => client.send('BAD\r\nPUB a 0\r\n\r\n'),
  'wrong arguments': (client) => client.send('PUB a\r\nPUB a 0\r\n\r\n'),
  'headers that it did not ask for': (client) => client.send('HPUB a 2 2\r\n\r\n\r\nPUB a 0\r\n\r\n'),
  'the end of its stream': (client) => void client.socket.end(),
  'the end of its stream in the middle of an operation': (client) => {
    client.send('PUB a 10\r\nabc');
    client.socket.end();
  },
};
const rounds = 20;

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  // nats-server may lose what it has not written yet
  ours.each(Object.keys(endings))(
    'what a client has earned before %s reaches it, and nothing after',
    async (ending) => {
      const other = await RawClient.connect(server.port);
      await other.exchange('SUB > 1\r\n');
      for (let i = 0; i < rounds; i++) {
        const client = await RawClient.open(server.port);
        const subjects = ['a', 'b', 'c', 'd'].map((letter) => `${letter}.${i}`);
        const lines = subjects.map((subject) => `SUB ${subject} ${subject}\r\nPUB ${subject} 1\r\nx\r\n`).join('');
        client.send(connectLine({ verbose: true, headers: false, no_responders: false }) + lines);
        endings[ending]!(client);
        const seen = (await client.expectClosed()).filter((line) => !line.startsWith('-ERR'));
        const expected = [...Array(9).fill('+OK'), ...subjects.map((subject) => `MSG ${subject} ${subject} | x`)];
        expect(seen.sort()).toEqual(expected.sort());
        expect((await other.exchange()).sort()).toEqual(subjects.map((subject) => `MSG ${subject} 1 | x`));
      }
    },
  );

  test('somebody else’s messages are there as well', async () => {
    const client = await RawClient.connect(server.port);
    await client.exchange('SUB a 1\r\n');
    const other = await RawClient.connect(server.port);
    await other.exchange('PUB a 1\r\nx\r\n');
    client.send("-ERR 'enough'\r\n");
    expect(await client.expectClosed()).toEqual(['MSG a 1 | x']);
  });
});
