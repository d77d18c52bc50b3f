import { expect } from 'vitest';
import { client, status } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import { ours } from '../harness/target.js';

// nats-server has the same signal, but no duration under 30 seconds.
ours('SIGUSR2: every client is told, then closed, and the broker ends with 0', async () => {
  const broker = await Broker.start({
    shards: 2,
    config: { lame_duck_duration: '500ms', lame_duck_grace_period: '100ms' },
  });
  const raw = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(broker.port)));
  const official = await client(broker.port);
  const told = status(official, 'ldm');
  broker.signal('SIGUSR2');
  await told;
  for (const connection of raw) {
    const frames = await connection.readUntil(({ op }) => op === 'INFO', 'INFO');
    expect(frames.at(-1)).toMatchObject({ info: { ldm: true } });
    expect(await connection.expectClosed()).toEqual([]);
  }
  expect(await broker.exited).toEqual({ code: 0, signal: null });
  await broker.stop();
});
