import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { runCli, startCli, startServe } from './harness.js';

/** Starts `sub` and waits until its subscription is in place. */
async function startSub(url: string, ...args: string[]) {
  const sub = startCli(['sub', '--server', url, ...args]);
  await sub.until('stderr', 'subscribed to');
  return sub;
}

describe('sub', () => {
  it('prints subject and payload, and ends after --count messages', async () => {
    const { url } = await startServe();
    const sub = await startSub(url, 'orders.*', 'payments', '--count', '2');
    await runCli(['pub', 'orders.new', 'hello', '--server', url]);
    await runCli(['pub', 'payments', 'paid', '--server', url]);
    expect(await sub.ended).toEqual({ code: 0, signal: null });
    expect(sub.stdout).toBe('[orders.new] hello\n[payments] paid\n');
  });

  it('--raw prints payloads alone, to the byte', async () => {
    const { url } = await startServe();
    const sub = await startSub(url, 'a', '--raw', '--count', '1');
    sub.child.stdout?.setEncoding('latin1');
    await runCli(['pub', 'a', '-', '--server', url], { input: Buffer.from([0, 0xff, 0x0d, 0x0a, 0x1b]) });
    await sub.ended;
    expect(sub.stdout).toBe('\u0000\u00ff\r\n\u001b\n');
  });

  it('--json prints an object a line, with headers, reply and what is not UTF-8 in base64', async () => {
    const { url } = await startServe();
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
    const { url } = await startServe();
    const sub = await startSub(url, 'a', '--headers', '--count', '1');
    await runCli(['pub', 'a', 'text', '--header', 'trace:42', '--server', url]);
    await sub.ended;
    expect(sub.stdout).toBe('[a] text\n  trace: 42\n');
  });

  it('--queue shares the messages', async () => {
    const { url } = await startServe();
    const first = await startSub(url, 'a', '--queue', 'q', '--raw');
    const second = await startSub(url, 'a', '--queue', 'q', '--raw');
    await runCli(['pub', 'a', '--lines', '--server', url], { input: '1\n2\n3\n4\n5\n6\n' });
    const ended = await Promise.all([first.endWith('SIGINT'), second.endWith('SIGINT')]);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const received = (first.stdout + second.stdout).split('\n').filter((line) => line !== '');
    expect(received.sort()).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('ends quietly when nobody reads what it prints', async () => {
    const { url } = await startServe();
    const sub = await startSub(url, 'a');
    sub.child.stdout?.destroy();
    await runCli(['pub', 'a', 'x', '--server', url]);
    expect(await sub.ended).toEqual({ code: 0, signal: null });
    expect(sub.stderr).not.toContain('EPIPE');
  });

  it('waits for a reader that is slower than the publisher, and loses nothing', async () => {
    const { url } = await startServe();
    const sub = await startSub(url, 'a', '--raw', '--count', '300');
    sub.child.stdout?.pause();
    await runCli(['pub', 'a', '--count', '300', '--server', url], { input: 'x'.repeat(65_535) });
    sub.child.stdout?.resume();
    await sub.ended;
    expect(sub.stdout.length).toBe(300 * 65_536);
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
    const { url } = await startServe();
    const sub = await startSub(url, 'a', '--raw', '--count', '5');
    expect(await runCli(['pub', 'a', 'same', '--count', '2', '--server', url])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    await runCli(['pub', 'a', '--lines', '--server', url], { input: 'one\n\nlast' });
    await sub.ended;
    expect(sub.stdout).toBe('same\nsame\none\n\nlast\n');
  });

  it('publishes an empty payload', async () => {
    const { url } = await startServe();
    const sub = await startSub(url, 'a', '--count', '1');
    await runCli(['pub', 'a', '', '--server', url]);
    await sub.ended;
    expect(sub.stdout).toBe('[a] \n');
  });

  it('keeps a line that comes in many pieces whole', async () => {
    const { url } = await startServe();
    const sub = await startSub(url, 'a', '--raw', '--count', '2');
    const pub = startCli(['pub', 'a', '--lines', '--server', url]);
    for (const piece of ['a'.repeat(70_000), 'b'.repeat(70_000), '\nc', 'd\n']) {
      if (!pub.child.stdin?.write(piece)) await once(pub.child.stdin!, 'drain');
    }
    pub.child.stdin?.end();
    await sub.ended;
    expect(sub.stdout).toBe(`${'a'.repeat(70_000)}${'b'.repeat(70_000)}\ncd\n`);
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
