import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { type CliProcess, type Ports, runCli, startCli, temporaryFolder } from './harness.js';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly reason?: string;
  readonly user?: string;
  readonly count?: number;
  readonly inBytes?: number;
  readonly outBytes?: number;
}

const linesOf = (path: string): Line[] => {
  const text = (() => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  })();
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line);
};
const textsOf = (path: string): string[] => linesOf(path).map(({ msg }) => msg);

/** Starts a broker that says on standard output nothing. */
async function startLogged(log: string, ...args: readonly string[]): Promise<{ serve: CliProcess; port: number }> {
  const portsFile = join(temporaryFolder(), 'ports.json');
  const serve = startCli(['serve', '--port', '0', '--ports-file', portsFile, '-l', log, ...args]);
  await expect.poll(() => textsOf(log), { timeout: 10_000 }).toContain('listening');
  const { nats } = JSON.parse(readFileSync(portsFile, 'utf8')) as Ports;
  return { serve, port: Number(new URL(nats[0] as string).port) };
}

describe('--log-file and --pid', () => {
  it('has what would be on standard output, and SIGUSR1 opens it anew by its name', async () => {
    const folder = temporaryFolder();
    const [log, pid] = [join(folder, 'log'), join(folder, 'pid')];
    const { serve } = await startLogged(log, '-P', pid);
    expect(Number(readFileSync(pid, 'utf8'))).toBe(serve.child.pid);
    expect(textsOf(log)).toContain('listening');
    const before = textsOf(log).length;
    renameSync(log, join(folder, 'old'));
    serve.child.kill('SIGUSR1');
    await expect.poll(() => textsOf(log)).toEqual(['the log file was reopened']);
    serve.child.kill('SIGTERM');
    expect((await serve.ended).code).toBe(0);
    expect(textsOf(log).slice(-1)).toEqual(['stopped']);
    expect(textsOf(join(folder, 'old')).length).toBe(before);
    expect(() => readFileSync(pid)).toThrow('ENOENT');
  });

  it("nats-server's names are known in a file, and what cannot be written ends the start", async () => {
    const folder = temporaryFolder();
    const config = join(folder, 'config.yaml');
    writeFileSync(config, `log_file: ${join(folder, 'log')}\npid_file: ${folder}\n`);
    const pid = await runCli(['serve', '--port', '0', '--config', config]);
    expect(pid).toMatchObject({ code: 2, stdout: '' });
    expect(pid.stderr).toContain(`--pid ${folder}: there is a directory`);
    const log = await runCli(['serve', '--port', '0', '--log-file', join(folder, 'missing', 'log')]);
    expect(log).toMatchObject({ code: 2, stdout: '' });
    expect(log.stderr).toContain('(ENOENT)');
  });
});

it('connections are logged with who they were and what they did, and whose fault their ends were, seldom', async () => {
  const log = join(temporaryFolder(), 'log');
  const { serve, port } = await startLogged(log, '--log-level', 'debug', '--user', 'me', '--pass', 'secret');
  const client = await RawClient.connect(port, { user: 'me', pass: 'secret', name: 'good' });
  await client.exchange('SUB a 1\r\nPUB a 5\r\nhello\r\n');
  client.close();
  for (let i = 0; i < 20; i++) await RawClient.connect(port, { user: 'you', pass: 'wrong' }).catch(() => {});
  const bad = await RawClient.connect(port, { user: 'me', pass: 'secret', name: 'bad' });
  await bad.exchange('NONSENSE\r\n').catch(() => {});
  await expect.poll(() => linesOf(log).filter(({ level }) => level === 40).length).toBe(2);
  const lines = linesOf(log);
  expect(lines.filter(({ msg }) => msg === 'credentials refused: connection is ended')).toEqual([
    expect.objectContaining({ level: 40, user: 'you', reason: 'Authorization Violation', count: 1 }),
  ]);
  expect(lines.filter(({ msg }) => msg === 'protocol error: connection is ended')).toEqual([
    expect.objectContaining({ level: 40, name: 'bad', reason: 'Unknown Protocol Operation' }),
  ]);
  await expect.poll(() => textsOf(log).filter((text) => text === 'connection ended').length).toBe(22);
  expect(textsOf(log).filter((text) => text === 'connection opened').length).toBe(22);
  expect(
    linesOf(log).find((line) => line.msg === 'connection ended' && 'name' in line && line.name === 'good'),
  ).toEqual(expect.objectContaining({ level: 20, user: 'me', inBytes: 5, outBytes: 5, seconds: expect.any(Number) }));
  serve.child.kill('SIGTERM');
  await serve.ended;
});
