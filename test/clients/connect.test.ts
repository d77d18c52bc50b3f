import { tokenAuthenticator, usernamePasswordAuthenticator } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { useBroker } from '../harness/server.js';
import { shardCounts } from '../harness/target.js';

describe.each(shardCounts)('%i shards', (shards) => {
  const server = useBroker({ shards });

  test('connects, knows the server, measures a round trip, closes', async () => {
    const connection = await client(server.port, { name: 'me' });
    expect(connection.info).toMatchObject({ port: server.port, headers: true, proto: 1, max_payload: 1_048_576 });
    expect(await connection.rtt()).toBeGreaterThanOrEqual(0);
    await connection.close();
    expect(connection.isClosed()).toBe(true);
  });

  test('connects verbose and pedantic', async () => {
    const connection = await client(server.port, { verbose: true, pedantic: true });
    const sub = connection.subscribe('a', { max: 1 });
    connection.publish('a', 'x');
    for await (const message of sub) expect(message.string()).toBe('x');
  });
});

describe.each([
  [
    'user and password',
    { user: 'u', password: 'p' },
    usernamePasswordAuthenticator('u', 'p'),
    usernamePasswordAuthenticator('u', 'x'),
  ],
  ['token', { token: 't' }, tokenAuthenticator('t'), tokenAuthenticator('x')],
])('%s', (_, authorization, right, wrong) => {
  const server = useBroker({ config: { authorization } });

  test('right', async () => {
    await (await client(server.port, { authenticator: right })).flush();
  });

  test('wrong or none is an authorization error of the client', async () => {
    await expect(client(server.port, { authenticator: wrong })).rejects.toThrow(/Authorization Violation/i);
    await expect(client(server.port)).rejects.toThrow(/Authorization Violation/i);
  });
});
