import { expect, test } from 'vitest';
import { connectLine, RawClient, talk } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { ours } from '../harness/target.js';

// Invariant 27 of docs/INVARIANTS.md.

async function maxPayload(port: number): Promise<unknown> {
  const client = await RawClient.open(port);
  const info = await client.info();
  client.close();
  return info.max_payload;
}

async function pinged(client: RawClient): Promise<string[]> {
  return (await client.everythingFrom('PING\r\n')).map((frame) =>
    frame.op === 'INFO' ? `INFO ${frame.info.max_payload}${frame.info.connect_info ? ' connect_info' : ''}` : frame.op,
  );
}

/** Whether these options get in. */
async function admits(port: number, options: Record<string, unknown>): Promise<boolean> {
  const client = await RawClient.open(port);
  client.send(`${connectLine(options)}PING\r\n`);
  const frames = await client.readUntil(({ op }) => op === 'PONG' || op === '-ERR', 'an answer');
  client.close();
  return frames.at(-1)?.op === 'PONG';
}

test('SIGHUP reads the configuration again: a limit, connections stay', async () => {
  const broker = await Broker.start({ config: { max_payload: 1000 } });
  const before = await RawClient.connect(broker.port);
  await before.exchange('SUB a 1\r\n');
  expect(await maxPayload(broker.port)).toBe(1000);
  broker.rewriteConfig({ config: { max_payload: 2000 } });
  broker.signal('SIGHUP');
  // A signal has no answer: ask until the new value is there.
  while ((await maxPayload(broker.port)) !== 2000);
  await talk(broker.port, `PUB a 2000\r\n${'x'.repeat(2000)}\r\n`);
  expect(await before.exchange()).toHaveLength(1);
  await broker.stop();
});

ours.each([1, 3])(
  'SIGHUP at %i shards: what INFO says goes to who can take it, once, and is held until a first PONG',
  async (shards) => {
    const broker = await Broker.start({ shards, config: { max_payload: 1000 } });
    const open = (protocol: number): Promise<RawClient> => RawClient.connect(broker.port, { protocol });
    const [told, old] = [await open(1), await open(0)];
    const waiting = await RawClient.open(broker.port);
    await waiting.info();
    await waiting.everythingFrom(connectLine({ protocol: 1 }));
    await told.info();
    // one on each shard: what it has heard the whole shard knows
    const witnesses = [];
    for (let i = 0; i < shards; i++) witnesses.push(await open(1));

    broker.rewriteConfig({ config: { max_payload: 2000 } });
    broker.signal('SIGHUP');
    expect(await told.info()).toMatchObject({ max_payload: 2000, client_id: expect.any(Number) });
    // twice the same is no news: only what comes next is
    broker.rewriteConfig({ config: { max_payload: 2000, ping_interval: '20s', client_advertise: 'x' } as never });
    broker.signal('SIGHUP');
    await broker.logged(/client_advertise/);
    broker.rewriteConfig({ config: { max_payload: 3000 } });
    broker.signal('SIGHUP');
    expect(await told.info()).toMatchObject({ max_payload: 3000 });
    for (const witness of witnesses) while ((await witness.info()).max_payload !== 3000);

    expect(await pinged(old)).toEqual(['PONG']);
    expect(await pinged(waiting)).toEqual(['PONG', 'INFO 3000 connect_info']);
    expect(await pinged(told)).toEqual(['PONG']);
    await broker.stop();
  },
);

test('SIGHUP: new credentials count for those who come after', async () => {
  const broker = await Broker.start({ config: { authorization: { token: 'old' } } });
  broker.rewriteConfig({ config: { authorization: { token: 'new' } } });
  broker.signal('SIGHUP');
  while (!(await admits(broker.port, { auth_token: 'new' })));
  expect(await admits(broker.port, { auth_token: 'old' })).toBe(false);
  await broker.stop();
});

ours('SIGHUP with a configuration that cannot be read: said, and nothing changes', async () => {
  const broker = await Broker.start({ config: { max_payload: 1000 } });
  const client = await RawClient.connect(broker.port);
  broker.rewriteConfig({ config: { max_payload: 'many' } as never });
  broker.signal('SIGHUP');
  await broker.logged(/max_payload/);
  expect(await client.exchange('SUB a 1\r\nPUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x']);
  expect(await maxPayload(broker.port)).toBe(1000);
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
});

ours('SIGHUP: what cannot be changed while running is named, the rest is taken', async () => {
  const broker = await Broker.start({ config: { max_payload: 1000, shards: 1 } as never });
  broker.rewriteConfig({ config: { max_payload: 2000, shards: 3 } as never });
  broker.signal('SIGHUP');
  await broker.logged(/shards/);
  while ((await maxPayload(broker.port)) !== 2000);
  expect(await broker.stop()).toEqual({ code: 0, signal: null });
});
