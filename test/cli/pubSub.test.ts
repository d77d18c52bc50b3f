import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useBroker } from '../harness/server.js';
import { runCli, startCli, startServe } from './harness.js';

/** For what needs no broker of its own. */
const server = useBroker({ shards: 2 });

/** Starts `sub` and waits until its subscription is in place. */
async function startSub(url: string, ...args: string[]) {
  const sub = startCli(['sub', '--server', url, ...args]);
  await sub.until('stderr', 'subscribed to');
  return sub;
}

describe('sub', () => {
  it('prints subject and payload, and ends after --count messages', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'orders.*', 'payments', '--count', '2');
    await runCli(['pub', 'orders.new', 'hello', '--server', url]);
    await runCli(['pub', 'payments', 'paid', '--server', url]);
    expect(await sub.ended).toEqual({ code: 0, signal: null });
    expect(sub.stdout).toBe('[orders.new] hello\n[payments] paid\n');
  });

  it('--raw prints payloads alone, to the byte', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'a', '--raw', '--count', '1');
    sub.child.stdout?.setEncoding('latin1');
    await runCli(['pub', 'a', '-', '--server', url], { input: Buffer.from([0, 0xff, 0x0d, 0x0a, 0x1b]) });
    await sub.ended;
    expect(sub.stdout).toBe('\u0000\u00ff\r\n\u001b');
  });

  it('--json prints an object a line, with headers, reply and what is not UTF-8 in base64', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'a', '--json', '--count', '2');
    await runCli(['pub', 'a', 'text', '-H', 'k: 1', '-H', 'k:2', '--reply', 'inbox', '--server', url]);
    await runCli(['pub', 'a', '--server', url], { input: Buffer.from([0xff]) });
    await sub.ended;
    expect(
      sub.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { subject: 'a', reply: 'inbox', headers: { k: ['1', '2'] }, payload: 'text' },
      { subject: 'a', payloadBase64: '/w==' },
    ]);
  });

  it('--headers prints them below the payload', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'a', '--headers', '--count', '1');
    await runCli(['pub', 'a', 'text', '--header', 'trace:42', '--server', url]);
    await sub.ended;
    expect(sub.stdout).toBe('[a] text\n  trace: 42\n');
  });

  it('--queue shares the messages', async () => {
    const { url } = server.broker;
    const first = await startSub(url, 'a', '--queue', 'q');
    const second = await startSub(url, 'a', '--queue', 'q');
    await runCli(['pub', 'a', '--lines', '--server', url], { input: '1\n2\n3\n4\n5\n6\n' });
    const ended = await Promise.all([first.endWith('SIGINT'), second.endWith('SIGINT')]);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const received = (first.stdout + second.stdout).split('\n').filter((line) => line !== '');
    expect(received.sort()).toEqual(['1', '2', '3', '4', '5', '6'].map((line) => `[a] ${line}`));
  });

  it('ends quietly when nobody reads what it prints', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'a');
    sub.child.stdout?.destroy();
    await runCli(['pub', 'a', 'x', '--server', url]);
    expect(await sub.ended).toEqual({ code: 0, signal: null });
    expect(sub.stderr).not.toContain('EPIPE');
  });

  it('waits for a reader that is slower than the publisher, and loses nothing', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'a', '--raw', '--count', '300');
    sub.child.stdout?.pause();
    await runCli(['pub', 'a', '--count', '300', '--server', url], { input: 'x'.repeat(65_535) });
    sub.child.stdout?.resume();
    await sub.ended;
    expect(sub.stdout.length).toBe(300 * 65_535);
  });

  it('--timeout ends it, and is an error when --count messages did not come', async () => {
    const { url } = server.broker;
    const all = await startSub(url, 'a', '--timeout', '300ms');
    expect(await all.ended).toEqual({ code: 0, signal: null });
    const { code, stdout, stderr } = await runCli([
      'sub',
      'a',
      '--timeout',
      '300ms',
      '--count',
      '2',
      '-q',
      '--server',
      url,
    ]);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: 'shardcast: 0 of 2 messages within 300ms\n',
    });
  });

  it('--last gives the last message of each subject first', async () => {
    const { url } = await startServe('--last-value', 'md.>', '--shards', '2');
    await runCli(['pub', 'md.a', '1', '--server', url]);
    await runCli(['pub', 'md.a', '2', '--server', url]);
    await runCli(['pub', 'md.b', '3', '--server', url]);
    const sub = await startSub(url, 'md.*', '--last', '--count', '2');
    await sub.ended;
    expect(sub.stdout.trim().split('\n').sort()).toEqual(['[md.a] 2', '[md.b] 3']);
  });

  it('--policy is granted, and what was lost is told', async () => {
    const { url } = await startServe('--shards', '2');
    const sub = await startSub(url, 'a', '--policy', 'drop-new', '--raw');
    sub.child.stdout?.pause();
    const count = 60_000;
    await runCli(['pub', 'a', '--count', `${count}`, '--server', url], { input: 'x'.repeat(1000) });
    sub.child.stdout?.resume();
    await sub.until('stderr', 'lost');
    await runCli(['pub', 'a', '!', '--server', url]);
    await sub.until('stdout', '!');
    await sub.endWith('SIGINT');
    const lost = [...sub.stderr.matchAll(/^shardcast: lost (\d+) messages on a \(drop-new\)$/gm)];
    const total = lost.reduce((sum, [, dropped]) => sum + Number(dropped), 0);
    expect(total).toBeGreaterThan(0);
    expect((sub.stdout.length - 1) / 1000 + total).toBe(count);
  });

  it('--policy and --last are refused where the server is no Shardcast', async () => {
    const server = createServer((socket) => {
      socket.write('INFO {"server_id":"x","version":"2.10.0","max_payload":1000,"headers":true,"proto":1}\r\n');
      socket.on('data', (text) => `${text}`.includes('PING') && socket.write('PONG\r\n'));
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const url = `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const flags of [['--policy', 'block'], ['--last']]) {
      const { code, stderr } = await runCli(['sub', 'a', ...flags, '--server', url]);
      expect(stderr).toMatch(/^shardcast: \S+ is not a Shardcast broker: only one knows --policy and --last\n$/);
      expect(code).toBe(1);
    }
  });

  it('ends with 1 when the credentials are wrong', async () => {
    const { url } = await startServe('--user', 'alice', '--pass', 'secret');
    const { code, stderr } = await runCli(['sub', 'a', '--server', url, '--user', 'alice', '--pass', 'wrong']);
    expect(stderr).toMatch(/^shardcast: 127\.0\.0\.1:\d+ refused the credentials \([^\n]+\n$/);
    expect(code).toBe(1);
  });
});

describe('pub', () => {
  it('publishes --count times, and each line with --lines', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'a', '--count', '5');
    expect(await runCli(['pub', 'a', 'same', '--count', '2', '--server', url])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    await runCli(['pub', 'a', '--lines', '--server', url], { input: 'one\n\nlast' });
    await sub.ended;
    expect(sub.stdout).toBe('[a] same\n[a] same\n[a] one\n[a] \n[a] last\n');
  });

  it('publishes an empty payload', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'a', '--count', '1');
    await runCli(['pub', 'a', '', '--server', url]);
    await sub.ended;
    expect(sub.stdout).toBe('[a] \n');
  });

  it('keeps a line that comes in many pieces whole', async () => {
    const { url } = server.broker;
    const sub = await startSub(url, 'a', '--raw', '--count', '2');
    const pub = startCli(['pub', 'a', '--lines', '--server', url]);
    for (const piece of ['a'.repeat(70_000), 'b'.repeat(70_000), '\nc', 'd\n']) {
      if (!pub.child.stdin?.write(piece)) await once(pub.child.stdin!, 'drain');
    }
    pub.child.stdin?.end();
    await sub.ended;
    expect(sub.stdout).toBe(`${'a'.repeat(70_000)}${'b'.repeat(70_000)}cd`);
  });

  it.each([
    ['of the command line', ['x'.repeat(3000)]],
    ['of standard input', ['-']],
    ['of a line', ['--lines']],
  ])('refuses a payload %s that is above max_payload', async (_where, args) => {
    const { url } = await startServe('--max-payload', '2000');
    const { code, stderr } = await runCli(['pub', 'a', ...args, '--server', url], { input: 'x'.repeat(3000) });
    expect(stderr).toBe("shardcast: the payload is longer than the server's max_payload of 2000 bytes\n");
    expect(code).toBe(1);
  });

  it('takes the server and the credentials from the URL or the environment', async () => {
    const { url } = await startServe('--user', 'alice', '--pass', 's3cret');
    const withUser = url.replace('nats://', 'nats://alice:s3cret@');
    expect((await runCli(['pub', 'a', 'x', '--server', withUser])).code).toBe(0);
    const env = { SHARDCAST_URL: url, SHARDCAST_USER: 'alice', SHARDCAST_PASS: 's3cret' };
    expect((await runCli(['pub', 'a', 'x'], { env })).code).toBe(0);
    expect((await runCli(['pub', 'a', 'x'], { env: { NATS_URL: withUser } })).code).toBe(0);
  });

  it('takes a token', async () => {
    const { url } = await startServe('--token', 't0ken');
    expect((await runCli(['pub', 'a', 'x', '--server', url, '--token', 't0ken'])).code).toBe(0);
    expect((await runCli(['pub', 'a', 'x', '--server', url.replace('nats://', 'nats://t0ken@')])).code).toBe(0);
    expect((await runCli(['pub', 'a', 'x', '--server', url])).code).toBe(1);
  });
});
