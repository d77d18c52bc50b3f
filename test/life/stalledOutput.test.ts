import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { logUnwrittenBytesMax } from '../../src/base/limits.js';
import { MAIN } from '../cli/harness.js';
import { RawClient } from '../harness/rawClient.js';

const within = { timeout: 20_000 };

/** A broker that logs the protocol to a program which reads nothing until it is told to go on. */
async function stalledBroker(options: string) {
  const folder = mkdtempSync(join(tmpdir(), 'stalled-'));
  const file = (name: string) => join(folder, name);
  const text = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  const reader = `echo $$ > "${file('reader')}"; kill -STOP $$; exec cat > "${file('log')}"`;
  const serve = `"${process.execPath}" "${MAIN}" serve --port 0 -DV ${options} --ports-file "${file('ports')}"`;
  const shell = spawn('bash', ['-c', `${serve} | bash -c '${reader}'`]);
  const ended = once(shell, 'close');
  await expect.poll(() => text('reader'), within).toMatch(/\d+\n/);
  const goOn = () => process.kill(Number(text('reader')), 'SIGCONT');
  onTestFinished(async () => {
    if (shell.exitCode === null) goOn();
    await ended;
    rmSync(folder, { recursive: true });
  });
  await expect.poll(() => text('ports'), within).toContain('\n');
  const { pid, nats } = JSON.parse(text('ports')) as { pid: number; nats: string[] };
  const port = Number(new URL(nats[0] as string).port);
  return { pid, port, ended, goOn, log: () => text('log') };
}

test.each(['', '--pretty'])(
  'who reads the log and stands still holds up nobody, and is told how much it lost %s',
  async (options) => {
    const { pid, port, ended, goOn, log } = await stalledBroker(options);
    const payload = 'x'.repeat(60_000);
    // more than the log and a pipe keep, from connections that come one after the other
    for (let bytes = 0; bytes < 2 * logUnwrittenBytesMax; bytes += payload.length) {
      const client = await RawClient.connect(port);
      await client.exchange(`PUB a ${payload.length}\r\n${payload}\r\n`);
      client.close();
    }
    expect(log()).toBe('');
    goOn();
    await expect.poll(log, within).toContain('lines of the log were lost');
    expect(log()).toContain('x'.repeat(1_000));
    process.kill(pid, 'SIGTERM');
    await ended;
  },
);

test('a broker whose log nobody takes stops', async () => {
  const { pid, port, goOn } = await stalledBroker('');
  const payload = 'x'.repeat(60_000);
  for (let i = 0; i < 5; i++) {
    const client = await RawClient.connect(port);
    await client.exchange(`PUB a ${payload.length}\r\n${payload}\r\n`);
    client.close();
  }
  process.kill(pid, 'SIGTERM');
  await expect.poll(() => existsSync(`/proc/${pid}`), within).toBe(false);
  goOn();
});
