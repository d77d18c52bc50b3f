import { expect, test } from 'vitest';
import { connectLine, RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';

/** Whether a connection is taken, and answers; else whether it was told why. */
async function dial(port: number): Promise<RawClient | string> {
  const client = await RawClient.open(port);
  client.send(`${connectLine()}PING\r\n`);
  const isOutcome = ({ op }: { op: string }): boolean => op === 'PONG' || op === '-ERR';
  try {
    const frames = await client.readUntil(isOutcome, 'an answer');
    const last = frames.at(-1);
    return last?.op === '-ERR' ? last.text : client;
  } catch (error) {
    // no descriptor for the accept either: the kernel's own way out is to close
    if (client.closed) return 'closed';
    throw error;
  }
}

test.each([1, 2])(
  '%i shards out of descriptors: told, refused, nobody else is harmed, and it goes on when there are some',
  async (shards) => {
    const broker = await Broker.start({ shards, descriptorsMax: 100, config: { max_payload: 1000 } });
    const before = await RawClient.connect(broker.port, { protocol: 1 });
    await before.info();

    const dialled = await Promise.all(Array.from({ length: 200 }, () => dial(broker.port)));
    const taken = dialled.filter((client) => client instanceof RawClient);
    const refused = dialled.filter((client) => typeof client === 'string');
    expect(taken.length).toBeGreaterThan(10);
    expect(refused.length).toBeGreaterThan(90);
    expect(refused).toContain('maximum connections exceeded');
    await broker.logged(/connections are refused: no file descriptor is left/);
    expect(broker.output.match(/connections are refused/g)).toHaveLength(1);

    // who is in goes on, and so does what needs a descriptor for a moment
    expect(await before.exchange('SUB a 1\r\nPUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x']);
    broker.rewriteConfig({ config: { max_payload: 2000 } });
    broker.signal('SIGHUP');
    expect(await before.info()).toMatchObject({ max_payload: 2000 });

    for (const client of taken) client.close();
    while (typeof (await dial(broker.port)) === 'string');
    expect(await broker.stop()).toEqual({ code: 0, signal: null });
  },
);

test('clients that are refused and do not go are ended, and their descriptors are free again', async () => {
  const broker = await Broker.start({ config: { max_connections: 1 }, descriptorsMax: 150 });
  const only = await RawClient.connect(broker.port);
  const before = broker.descriptors;
  const refused = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const client = await RawClient.open(broker.port);
      // what comes from the other side does not end this one
      client.socket.allowHalfOpen = true;
      return client;
    }),
  );
  for (const client of refused) client.send(connectLine());
  while (broker.descriptors > before) expect(await only.exchange()).toEqual([]);
  only.close();
  while (typeof (await dial(broker.port)) === 'string');
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
});
