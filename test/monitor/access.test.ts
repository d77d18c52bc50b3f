import { once } from 'node:events';
import { request } from 'node:http';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { monitorConnectionsMax } from '../../src/base/limits.js';
import { RawClient } from '../harness/rawClient.js';
import { type Monitored, useBroker } from '../harness/server.js';

type Headers = Readonly<Record<string, string>>;

/** What a request gets, with any method and headers, also those that `fetch` sends none of. */
function ask(
  port: number,
  path: string,
  headers: Headers = {},
  method = 'GET',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (some: string) => {
        text += some;
      });
      response.on('end', () => resolve({ status: response.statusCode as number, text }));
      response.on('error', reject);
    });
    asking.on('error', reject);
    asking.end();
  });
}

/** A hang, not a limit of time: nothing here takes as long on any machine. */
const orHangMs = 120_000;

/** All that a connection gets until the other side ends it. */
async function allOf(socket: net.Socket): Promise<string> {
  let text = '';
  // a socket that nobody reads never closes once it was told something
  socket
    .on('error', () => {})
    .on('data', (some) => {
      text += some;
    });
  if (!socket.closed) await once(socket, 'close');
  return text;
}

/**
 * Has 50 connections more than there are places come, which say nothing, and leave when each was let go or has its place.
 *
 * @returns how many were let go without a word
 */
async function crowd(monitoringPort: number, clientPort: number): Promise<number> {
  const sockets = Array.from({ length: monitorConnectionsMax + 50 }, () => net.connect(monitoringPort, '127.0.0.1'));
  const ends = sockets.map(async (socket) => (await allOf(socket)) === '');
  const fifty = new Promise<void>((resolve) => {
    let closed = 0;
    for (const socket of sockets) socket.once('close', () => ++closed === 50 && resolve());
  });
  await fifty;
  const client = await RawClient.connect(clientPort);
  expect(await client.exchange('SUB b 1\r\nPUB b 1\r\nx\r\n')).toEqual(['MSG b 1 | x']);
  const ended = sockets.map((socket) => socket.closed);
  for (const socket of sockets) socket.destroy();
  return (await Promise.all(ends)).filter((isSilent, n) => isSilent && ended[n]).length;
}

/** 0 for a connection that found no place; any other error is a fault. */
function refusal(error: NodeJS.ErrnoException): number {
  if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
  return 0;
}

const basic = (user: string, pass: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`,
});

describe.each([
  [
    'a user and a password',
    { user: 'ann', password: 'secret' },
    [basic('ann', 'secret')],
    [basic('ann', 'wrong'), basic('bob', 'secret'), {}],
  ],
  [
    'a token',
    { token: 's3cret' },
    [{ authorization: 'Bearer s3cret' }, basic('s3cret', ''), basic('anybody', 's3cret')],
    [
      { authorization: 'Bearer wrong' },
      basic('s3cret', 'wrong'),
      { authorization: 's3cret' },
      { authorization: 'Basic ?' },
      {},
    ],
  ],
] as const)('with %s', (_, authorization, right, wrong) => {
  const server = useBroker({ config: { http_port: -1, authorization } });

  test('nothing is answered without', async () => {
    const port = server.broker.monitoringPort;
    for (const headers of right) expect((await ask(port, '/varz', headers)).status).toBe(200);
    for (const headers of wrong)
      for (const path of ['/', '/varz', '/healthz', '/nothing']) {
        const { status, text } = await ask(port, path, headers);
        expect([status, text]).toEqual([401, 'credentials are needed, or wrong']);
      }
    // four paths each; whoever gave none was but told that some are needed
    const refused = 4 * wrong.filter((headers) => 'authorization' in headers).length;
    const varz = JSON.parse((await ask(port, '/varz', right[0])).text);
    expect([varz.http_auth_failures, varz.auth_failures]).toEqual([refused, 0]);
    // one line at once, and one in a while for all others
    await expect.poll(() => server.broker.output).toContain('wrong credentials at the monitoring port');
    expect(server.broker.output.match(/wrong credentials at the monitoring port/g)!.length).toBeLessThan(refused);
  });
});

describe('with none', () => {
  const server = useBroker({ shards: 2, config: { http_port: -1 } });
  const port = (): number => server.broker.monitoringPort;

  test('a page that has had its name lead here is refused', async () => {
    for (const host of ['evil.example', 'evil.example:80', 'localhost.evil.example'])
      expect((await ask(port(), '/varz', { host })).status).toBe(403);
    for (const host of ['localhost', '127.0.0.1:8222', '[::1]:8222', 'me.localhost'])
      expect((await ask(port(), '/varz', { host })).status).toBe(200);
  });

  test('only GET and HEAD are answered', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])
      expect((await ask(port(), '/varz', {}, method)).status).toBe(405);
  });

  test('a request that is too long, or no HTTP, ends its connection and nothing else', async () => {
    expect((await ask(port(), `/connz?user=${'x'.repeat(20_000)}`)).status).toBe(431);
    for (const bytes of [
      '\0\x01\x02\r\n\r\n',
      'GET /varz\r\n\r\n',
      'GET /varz HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n',
      'CONNECT a:1 HTTP/1.1\r\n\r\n',
    ]) {
      const socket = net.connect(port(), '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    expect((await ask(port(), '/healthz')).status).toBe(200);
  });

  test(
    'who says nothing or half a request is told so and let go, and clients of the broker are served meanwhile',
    async () => {
      const closed = Array.from({ length: 20 }, (_, n) => {
        const socket = net.connect(port(), '127.0.0.1');
        if (n % 2 === 0) socket.write('GET /varz HTTP/1.1\r\nHost: localhost\r\nX: ');
        return allOf(socket);
      });
      const client = await RawClient.connect(server.port);
      expect(await client.exchange('SUB a 1\r\nPUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x']);
      expect((await ask(port(), '/healthz')).status).toBe(200);
      for (const text of await Promise.all(closed)) expect(text).toMatch(/^HTTP\/1.1 408 /);
    },
    orHangMs,
  );

  test(
    'who reads nothing of an answer is let go, and has nobody wait for ever',
    async () => {
      const client = await RawClient.connect(server.port);
      await client.exchange(
        Array.from({ length: 40_000 }, (_, n) => `SUB ${'long.'.repeat(40)}${n} ${n}\r\n`).join(''),
      );
      const path = '/connz?subs=detail';
      const socket = net.connect(port(), '127.0.0.1').pause();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      // the broker reads what comes first, first, most often; whichever has its turn first, both end
      const { text } = await ask(port(), path);
      const told = JSON.parse(text).connections.flatMap((each: Monitored) => each.subscriptions_list_detail ?? []);
      expect(told.map(({ sid }: Monitored) => Number(sid))).toEqual(Array.from({ length: 40_000 }, (_, n) => n));
      socket.resume();
      expect((await allOf(socket)).length).toBeLessThan(text.length);
      client.close();
    },
    orHangMs,
  );

  test('hundreds of connections take a bounded number of places, and leave them', async () => {
    // A process that stood still for longer than a request may take has let go of some before the last ones came.
    let dropped = 0;
    for (let attempt = 0; attempt < 3 && dropped !== 50; attempt++) dropped = await crowd(port(), server.port);
    expect(dropped).toBe(50);
    await expect.poll(() => ask(port(), '/healthz').then(({ status }) => status, refusal)).toBe(200);
  });

  test('very many requests at once are answered, or refused with 503', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(port(), '/connz')));
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses.has(200)).toBe(true);
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  });
});
