import bcrypt from 'bcrypt';
import { describe, expect, test } from 'vitest';
import { connectLine, RawClient, talk } from '../harness/rawClient.js';
import { type BrokerConfig, useBroker } from '../harness/server.js';
import { ours } from '../harness/target.js';

const violation = ["-ERR 'Authorization Violation'"];
// Go's bcrypt, and so nats-server, writes and takes $2a$.
const hash = (secret: string): string => bcrypt.hashSync(secret, 4).replace(/^\$2b\$/, '$2a$');

async function refused(port: number, bytes: string): Promise<string[]> {
  const client = await RawClient.open(port);
  client.send(bytes);
  return client.expectClosed();
}

type Authorization = NonNullable<BrokerConfig['authorization']>;
const kinds: readonly (readonly [string, Authorization, object, readonly object[]])[] = [
  ['token', { token: 'tok' }, { auth_token: 'tok' }, [{ auth_token: 'no' }, { auth_token: '' }, {}, { user: 'tok' }]],
  [
    'user and password',
    { user: 'u', password: 'p' },
    { user: 'u', pass: 'p' },
    [{ user: 'u', pass: 'x' }, { user: 'x', pass: 'p' }, { user: 'u' }, { pass: 'p' }, { auth_token: 'p' }, {}],
  ],
  ['bcrypt token', { token: hash('secret') }, { auth_token: 'secret' }, [{ auth_token: 'no' }, {}]],
  [
    'bcrypt password',
    { user: 'u', password: hash('secret') },
    { user: 'u', pass: 'secret' },
    [{ user: 'u', pass: 'x' }],
  ],
];

describe.each(kinds)('%s', (_, authorization, good, bad) => {
  const server = useBroker({ config: { authorization } });

  test('INFO says that it is required', async () => {
    expect((await (await RawClient.open(server.port)).info()).auth_required).toBe(true);
  });

  test('the right credentials come in', async () => {
    expect(await talk(server.port, 'SUB a 1\r\nPUB a 1\r\nx\r\n', { ...good })).toEqual(['MSG a 1 | x']);
  });

  test.each(bad)('%j does not', async (options) => {
    expect(await refused(server.port, `${connectLine({ ...options })}PING\r\n`)).toEqual(violation);
  });

  test.each(['PING\r\n', 'SUB > 1\r\n', 'PUB a 1\r\nx\r\n', '+OK\r\n', 'INFO {}\r\n', '\r\n', 'X'])(
    'before CONNECT %j is refused',
    async (bytes) => {
      expect(await refused(server.port, bytes)).toEqual(violation);
    },
  );

  test('a second CONNECT with wrong credentials ends the connection', async () => {
    const client = await RawClient.connect(server.port, { ...good });
    client.send(connectLine({ user: 'x', pass: 'x', auth_token: 'x' }));
    expect(await client.expectClosed()).toEqual(violation);
  });

  test('a wrong CONNECT cannot be made good, nor can what follows it be heard', async () => {
    const listener = await RawClient.connect(server.port, { ...good });
    await listener.exchange('SUB secret 1\r\n');
    const bytes = `${connectLine({ user: 'x', auth_token: 'x' })}${connectLine({ ...good })}PUB secret 1\r\nx\r\nPING\r\n`;
    expect(await refused(server.port, bytes)).toEqual(violation);
    expect(await listener.exchange()).toEqual([]);
  });

  test('what comes with a good CONNECT in one segment is taken, in any case and any split', async () => {
    const client = await RawClient.open(server.port);
    for (const byte of connectLine({ ...good }).replace('CONNECT', 'cOnNeCt')) await client.sendAlone(byte);
    expect(await client.exchange('SUB a 1\r\nPUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x']);
  });

  test('an endless CONNECT is ended before it costs memory', async () => {
    expect(await refused(server.port, `CONNECT {"name":"${'n'.repeat(6000)}`)).toEqual([
      "-ERR 'maximum control line exceeded'",
    ]);
  });
});

describe('a stored hash', () => {
  const stored = hash('secret');
  const server = useBroker({ config: { authorization: { user: 'u', password: stored } } });

  test('is not itself a password', async () => {
    expect(await refused(server.port, connectLine({ user: 'u', pass: stored }))).toEqual(violation);
  });

  ours('who was refused is gone with its own end, not only when the broker tires of it', async () => {
    const bystander = await RawClient.connect(server.port, { user: 'u', pass: 'secret' });
    const before = server.broker.descriptors;
    await refused(server.port, connectLine({ user: 'u', pass: 'x' }));
    // its end was there before the first of these, which take a fraction of the broker's patience
    for (let i = 0; i < 1000 && server.broker.descriptors > before; i++) await bystander.exchange();
    expect(server.broker.descriptors).toBe(before);
  });
});

describe('hashes as other tools write them', () => {
  const server = useBroker({ config: { authorization: { user: 'u', password: bcrypt.hashSync('secret', 4) } } });

  ours('$2b$ is taken', async () => {
    expect(await talk(server.port, '', { user: 'u', pass: 'secret' })).toEqual([]);
  });
});

describe('timeout', () => {
  const server = useBroker({ config: { authorization: { token: 'tok', timeout: 0.3 } } });

  test.each(['', 'CONNECT {"auth', 'conn'])('without a whole CONNECT (%j) the connection is ended', async (bytes) => {
    expect(await refused(server.port, bytes)).toEqual(["-ERR 'Authentication Timeout'"]);
  });

  test('who came in stays in, until after others were timed out', async () => {
    const client = await RawClient.connect(server.port, { auth_token: 'tok' });
    await refused(server.port, '');
    await refused(server.port, '');
    expect(await client.exchange()).toEqual([]);
  });
});

describe('without authentication', () => {
  const server = useBroker();

  test('credentials are not looked at', async () => {
    expect(await talk(server.port, '', { user: 'u', pass: 'p', auth_token: 't' })).toEqual([]);
  });
});
