import { describe, expect, it } from 'vitest';
import { waitingAge } from '../../src/cli/check/stored.js';
import { judge, lineOf, type Measure } from '../../src/cli/check/verdict.js';
import type { ConsumerInfoJson } from '../../src/protocol/streamApi/consumerJson.js';
import { StreamApi } from '../../src/protocol/streamApi/streamApi.js';
import { useBroker } from '../harness/server.js';
import { runCli, startSilentServer } from './harness.js';

describe('a verdict', () => {
  const of = (value: number, bounds: Partial<Measure>) =>
    judge([{ label: 'x', value, unit: '', said: `${value} things`, ...bounds }]).state;

  it('allows the bound itself, above and below', () => {
    const atMost = { warning: 5, critical: 10 };
    expect([5, 6, 10, 11].map((value) => of(value, { atMost }))).toEqual(['OK', 'WARNING', 'WARNING', 'CRITICAL']);
    const atLeast = { warning: 10, critical: 5 };
    expect([10, 9, 5, 4].map((value) => of(value, { atLeast }))).toEqual(['OK', 'WARNING', 'WARNING', 'CRITICAL']);
    expect(of(0, { atLeast: {}, atMost: {} })).toBe('OK');
  });

  it('is that of the worst value, and says what is wrong alone', () => {
    const verdict = judge([
      { label: 'a', value: 1, unit: '', said: '1 cat' },
      { label: 'b', value: 3, unit: '', said: '3 dogs', atMost: { warning: 2 } },
      { label: 'c', value: 0.0125, unit: 's', said: '12.5 ms', atLeast: { critical: 1 }, atMost: { critical: 60 } },
    ]);
    expect(lineOf('zoo', verdict)).toBe(
      'CRITICAL zoo: 3 dogs (more than 2), 12.5 ms (fewer than 1 s) | a=1;;;0 b=3;2;;0 c=0.0125s;;1:60;0\n',
    );
  });

  it('is one line with one bar, whatever a server says', () => {
    const line = lineOf('stream a|b', { state: 'CRITICAL', text: 'no\nsuch | thing', measures: [] });
    expect(line).toBe('CRITICAL stream a b: no such thing\n');
  });
});

describe('what waits the longest', () => {
  const stored = [
    { seq: 5, subject: 'acknowledged', ago: 900 },
    { seq: 6, subject: 'a', ago: 600 },
    { seq: 7, subject: 'b', ago: 300 },
  ];
  const streams = new StreamApi(async (_, body) => {
    const { seq, next_by_subj: subject } = JSON.parse(body);
    const found = stored.find((each) => each.seq >= seq && (subject === '>' || subject === each.subject));
    if (found === undefined) return JSON.stringify({ error: { code: 404, err_code: 10037 } });
    return JSON.stringify({ message: { time: new Date(Date.now() - 1000 * found.ago).toISOString() } });
  });
  const ageOf = async (config: object, num_pending = 1, num_ack_pending = 0): Promise<number> => {
    const info = { stream_name: 'S', config, ack_floor: { stream_seq: 5 }, num_pending, num_ack_pending };
    return Math.floor((await waitingAge(streams, info as ConsumerInfoJson)) / 100);
  };

  it('is the first message behind what is acknowledged, of those that the consumer is for', async () => {
    expect(await ageOf({})).toBe(6);
    expect(await ageOf({ filter_subject: '' }, 0, 1)).toBe(6);
    expect(await ageOf({ filter_subject: 'b' })).toBe(3);
    expect(await ageOf({ filter_subjects: ['none', 'b', 'a'] })).toBe(6);
    expect(await ageOf({ filter_subjects: ['none', 'b'] })).toBe(3);
  });

  it('is nothing when nothing is left, or it has gone meanwhile', async () => {
    expect(await ageOf({}, 0, 0)).toBe(0);
    expect(await ageOf({ filter_subject: 'none' })).toBe(0);
  });
});

const NOBODY = ['--server', 'nats://127.0.0.1:1'];

