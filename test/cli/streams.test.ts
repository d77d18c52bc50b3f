import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAIN, runCli, startServe, temporaryFolder } from './harness.js';

const ok = (stdout: string) => ({ code: 0, stdout, stderr: '' });
const failed = (code: number, stderr: string) => ({ code, stdout: '', stderr: `shardcast: ${stderr}\n` });

it.each([1, 4])('with %i shards a stream is made, filled, read and removed', async (shards) => {
  const { url } = await startServe('--shards', `${shards}`, '--data', temporaryFolder());
  const server = ['--server', url];
  expect((await runCli(['stream', 'add', 'S', ...server])).code).toBe(0);
  await runCli(['pub', 'S', 'one', '--count', '3', ...server]);
  expect((await runCli(['stream', 'get', 'S', '3', '--raw', ...server])).stdout).toBe('one');
  expect(await runCli(['stream', 'rm', 'S', '-f', ...server])).toEqual(ok(''));
});

describe('2 shards', () => {
  it('a stream is made, filled, shown, read, emptied and removed', async () => {
    const { url } = await startServe('--shards', '2', '--data', temporaryFolder());
    const stream = (...args: string[]) => runCli(['stream', ...args, '--server', url]);
    expect(await stream('ls')).toEqual(ok('no streams\n'));
    const made = await stream(
      'add',
      'ORDERS',
      '--subjects',
      'orders.>,bills',
      '--max-age',
      '36h',
      '--sync',
      'interval:50',
      '--json',
    );
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const hour = 3_600e9;
    const config = { name: 'ORDERS', subjects: ['orders.>', 'bills'], storage: 'file', allow_direct: true };
    expect(JSON.parse(made.stdout)).toMatchObject({
      did_create: true,
      config: { ...config, max_age: 36 * hour, metadata: { 'shardcast.sync': 'interval:50' } },
    });
    await stream('add', 'other', '--storage', 'memory');
    await runCli(['pub', 'orders.new', 'one', '--header', 'trace:42', '--server', url]);
    await runCli(['pub', 'bills', 'two', '--count', '2', '--server', url]);

    const [names, some, list, shown, one, last, next, none] = await Promise.all([
      stream('ls', '--names'),
      stream('ls', '--names', '--subject', 'orders.*'),
      stream('ls'),
      stream('info', 'ORDERS'),
      stream('get', 'ORDERS', '1', '--headers'),
      stream('get', 'ORDERS', '--last-for', 'bills', '--json'),
      stream('get', 'ORDERS', '1', '--next', 'bills', '--raw'),
      stream('get', 'ORDERS', '9'),
    ]);
    expect(names).toEqual(ok('ORDERS\nother\n'));
    expect(some).toEqual(ok('ORDERS\n'));
    expect(list.stdout).toMatch(/^name .*\nORDERS +3 .*file +orders\.>, bills\nother +0 +0 B +memory/);
    for (const line of [/max age +36h/, /max bytes +no limit/, /messages +3\n/, /last +3 at 20/])
      expect(shown.stdout).toMatch(line);
    expect(one.stdout).toMatch(/^\[orders\.new #1 20.*Z\] one\n {2}trace: 42\n$/);
    expect(JSON.parse(last.stdout)).toMatchObject({ subject: 'bills', sequence: 3, payload: 'two' });
    expect(next.stdout).toBe('two');
    expect(none).toEqual(failed(1, 'stream ORDERS: no message found (10037)'));

    const edited = await stream(
      'edit',
      'ORDERS',
      '--no-allow-direct',
      '--metadata',
      'a=b',
      '--sync',
      'never',
      '--force',
      '--json',
    );
    const { config: changed } = JSON.parse(edited.stdout);
    expect(changed).toMatchObject({
      allow_direct: false,
      metadata: { a: 'b', 'shardcast.sync': 'never' },
      max_age: 36 * hour,
    });
    const purged = await stream('purge', 'ORDERS', '--subject', 'bills', '--keep', '1', '--force');
    expect(purged).toEqual(ok('1 message removed\n'));
    expect(await stream('rm', 'ORDERS', '--force')).toEqual(ok(''));
    expect(await stream('info', 'ORDERS')).toEqual(failed(1, 'stream ORDERS: stream not found (10059)'));
  });
});

it('a configuration comes from a file, and flags go before it', async () => {
  const { url } = await startServe();
  const file = join(temporaryFolder(), 'stream.json');
  writeFileSync(file, JSON.stringify({ subjects: ['a'], storage: 'memory', max_msgs: 7, deny_delete: true }));
  const args = ['stream', 'add', 'S', '--config', file, '--max-msgs', '5', '--json', '--server', url];
  const { config } = JSON.parse((await runCli(args)).stdout);
  expect(config).toMatchObject({ name: 'S', subjects: ['a'], max_msgs: 5, deny_delete: true });
  writeFileSync(file, '[]');
  expect(await runCli(args)).toEqual(failed(2, `--config ${file}: a JSON object is expected`));
});

// Invariant 46 of docs/INVARIANTS.md.
it('pub ends with 0 when the stream that takes the subject has stored all, and says what is refused', async () => {
  const { url } = await startServe();
  const server = ['--server', url];
  const limits = ['--storage', 'memory', '--max-msgs', '2', '--discard', 'new'];
  await runCli(['stream', 'add', 'cli', '--subjects', 'cli.>', ...limits, ...server]);
  const pub = (...args: string[]) => runCli(['pub', 'cli.a', 'x', ...args, ...server]);
  expect(await pub('--count', '2', '--header', 'a:b')).toEqual(ok(''));
  expect(await pub()).toEqual(failed(1, 'stream cli: maximum messages exceeded (10077)'));
  // who names a reply is answered there
  expect((await pub('--reply', 'elsewhere')).code).toBe(0);
});

describe('what destroys', () => {
  it('is not done where nobody can be asked, unless forced', async () => {
    const { url } = await startServe();
    const server = ['--server', url];
    await runCli(['stream', 'add', 'S', '--storage', 'memory', ...server]);
    const commands = [['purge'], ['rm'], ['edit', '--max-msgs', '1']];
    for (const { code, stderr } of await Promise.all(
      commands.map(([name, ...flags]) => runCli(['stream', name!, 'S', ...flags, ...server])),
    )) {
      expect(code).toBe(2);
      expect(stderr).toContain('Nobody can be asked here: --force says yes');
    }
    expect((await runCli(['stream', 'info', 'S', ...server])).code).toBe(0);
  });

  it('asks at a terminal, and does what is answered', async () => {
    const { url } = await startServe();
    await runCli(['stream', 'add', 'S', '--storage', 'memory', '--server', url]);
    for (const [answer, code] of [
      ['n', 1],
      ['y', 0],
    ] as const) {
      const line = `'${process.execPath}' '${MAIN}' stream rm S --server ${url}`;
      const terminal = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
      const exited = once(terminal, 'exit');
      let shown = '';
      for await (const chunk of terminal.stdout) {
        shown += chunk;
        if (shown.endsWith('(y/N) ')) terminal.stdin.end(`${answer}\n`);
      }
      expect(shown).toContain('Really remove stream S and all its messages?');
      expect(await exited).toEqual([code, null]);
    }
    expect((await runCli(['stream', 'info', 'S', '--server', url])).code).toBe(1);
  });
});

it('a domain that nobody answers for is named as what may be wrong', async () => {
  const { url } = await startServe();
  const message = 'the server has no streams: JetStream is off, or --domain is another one';
  expect(await runCli(['stream', 'ls', '--domain', 'elsewhere', '--server', url])).toEqual(failed(1, message));
});
