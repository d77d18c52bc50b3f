import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { useBroker } from '../harness/server.js';
import { isOracle } from '../harness/target.js';
import { runCli, startCli, temporaryFolder } from './harness.js';

// The same commands work with nats-server: SHARDCAST_TEST_TARGET=nats-server.

const ok = (stdout: string) => ({ code: 0, stdout, stderr: '' });
const failed = (code: number, stderr: string) => ({ code, stdout: '', stderr: `shardcast: ${stderr}\n` });
const hourNs = 3_600e9;

describe('2 shards', () => {
  const storeDir = mkdtempSync(join(tmpdir(), 'shardcast-test-'));
  const broker = useBroker({ shards: 2, ...(isOracle ? { config: { jetstream: { store_dir: storeDir } } } : {}) });
  afterAll(() => rmSync(storeDir, { recursive: true, force: true }));
  const run = (...args: string[]) => runCli([...args, '--server', broker.broker.url]);
  const consumer = (...args: string[]) => run('consumer', ...args);
  const json = async (answer: Promise<{ stdout: string }>) =>
    (await answer).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  async function stream(name: string, ...texts: string[]): Promise<void> {
    await run('stream', 'add', name, '--subjects', `${name}.>`, '--storage', 'memory');
    for (const text of texts) await run('pub', `${name}.a`, text);
  }

  it('a consumer is made, listed, shown, paused, resumed and removed', async () => {
    await stream('life', 'one', 'two');
    expect(await consumer('ls', 'life')).toEqual(ok('no consumers\n'));
    const flags = ['--filter-subjects', 'life.a', '--ack-wait', '1m', '--max-deliver', '5', '--backoff', '1s,1m'];
    const [made] = await json(consumer('add', 'life', 'C', ...flags, '--metadata', 'a=b', '--json'));
    expect(made).toMatchObject({ stream_name: 'life', name: 'C', num_pending: 2 });
    expect(made.config).toMatchObject({
      durable_name: 'C',
      ack_policy: 'explicit',
      filter_subject: 'life.a',
      ack_wait: 1e9,
      max_deliver: 5,
      backoff: [1e9, 60e9],
      metadata: expect.objectContaining({ a: 'b' }),
    });
    await consumer('add', 'life', 'D', '--filter-subjects', 'life.a,life.b', '--opt-start-seq', '2');
    await consumer('add', 'life', 'P', '--deliver-subject', 'out', '--ack-policy', 'none');
    await consumer('add', 'life', 'E', '--ephemeral', '--inactive-threshold', '1h', '--replay-policy', 'original');
    const [names, list, shown, all] = await Promise.all([
      consumer('ls', 'life', '--names'),
      consumer('ls', 'life'),
      consumer('info', 'life', 'C'),
      json(consumer('ls', 'life', '--json')),
    ]);
    expect(names).toEqual(ok('C\nD\nE\nP\n'));
    expect(list.stdout).toMatch(
      /^name .*\nC +2 +0 +pull +life\.a\nD +1 +0 +pull +life\.a, life\.b\nE .*\nP .*push +none\n/,
    );
    for (const line of [/^consumer C of stream life\n/, /kind +durable, pull\n/, /ack wait +1s, 1m\n/, /pending +2\n/])
      expect(shown.stdout).toMatch(line);
    expect(all[2].config).toMatchObject({ name: 'E', inactive_threshold: hourNs, replay_policy: 'original' });
    expect(all[1].config).toMatchObject({ deliver_policy: 'by_start_sequence', opt_start_seq: 2 });
    expect((await consumer('pause', 'life', 'C', '--for', '1h')).stdout).toMatch(/^paused until 20/);
    expect((await consumer('info', 'life', 'C')).stdout).toMatch(/paused +for .*still\n/);
    expect(await consumer('resume', 'life', 'C')).toEqual(ok('not paused\n'));
    expect(await json(consumer('pause', 'life', 'C', '--until', '2100-01-01T00:00:00Z', '--json'))).toEqual([
      { paused: true, pause_until: '2100-01-01T00:00:00Z' },
    ]);
    expect(await consumer('rm', 'life', 'C', '--force')).toEqual(ok(''));
    expect(await consumer('info', 'life', 'C')).toEqual(
      failed(1, 'consumer C of stream life: consumer not found (10014)'),
    );
    expect(await consumer('ls', 'none')).toEqual(failed(1, 'stream none: stream not found (10059)'));
    expect((await consumer('rm', 'life', 'D')).code).toBe(2);
    expect(await consumer('add', 'life', 'D', '--max-deliver', '7')).toEqual(
      failed(1, 'consumer D of stream life: consumer already exists (10148)'),
    );
  });

  it('next takes messages, prints and acknowledges them', async () => {
    await stream('next', 'one', 'two', 'three');
    await consumer('add', 'next', 'C');
    const first = await consumer('next', 'next', 'C');
    expect(first.stdout).toMatch(/^\[next\.a #1 20[^ ]*Z\] one\n$/);
    expect(await consumer('next', 'next', 'C', '--raw', '--no-ack')).toEqual(ok('two'));
    const [third] = await json(consumer('next', 'next', 'C', '--json'));
    expect(third).toMatchObject({ subject: 'next.a', sequence: 3, payload: 'three' });
    const [info] = await json(consumer('info', 'next', 'C', '--json'));
    expect(info).toMatchObject({ num_ack_pending: 1, num_pending: 0, ack_floor: { stream_seq: 1 } });
    expect(await consumer('next', 'next', 'C', '--wait', '100ms', '--count', '2')).toEqual(
      failed(1, '0 of 2 messages within 100ms'),
    );
    expect(await consumer('next', 'next', 'none')).toEqual(
      failed(1, 'consumer none of stream next: consumer not found (10014)'),
    );
    await consumer('add', 'next', 'P', '--deliver-subject', 'out');
    expect(await consumer('next', 'next', 'P')).toEqual(
      failed(1, 'consumer P of stream next pushes to out: nobody can ask it'),
    );
    await consumer('add', 'next', 'B', '--max-batch', '2');
    expect(await consumer('next', 'next', 'B', '--count', '3')).toEqual(failed(1, 'exceeded maxrequestbatch of 2'));
  });

  it('sub --durable goes on where the name left off', async () => {
    await stream('durable', 'early');
    const sub = (...args: string[]) => run('sub', 'durable.>', '--durable', 'D', '--raw', '-q', ...args);
    const waiting = startCli([
      'sub',
      'durable.>',
      '--durable',
      'D',
      '--count',
      '2',
      '--max-deliver',
      '7',
      '--ack-wait',
      '20s',
      '--json',
      '--server',
      broker.broker.url,
    ]);
    await waiting.until('stderr', 'subscribed to durable.>');
    for (const text of ['1', '2', '3', '4']) await run('pub', 'durable.b', text);
    expect((await waiting.ended).code).toBe(0);
    expect(
      waiting.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { subject: 'durable.b', sequence: 2, payload: '1' },
      { sequence: 3, payload: '2' },
    ]);
    expect(await sub('--count', '2')).toEqual(ok('34'));
    expect(await sub('--count', '1', '--timeout', '1')).toEqual(failed(1, '0 of 1 messages within 1s'));
    const [info] = await json(consumer('info', 'durable', 'D', '--json'));
    expect(info).toMatchObject({
      num_ack_pending: 0,
      num_pending: 0,
      config: { filter_subject: 'durable.>', max_deliver: 7, ack_wait: 20e9 },
    });
    expect(await run('sub', 'durable.x', '--durable', 'D')).toEqual(
      failed(1, 'consumer D of stream durable is for durable.>, not for durable.x'),
    );
  });

  it('sub --durable has what it took acknowledged when it is interrupted', async () => {
    await stream('stopped', '1', '2');
    const args = ['sub', 'stopped.>', '--durable', 'D', '--replay', 'all', '--raw', '--server', broker.broker.url];
    const waiting = startCli(args);
    while (!waiting.stdout.includes('12')) await waiting.until('stdout', waiting.stdout === '' ? '1' : '2');
    expect((await waiting.endWith('SIGINT')).code).toBe(0);
    const [info] = await json(consumer('info', 'stopped', 'D', '--json'));
    expect(info).toMatchObject({ num_ack_pending: 0, ack_floor: { stream_seq: 2 } });
  });

  it('sub --replay begins where it is told to', async () => {
    await stream('replay', '1', '2', '3');
    await run('pub', 'replay.b', '4');
    const replay = (from: string, count: number) =>
      run('sub', 'replay.>', '--replay', from, '--raw', '-q', '--count', `${count}`);
    expect(await replay('all', 4)).toEqual(ok('1234'));
    expect(await replay('3', 2)).toEqual(ok('34'));
    expect(await replay('last', 2)).toEqual(ok('34'));
    expect(await replay('1h', 4)).toEqual(ok('1234'));
    const [third] = await json(run('stream', 'get', 'replay', '3', '--json'));
    expect(await replay(third.time, 2)).toEqual(ok('34'));
    expect(await run('sub', 'replay.a', 'replay.b', '--replay', 'all', '--raw', '-q', '--count', '4')).toEqual(
      ok('1234'),
    );
    const speed = ['--speed', '1000', '--raw', '-q', '--count', '4'];
    expect(await run('sub', 'replay.>', '--replay', 'all', ...speed)).toEqual(ok('1234'));
    // it leaves no consumer behind
    expect(await consumer('ls', 'replay')).toEqual(ok('no consumers\n'));
  });

  it('sub --replay goes on when its consumer is taken away', async () => {
    await stream('again', '1', '2');
    const reading = startCli([
      'sub',
      'again.>',
      '--replay',
      'all',
      '--raw',
      '--count',
      '3',
      '--server',
      broker.broker.url,
    ]);
    while (!reading.stdout.includes('12')) await reading.until('stdout', reading.stdout === '' ? '1' : '2');
    const name = (await consumer('ls', 'again', '--names')).stdout.trim();
    expect(name).not.toBe('');
    await consumer('rm', 'again', name, '--force');
    await run('pub', 'again.c', '3');
    expect((await reading.ended).code).toBe(0);
    expect(reading.stdout).toBe('123');
  });

  it('sub says which stream it lacks, or that there are several', async () => {
    expect(await run('sub', 'nobody.has.this', '--durable', 'D')).toEqual(
      failed(1, 'no stream takes nobody.has.this: shardcast stream add makes one'),
    );
    await stream('one', 'x');
    await stream('other', 'x');
    expect(await run('sub', 'one.a', 'other.a', '--replay', 'all')).toEqual(
      failed(1, 'one.a other.a is in more than one stream (one, other): name it with --stream'),
    );
    expect(await run('sub', 'one.a', '--stream', 'one', '--replay', 'all', '--count', '1', '--raw', '-q')).toEqual(
      ok('x'),
    );
  });

  it('a consumer comes from a file, and flags go before it', async () => {
    await stream('file', 'x');
    const file = `${temporaryFolder()}/consumer.json`;
    writeFileSync(file, JSON.stringify({ ack_policy: 'all', max_deliver: 9, deliver_policy: 'last' }));
    const [{ config }] = await json(consumer('add', 'file', 'C', '--config', file, '--max-deliver', '3', '--json'));
    expect(config).toMatchObject({ ack_policy: 'all', max_deliver: 3, deliver_policy: 'last' });
  });
});
