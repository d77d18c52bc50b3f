import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

// A shard's thread that throws ends the process: recovery is the log's job, not the heap's.

/** Loaded in every thread before its entry: in a worker, taking over a connection throws, as a bug there would. */
const planted = `
  import { Socket } from 'node:net';
  import { isMainThread } from 'node:worker_threads';
  if (!isMainThread) Socket.prototype.setNoDelay = () => { throw new Error('planted') };
`;

test('a failed worker ends the process with a fatal line and code 1', async () => {
  const args = ['dist/src/cli/main.js', 'serve', '--port', '0', '--shards', '2'];
  const env = { ...process.env, NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(planted)}` };
  const broker = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(broker, 'exit');
  const fatal: string[] = [];
  for await (const text of createInterface(broker.stdout)) {
    const line = JSON.parse(text);
    if (line.msg === 'listening') connect(Number(new URL(line.nats[0]).port), '127.0.0.1').on('error', () => {});
    if (line.level === 60) fatal.push(line.err.message);
  }
  expect(fatal).toEqual(['planted']);
  expect((await exited)[0]).toBe(1);
});
