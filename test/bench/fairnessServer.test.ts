import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { portsOf } from '../../bench/fairness/server.js';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'shardcast-test-'));
  file = join(directory, 'ports.json');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function run(program: string) {
  return spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
}

test('a broker that ends as it starts is an error', async () => {
  await expect(portsOf(run('process.exit(3)'), file)).rejects.toThrow('ended as it started, with 3');
});

test('one that does not start is an error, and ended', async () => {
  const child = run('setInterval(() => {}, 1000)');
  await expect(portsOf(child, file, 50)).rejects.toThrow('did not start within 50 ms');
  if (child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
});

test('one that has started says how it is reached', async () => {
  const child = run('setInterval(() => {}, 1000)');
  writeFileSync(file, '{"nats":["nats://127.0.0.1:1"]}');
  expect(await portsOf(child, file)).toEqual({ nats: ['nats://127.0.0.1:1'] });
  child.kill('SIGKILL');
});