describe('check', () => {
  const server = useBroker({ shards: 2 });
  const there = (args: readonly string[]) => [...args, '--server', `nats://127.0.0.1:${server.port}`];

  async function expectChecks(checks: readonly (readonly [string, number, string | RegExp])[]): Promise<void> {
    const expected = checks.map(([args, code, said]) => ({
      args,
      code,
      stdout: said instanceof RegExp ? expect.stringMatching(said) : `${said}\n`,
      stderr: '',
    }));
    const run = async (args: string) => ({ args, ...(await runCli(there(['check', ...args.split(' ')]))) });
    expect(await Promise.all(checks.map(([args]) => run(args)))).toEqual(expected);
  }

  it('connects, and sends a message there and back', async () => {
    await expectChecks([
      [
        'connection --warn 1h --critical 2h',
        0,
        /^OK connection: connected in \S+ m?s, PING answered in \S+ m?s \| connect=[\d.]+s;3600;7200;0 rtt=[\d.]+s;3600;7200;0\n$/,
      ],
      [
        'latency -n 3 --warn 1h --critical 2h',
        0,
        /^OK latency: \S+ m?s, the median of 3 messages, \S+ m?s at most \| latency=[\d.]+s;3600;7200;0 longest=[\d.]+s;;;0\n$/,
      ],
      ['connection --warn 1ns --critical 1h', 1, /^WARNING connection: connected in \S+ m?s \(more than 1 ms\)/],
    ]);
  });

  it('measures a stream and a consumer', async () => {
    const cli = (...args: string[]) => runCli(there(args));
    const add = (...args: string[]) => cli('stream', 'add', ...args, '--storage', 'memory');
    await Promise.all([add('S', '--subjects', 's.*'), add('EMPTY')]);
    await cli('pub', 's.other', 'x');
    await cli('consumer', 'add', 'S', 'C', '--filter-subjects', 's.mine');
    await cli('pub', 's.mine', 'xy', '--count', '3');
    // the first one is delivered, and not acknowledged
    expect(await cli('consumer', 'next', 'S', 'C', '--no-ack')).toMatchObject({ code: 0 });
    await expectChecks([
      ['stream S --min-messages 4 --max-messages 4 --max-age 1h', 0, /^OK stream S: 4 messages, .*messages=4;;4:4;0 /],
      ['stream S --min-messages 9,5', 2, /^CRITICAL stream S: 4 messages \(fewer than 5\) /],
      ['stream S --max-bytes 1 --min-consumers 2', 2, /: \d+ B \(more than 1 B\), 1 consumer \(fewer than 2\) /],
      ['stream S --max-age 1ms,1h', 1, /^WARNING stream S: the last \S+ m?s ago \(more than 1 ms\) /],
      [
        'stream EMPTY --max-messages 0',
        0,
        'OK stream EMPTY: 0 messages, 0 B, 0 consumers | messages=0;;0;0 bytes=0B;;;0 consumers=0;;;0',
      ],
      ['stream EMPTY --max-age 1h', 2, 'CRITICAL stream EMPTY: no message yet'],
      ['stream NONE', 2, 'CRITICAL stream NONE: stream not found (10059)'],
      [
        'consumer S C --max-pending 2 --max-ack-pending 1 --max-redelivered 0',
        0,
        /^OK consumer S C: 2 to be delivered, 1 to be acknowledged, .* \| pending=2;;2;0 ack_pending=1;;1;0 /,
      ],
      [
        'consumer S C --max-ack-pending 0 --min-pulls 1',
        2,
        /: 1 to be acknowledged \(more than 0\), 0 pulls waiting \(fewer than 1\) /,
      ],
      [
        'consumer S C --max-waiting-age 1ms,1h',
        1,
        /^WARNING consumer S C: the oldest waits for \S+ m?s \(more than 1 ms\) /,
      ],
      ['consumer S NONE', 2, 'CRITICAL consumer S NONE: consumer not found (10014)'],
      [
        'stream S --domain other',
        2,
        'CRITICAL stream S: the server has no streams: JetStream is off, or --domain is another one',
      ],
    ]);
  });
});

it.each([
  [[], 'check: say what to check: connection, latency, stream or consumer'],
  [['bogus'], "check: unknown command 'bogus'"],
  [['stream'], "check: missing required argument 'stream'"],
  [['stream', 'S', '--max-pending', '1'], "check: unknown option '--max-pending'"],
  [['stream', 'S', '--min-messages', '5,10'], 'The warning, which is first, must come before what is critical.'],
  [['stream', 'S', '--max-messages', '1,2,3'], 'It must be WARN,CRITICAL, or one value.'],
  [['latency', '--warn', '2s', ...NOBODY], 'latency: --warn must not be more than --critical'],
  [['connection', '--server', 'http://localhost'], 'http:// is not supported'],
])('a wrong command line is unknown, on standard output: %j', async (args, message) => {
  const { code, stdout, stderr } = await runCli(['check', ...args]);
  expect(stdout).toMatch(/^UNKNOWN [^\n]+\n$/);
  expect(stdout).toContain(message);
  expect(code).toBe(3);
  if (args.length > 0) expect(stderr).toBe('');
});

it('a server that is not there, or does not answer, is critical', async () => {
  const url = await startSilentServer();
  const late = ['--server', url, '--timeout', '100ms'];
  const critical = (said: string) => ({ code: 2, stdout: `CRITICAL ${said}\n`, stderr: '' });
  const nothing = 'nothing listens at 127.0.0.1:1; start a broker with: shardcast serve';
  const run = (...args: string[]) => runCli(['check', ...args]);
  expect(
    await Promise.all([
      run('connection', ...NOBODY),
      run('consumer', 'S', 'C', ...NOBODY),
      run('connection', ...late),
      run('latency', ...late),
      run('stream', 'S', ...late),
    ]),
  ).toEqual([
    critical(`connection: ${nothing}`),
    critical(`consumer S C: ${nothing}`),
    critical('connection: no answer within 100ms'),
    critical('latency: no answer within 100ms'),
    critical('stream S: no answer within 100ms'),
  ]);
});
