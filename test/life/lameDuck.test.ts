import { expect } from 'vitest';
import { client, status } from '../harness/officialClient.js';
import { connectLine, RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { ours } from '../harness/target.js';

// Invariant 27 of docs/INVARIANTS.md.

ours(
  'lame duck: INFO is held until the first PONG, and never sent to who says or may mean that it speaks protocol 0',
  async () => {
    const config = { lame_duck_duration: '60s', lame_duck_grace_period: '30s' };
    const broker = await Broker.start({ shards: 2, config });
    const told = await RawClient.connect(broker.port, { protocol: 1 });
    const waiting = await RawClient.open(broker.port);
    const old = await RawClient.connect(broker.port, { protocol: 0 });
    const [young, silent] = [await RawClient.open(broker.port), await RawClient.open(broker.port)];
    for (const client of [young, silent]) await client.info();
    await young.everythingFrom('CONNECT {"verbose":false,"headers":true}\r\nPING\r\n');
    await silent.everythingFrom('CONNECT {"verbose":false}\r\nPING\r\n');
    broker.signal('SIGUSR2');
    await told.readUntil((frame) => frame.op === 'INFO' && frame.info.ldm === true, 'the news');
    // on the other shard than who was told: all know now
    expect(await young.info()).toMatchObject({ ldm: true });
    expect(await waiting.info()).not.toHaveProperty('ldm');
    const frames = await waiting.everythingFrom(`${connectLine({ protocol: 1 })}PING\r\n`);
    expect(frames).toEqual([
      { op: 'PONG' },
      { op: 'INFO', info: expect.objectContaining({ ldm: true, connect_info: true }) },
    ]);
    for (const client of [old, silent]) expect(await client.everythingFrom('PING\r\n')).toEqual([{ op: 'PONG' }]);
    await broker.kill();
  },
);

// nats-server has the same signal, but no duration under 30 seconds.
ours('SIGUSR2: every client is told, then closed, and the broker ends with 0', async () => {
  const broker = await Broker.start({
    shards: 2,
    config: { lame_duck_duration: '500ms', lame_duck_grace_period: '100ms' },
  });
  const raw = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(broker.port, { protocol: 1 })));
  const official = await client(broker.port);
  const told = status(official, 'ldm');
  broker.signal('SIGUSR2');
  await told;
  for (const connection of raw) {
    expect(await connection.info()).toMatchObject({ connect_info: true });
    expect(await connection.info()).toMatchObject({ ldm: true });
    expect(await connection.expectClosed()).toEqual([]);
  }
  expect(await broker.exited).toEqual({ code: 0, signal: null });
  await broker.stop();
});
