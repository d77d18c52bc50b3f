import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAIN, runCli, startCli, startServe, temporaryFolder } from './harness.js';

describe('the ports file', () => {
  it('says where the broker listens, is alone in its folder, and is gone after a stop', async () => {
    const { serve, ports, portsFile } = await startServe();
    expect(ports).toEqual({
      pid: serve.child.pid,
      nats: [expect.stringMatching(/^nats:\/\/127\.0\.0\.1:\d+$/)],
      monitoring: [],
      websocket: [],
      jsonl: [],
    });
    expect(readdirSync(dirname(portsFile))).toEqual(['ports.json']);
    expect(await serve.endWith('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(readdirSync(dirname(portsFile))).toEqual([]);
  });

  it('of a broker that took over stays when this one stops', async () => {
    const { serve, portsFile } = await startServe();
    writeFileSync(portsFile, JSON.stringify({ pid: 1 }));
    await serve.endWith('SIGTERM');
    expect(readdirSync(dirname(portsFile))).toEqual(['ports.json']);
  });
});

describe.each<[string, (folder: string) => string]>([
  ['a device', () => '/dev/null'],
  ['a directory', (folder) => folder],
  ['a symbolic link', (folder) => linkTo(folder, '/dev/null')],
  ['a symbolic link', (folder) => linkTo(folder, folder)],
  ['a symbolic link', (folder) => linkTo(folder, join(folder, 'nothing'))],
])('a ports file that is %s', (kind, make) => {
  it('is refused at the start and stays as it is', async () => {
    const path = make(temporaryFolder());
    const before = lstatSync(path);
    const { code, stdout, stderr } = await runCli(['serve', '--port', '0', '--ports-file', path]);
    expect(stderr).toBe(`shardcast: --ports-file ${path}: there is ${kind}; only a regular file is replaced\n`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const { mode, ino, rdev } = lstatSync(path);
    expect({ mode, ino, rdev }).toEqual({ mode: before.mode, ino: before.ino, rdev: before.rdev });
  });
});

it('a ports file that is replaced by something else meanwhile is not removed', async () => {
  const { serve, portsFile } = await startServe();
  rmSync(portsFile);
  mkdirSync(portsFile);
  expect(await serve.endWith('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(lstatSync(portsFile).isDirectory()).toBe(true);
});

function linkTo(folder: string, target: string): string {
  const path = join(folder, 'link.json');
  symlinkSync(target, path);
  return path;
}

it.each(['--port', '--jsonl-port', '--ws-port'])(
  'a second broker on the same %s is one line and exit code 2',
  async (flag) => {
    const first = await startServe(flag, '0');
    const { port } = new URL(
      (flag === '--port' ? first.ports.nats : [...first.ports.jsonl, ...first.ports.websocket])[0]!,
    );
    const others = flag === '--port' ? [] : ['--port', '0'];
    const { code, stdout, stderr } = await runCli(['serve', ...others, flag, port, '--shards', '2']);
    expect(stderr).toBe(`shardcast: cannot listen on 127.0.0.1:${port}: the port is taken (EADDRINUSE)\n`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  },
);

it('threads that cannot be started are one line and exit code 2', async () => {
  const few = 'ulimit -n 40; exec "$0" "$@"';
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', few, process.execPath, MAIN, 'serve', '--port', '0', '--shards', '16'],
    {
      encoding: 'utf8',
    },
  );
  expect(stderr).toMatch(/^shardcast: cannot start.*EMFILE.*\n/);
  expect(stderr).not.toContain('    at ');
  expect(status).toBe(2);
});

it('a thread that fails as it starts ends the process with its error and code 1, and nothing is listened to', async () => {
  const planted = "if (!(await import('node:worker_threads')).isMainThread) throw new Error('planted');";
  const { code, stdout, stderr } = await runCli(['serve', '--port', '0', '--shards', '3'], {
    env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(planted)}` },
  });
  expect(stderr).toMatch(/^shardcast: Error: planted\n/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});

it('a taken port is one line and exit code 2', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as { port: number };
  const { code, stderr } = await runCli(['serve', '--port', String(port)]);
  expect(stderr).toBe(`shardcast: cannot listen on 127.0.0.1:${port}: the port is taken (EADDRINUSE)\n`);
  expect(code).toBe(2);
});

it('an address that is not ours is one line and exit code 2', async () => {
  const { code, stderr } = await runCli(['serve', '--host', '192.0.2.1', '--no-auth', '--port', '0']);
  expect(stderr).toBe('shardcast: cannot listen on 192.0.2.1:0: this machine has no such address (EADDRNOTAVAIL)\n');
  expect(code).toBe(2);
});

it('takes its options from the environment and a file', async () => {
  const file = join(temporaryFolder(), 'broker.yaml');
  writeFileSync(file, 'log_level: debug\nshards: 2\norder: topic\n');
  const serve = startCli(['serve'], { SHARDCAST_PORT: '0', SHARDCAST_CONFIG: file, SHARDCAST_ORDER: 'publisher' });
  await serve.until('stdout', 'listening');
  expect(JSON.parse(serve.stdout.split('\n').find((line) => line.includes('"listening"'))!)).toMatchObject({
    level: 30,
    pid: serve.child.pid,
    shards: 2,
    order: 'publisher',
  });
});

it('--pretty logs for people, without colours when it is not to a terminal', async () => {
  const { serve } = await startServe('--pretty');
  expect(serve.stdout).toMatch(/INFO: listening\n/);
  expect(serve.stdout).not.toContain('\u001b');
});

it('says where its streams are', async () => {
  const data = temporaryFolder();
  const streamsOf = (text: string) =>
    JSON.parse(text.split('\n').find((line) => line.includes('"listening"'))!).streams;
  expect(streamsOf((await startServe('--data', data)).serve.stdout)).toBe(data);
  expect(streamsOf((await startServe()).serve.stdout)).toBe('in memory only');
});

it('does not start on a data directory that another broker has', async () => {
  const data = temporaryFolder();
  await startServe('--data', data);
  expect(await runCli(['serve', '--port', '0', '--data', data])).toMatchObject({
    code: 2,
    stderr: `shardcast: the data directory cannot be used: ${data} is used by another broker\n`,
  });
});

describe('--check-config', () => {
  it('ends with 0 without starting anything', async () => {
    expect(await runCli(['serve', '-t', '--port', '1'])).toEqual({
      code: 0,
      stdout: 'the options are valid\n',
      stderr: '',
    });
  });

  it('names the file and the line of what is wrong', async () => {
    const file = join(temporaryFolder(), 'broker.json');
    writeFileSync(file, '{\n  "port": 4222,\n  "max_paylod": 5\n}');
    const { code, stderr } = await runCli(['serve', '-t', '-c', file]);
    expect(stderr).toBe(`shardcast: ${file}:3: max_paylod: there is no such option; did you mean max_payload?\n`);
    expect(code).toBe(2);
  });

  it('warns of a variable that is nearly one of ours', async () => {
    const { code, stderr } = await runCli(['serve', '-t'], { env: { SHARDCAST_MAX_PAYLAOD: '1' } });
    expect(stderr).toContain('no option reads SHARDCAST_MAX_PAYLAOD; did you mean SHARDCAST_MAX_PAYLOAD?');
    expect(code).toBe(0);
  });
});

it('never shows a secret that is not allowed', async () => {
  const { stderr } = await runCli(['serve', '--user', 'a', '--pass', '$2a$10$nothash']);
  expect(stderr).toContain('--pass: this value is not allowed');
  expect(stderr).not.toContain('nothash');
});
