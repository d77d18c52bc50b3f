import { expect, test } from 'vitest';
import { RawClient, talk } from '../harness/rawClient.js';
import { Broker, useBroker } from '../harness/server.js';

// Invariant 11 of docs/INVARIANTS.md.

const server = useBroker();

test('each PING has its PONG, in order with everything else', async () => {
  const client = await RawClient.connect(server.port);
  client.send('SUB foo 1\r\nPING\r\nPUB foo 1\r\na\r\nPING\r\nSUB b..d 2\r\nPING\r\n');
  expect(await client.exchange()).toEqual([]);
  const rest = [...(await client.exchange()), ...(await client.exchange()), ...(await client.exchange())];
  expect(rest).toEqual(['MSG foo 1 | a', "-ERR 'Invalid Subject'"]);
});

test('a PONG nobody asked for is ignored', async () => {
  expect(await talk(server.port, 'PONG\r\nPONG\r\nPONG\r\n')).toEqual([]);
});

test('the server pings an idle client and ends one that does not answer', async () => {
  const strict = await Broker.start({ config: { ping_interval: '200ms', ping_max: 2 } });
  const silent = await RawClient.connect(strict.port);
  const replies = await silent.expectClosed(({ op }) => op !== 'INFO');
  expect(replies.slice(0, -1).length).toBeGreaterThanOrEqual(1);
  expect(new Set(replies.slice(0, -1))).toEqual(new Set(['PING']));
  expect(replies.at(-1)).toBe("-ERR 'Stale Connection'");
  await strict.stop();
});

test('a client that answers stays', async () => {
  const strict = await Broker.start({ config: { ping_interval: '100ms', ping_max: 2 } });
  const client = await RawClient.connect(strict.port);
  for (let pings = 0; pings < 12; pings++) {
    await client.readUntil(({ op }) => op === 'PING', 'PING');
    client.send('PONG\r\n');
  }
  expect(client.closed).toBe(false);
  await strict.stop();
});
