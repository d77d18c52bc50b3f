import { describe, expect, it } from 'vitest';
import { runCli, startCli, startServe } from './harness.js';

/** A member of a group that acknowledges what it prints. */
async function startWorker(server: string, ...args: string[]) {
  const worker = startCli(['sub', 'jobs', '--queue', 'workers', '--server', server, ...args]);
  await worker.until('stderr', 'subscribed to');
  return worker;
}

const publish = (url: string, lines: string) => runCli(['pub', 'jobs', '--lines', '--server', url], { input: lines });

describe.each([1, 2, 4])('sub --prefetch, %i shards', (shards) => {
  it('prints and acknowledges everything, shared with the other members', async () => {
    const { url, ports } = await startServe('--jsonl-port', '0', '--shards', `${shards}`);
    const workers = [
      await startWorker(ports.jsonl[0]!, '--prefetch', '1'),
      await startWorker(ports.jsonl[0]!, '--prefetch', '3'),
    ];
    const jobs = Array.from({ length: 100 }, (_, i) => `job ${i}`);
    await publish(url, `${jobs.join('\n')}\n`);
    const printed = (): string[] => workers.flatMap(({ stdout }) => stdout.split('\n').filter((line) => line !== ''));
    await expect.poll(() => printed().length, { timeout: 30_000 }).toBe(jobs.length);
    expect(printed().sort()).toEqual(jobs.map((job) => `[jobs] ${job}`).sort());
    for (const worker of workers) expect(await worker.endWith('SIGINT')).toEqual({ code: 0, signal: null });
    for (const { stderr } of workers) expect(stderr).toBe('shardcast: subscribed to jobs\n');
  });

  it('leaves what it has not printed to another member', async () => {
    const { url, ports } = await startServe('--jsonl-port', '0', '--shards', `${shards}`);
    const few = await startWorker(ports.jsonl[0]!, '--prefetch', '10', '--count', '2', '--raw');
    await publish(url, 'a\nb\nc\nd\ne\n');
    expect(await few.ended).toEqual({ code: 0, signal: null });
    expect(few.stdout).toBe('ab');
  });
});

it('gives its terms: what it has been handed as often as it may goes to the subject of dead letters', async () => {
  const { url, ports } = await startServe('--jsonl-port', '0');
  const dead = startCli(['sub', 'jobs.dead', '--json', '--count', '1', '--server', url]);
  await dead.until('stderr', 'subscribed to');
  const worker = await startWorker(
    ports.jsonl[0]!,
    ...['--prefetch', '1', '--max-deliver', '1', '--ack-wait', '200ms', '--dead-letter', 'jobs.dead'],
  );
  // nobody reads: what is more than a pipe has room for is never printed, and so never acknowledged
  worker.child.stdout!.pause();
  await runCli(['pub', 'jobs', '--server', url], { input: Buffer.alloc(1_000_000, 'x') });
  await dead.ended;
  expect(JSON.parse(dead.stdout)).toMatchObject({
    subject: 'jobs.dead',
    headers: {
      'Shardcast-Dead-Reason': ['max-deliver'],
      'Shardcast-Dead-Group': ['workers'],
      'Shardcast-Dead-Deliveries': ['1'],
    },
  });
  const args = ['sub', 'quotes', '--policy', 'drop-old', '--dead-letter', '$SYS.dead', '--server', url];
  expect(await runCli(args)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('deadLetter must not be') as string,
  });
});

it('shows what a message has, as it is shown from NATS', async () => {
  const { url, ports } = await startServe('--jsonl-port', '0');
  const worker = await startWorker(ports.jsonl[0]!, '--prefetch', '1', '--json', '--count', '2');
  await runCli([
    'pub',
    'jobs',
    'text',
    '-H',
    'k: 1',
    '-H',
    'k:2',
    '-H',
    'Shardcast-Key: a',
    '--reply',
    'inbox',
    '--server',
    url,
  ]);
  await runCli(['pub', 'jobs', '--server', url], { input: Buffer.from([0xff]) });
  await worker.ended;
  expect(
    worker.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { subject: 'jobs', reply: 'inbox', headers: { 'Shardcast-Key': ['a'], k: ['1', '2'] }, payload: 'text' },
    { subject: 'jobs', payloadBase64: '/w==' },
  ]);
});

describe('what is wrong is one line', () => {
  it.each([
    [['--prefetch', '1', '--server', 'tcp://127.0.0.1:1'], 'give a --queue', 2],
    [['--prefetch', '1', '--queue', 'q'], '--server tcp://HOST:PORT', 2],
    [['--prefetch', '1', '--queue', 'q', '--server', 'tcp://127.0.0.1'], '--server tcp://HOST:PORT', 2],
    [['--prefetch', '1', '--queue', 'q', '--last', '--server', 'tcp://127.0.0.1:1'], 'cannot be combined', 2],
    [['--prefetch', '0', '--queue', 'q'], 'It must be a whole number from 1', 2],
    [['--prefetch', '1', '--queue', 'q', '--server', 'tcp://127.0.0.1:1'], 'cannot connect to 127.0.0.1:1', 1],
  ])('%j', async (args, message, code) => {
    const ended = await runCli(['sub', 'jobs', ...args]);
    expect(ended.stderr).toMatch(/^shardcast: [^\n]+\n$/);
    expect(ended.stderr).toContain(message);
    expect(ended.code).toBe(code);
  });

  it('credentials that are wrong, a broker that goes, and a time that is over', async () => {
    const { serve, ports } = await startServe('--jsonl-port', '0', '--user', 'a', '--pass', 'b');
    const server = ports.jsonl[0]!;
    const args = ['sub', 'jobs', '--queue', 'q', '--prefetch', '1', '--server', server];
    const wrong = await runCli([...args, '--user', 'a', '--pass', 'c']);
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^shardcast: [^\n]*Authorization Violation[^\n]*\n$/) as string,
    });
    const late = await runCli([...args, '--user', 'a', '--pass', 'b', '--count', '1', '--timeout', '200ms', '-q']);
    expect(late).toEqual({ code: 1, stdout: '', stderr: 'shardcast: 0 of 1 messages within 200ms\n' });
    const worker = await startWorker(server, '--prefetch', '1', '--user', 'a', '--pass', 'b');
    await serve.endWith('SIGKILL');
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    expect(worker.stderr).toContain('the broker closed the connection');
  });
});
