import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Conn, Sample } from '../../src/cli/top/polling.js';
import { describeServer, frame } from '../../src/cli/top/view.js';
import { RawClient } from '../harness/rawClient.js';
import { useBroker } from '../harness/server.js';
import { runCli, startCli } from './harness.js';

const counts = (of: number) => ({ in_msgs: of, out_msgs: 2 * of, in_bytes: 1024 * of, out_bytes: 2048 * of });

function sample(atMs: number, of: number, connections: readonly Conn[], start = 'then'): Sample {
  return { atMs, varz: { server_id: 'ID', server_name: 'here', version: '1', start, ...counts(of) }, connections };
}

/** The cells of a line that begins with a text. */
function cells(text: string, begin: string): string[] {
  const line = text.split('\n').find((each) => each.trim().startsWith(begin));
  return (line ?? '').trim().split(/ {2,}/);
}

/** Has a server listen on the first of these ports that nobody has taken; returns the rest, too. */
async function firstFree(server: http.Server, ports: readonly number[]): Promise<readonly number[]> {
  const [port, ...others] = ports;
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return ports;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || others.length === 0) throw error;
    return await firstFree(server, others);
  }
}

describe('rates', () => {
  const conn = (cid: number, of: number): Conn => ({ cid, name: `n${cid}`, ip: '::1', port: 7, ...counts(of) });

  it('are those between two looks, of the server and of connections seen in both', () => {
    const before = sample(1000, 100, [conn(1, 10), conn(2, 10)]);
    const text = describeServer(before, sample(3000, 300, [conn(1, 30), conn(3, 50)]), false);
    expect(cells(text, 'in ')).toEqual(['in', '100', '100 KiB', '300', '300 KiB']);
    expect(cells(text, 'out ')).toEqual(['out', '200', '200 KiB', '600', '600 KiB']);
    expect(cells(text, '1 ')).toEqual(['1', 'n1', '[::1]:7', '0', '0 B', '10', '20', '10 KiB', '20 KiB']);
    expect(cells(text, '3 ').slice(5)).toEqual(['-', '-', '-', '-']);
    expect(cells(text, '2 ')).toEqual(['']);
  });

  it('are not known of a server that has been started anew', () => {
    const text = describeServer(sample(0, 100, [conn(1, 1)]), sample(1000, 300, [conn(1, 2)], 'now'), false);
    expect(cells(text, 'in ')).toEqual(['in', '-', '-', '300', '300 KiB']);
    expect(cells(text, '1 ').slice(5)).toEqual(['-', '-', '-', '-']);
  });

  it('names cannot command a terminal, and are cut', () => {
    const named = sample(0, 1, [{ ...conn(1, 1), name: `\x1b[2J\n${'x'.repeat(99)}` }]);
    const line = describeServer(named, named, true)
      .split('\n')
      .find((each) => each.includes('xxx'));
    expect(line).not.toContain('\x1b');
    expect(line).toMatch(/x{10,23}… {2}/);
  });
});

it('a frame is cut to the terminal, styles take no room of it', () => {
  expect(frame('\x1b[1mabcdef\x1b[22m\nb\nc\nd\n', 3, 4)).toBe(
    '\x1b[H\x1b[1mabc\x1b[22m\x1b[K\nb\x1b[K\nc\x1b[K\n\x1b[J',
  );
});

describe('top', () => {
  const server = useBroker({ shards: 1, config: { http_port: -1 } });
  const url = () => `http://127.0.0.1:${server.broker.monitoringPort}`;

  it('shows a server and its busiest connections as plain text', async () => {
    const quiet = await RawClient.connect(server.port, { name: 'quiet' });
    const busy = await RawClient.connect(server.port, { name: 'busy one' });
    await busy.exchange('SUB a 1\r\nPUB a 5\r\nhello\r\nPUB a 5\r\nhello\r\n');
    await quiet.exchange();
    const { code, stdout, stderr } = await runCli(['top', url(), '--count', '2', '--delay', '10ms']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\x1b');
    expect(stdout.match(/^server .* slow consumers/gm)).toHaveLength(2);
    expect(cells(stdout, 'in ').slice(3)).toEqual(['2', '10 B']);
    expect(stdout).toMatch(/ {2}busy one {2}127\.0\.0\.1:\d+ +1 (.|\n)* {2}quiet {2}/);
    const one = await runCli(['top', url(), '--once', '-d', '10ms', '-c', '1', '--sort', 'bytes_from']);
    expect(one.stdout).toContain('busy one');
    expect(one.stdout).not.toContain('quiet');
  });

  it('goes on until it is interrupted, which is no error', async () => {
    const top = startCli(['top', url(), '-d', '10ms']);
    await top.until('stdout', '\n\nserver ');
    expect(await top.endWith('SIGINT')).toEqual({ code: 0, signal: null });
    expect(top.stderr).toBe('');
  });

  it('says so when a port is no monitoring port', async () => {
    const web = http.createServer((_, response) => void response.end('<html>')).listen(0, '127.0.0.1');
    const guarded = http.createServer(({ headers }, response) => {
      const isRight = headers.authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`;
      response.writeHead(isRight ? 404 : 401).end();
    });
    guarded.listen(0, '127.0.0.1');
    await Promise.all([web, guarded].map((each) => each.listening || once(each, 'listening')));
    const [webPort, guardedPort] = [web, guarded].map((each) => (each.address() as AddressInfo).port);
    const none = (port: number) => `http://127.0.0.1:${port}/ is no monitoring port of a NATS server`;
    const cases: [string, string][] = [
      [`127.0.0.1:${server.port}`, none(server.port)],
      [`127.0.0.1:${webPort}`, none(webPort!)],
      [`127.0.0.1:${guardedPort}`, `http://127.0.0.1:${guardedPort}/ refused the credentials`],
      [`me:secret@127.0.0.1:${guardedPort}`, none(guardedPort!)],
      // nobody can listen there without being asked to by the system's administrator
      ['127.0.0.1:2', 'nothing listens at http://127.0.0.1:2/'],
    ];
    const ends = await Promise.all(cases.map(([where]) => runCli(['top', `http://${where}`])));
    expect(ends.map(({ code }) => code)).toEqual(cases.map(() => 1));
    for (const [at, [, message]] of cases.entries()) expect(ends[at]!.stderr).toContain(`shardcast: ${message}`);
    web.close();
    guarded.close();
  });

  it('asks whichever port it is given', async () => {
    const telling = http.createServer(({ url: path }, response) => {
      const told = { server_id: 'ID', version: '1', start: 'then', connections: [], ...counts(1) };
      response.end(JSON.stringify(path?.startsWith('/connz') ? told : { ...told, connections: 0 }));
    });
    // one that browsers are kept from
    const [port] = await firstFree(telling, [6000, 6566, 6665, 6666, 6667, 6668, 6669, 10080]);
    const { code, stdout, stderr } = await runCli(['top', `127.0.0.1:${port}`, '--once', '-d', '10ms']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('server ');
    telling.close();
  });
});
