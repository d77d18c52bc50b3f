import { once } from 'node:events';
import { request } from 'node:http';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { monitorConnectionsMax, monitorRequestMs } from '../../src/base/limits.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';

/** Only so that a hang says what it was waiting for. */
const patienceMs = 45_000;

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
      // also when it was cut off
      response.on('close', () => resolve({ status: response.statusCode as number, text }));
    });
    asking.on('error', reject);
    asking.setTimeout(patienceMs, () => asking.destroy(new Error(`${method} ${path}: no answer`)));
    asking.end();
  });
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
    'who says half a request is let go, and clients of the broker are served meanwhile',
    async () => {
      const slow = Array.from({ length: 20 }, () => net.connect(port(), '127.0.0.1'));
      const closed = slow.map((socket) => {
        socket.on('error', () => {});
        socket.write('GET /varz HTTP/1.1\r\nHost: localhost\r\nX: ');
        socket.resume();
        return once(socket, 'close');
      });
      const client = await RawClient.connect(server.port);
      expect(await client.exchange('SUB a 1\r\nPUB a 1\r\nx\r\n')).toEqual(['MSG a 1 | x']);
      expect((await ask(port(), '/healthz')).status).toBe(200);
      await Promise.all(closed);
    },
    4 * monitorRequestMs,
  );

  test('hundreds of connections take a bounded number of places, and leave them', async () => {
    const sockets = Array.from({ length: monitorConnectionsMax + 50 }, () => net.connect(port(), '127.0.0.1'));
    let closed = 0;
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('close', () => closed++);
      socket.resume();
    }
    await expect.poll(() => closed).toBeGreaterThanOrEqual(50);
    const client = await RawClient.connect(server.port);
    expect(await client.exchange('SUB b 1\r\nPUB b 1\r\nx\r\n')).toEqual(['MSG b 1 | x']);
    for (const socket of sockets) socket.destroy();
    await expect
      .poll(() =>
        ask(port(), '/healthz').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });

  test('very many requests at once are answered, or refused with 503', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(port(), '/connz')));
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses.has(200)).toBe(true);
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  });
});
