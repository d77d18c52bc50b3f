import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runCli } from '../cli/harness.js';
import { Broker } from '../harness/server.js';
import { isTooOld, tooOld } from './peerVersion.js';

// What watches a server from the command line says the same of nats-server and of the broker, but for how long something took.

const directory = mkdtempSync(join(tmpdir(), 'shardcast-check-'));
let theirs: Broker;
let ours: Broker;
const connections: NatsConnection[] = [];

async function request(connection: NatsConnection, subject: string, body: object): Promise<void> {
  const answer = await connection.request(subject, JSON.stringify(body));
  expect(answer.json<{ error?: unknown }>().error).toBeUndefined();
}

/** A stream of three messages with a consumer that has been given two of them, and has acknowledged none. */
async function use({ port }: Broker): Promise<void> {
  const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, name: 'watched' });
  connections.push(connection);
  await request(connection, '$JS.API.STREAM.CREATE.S', { name: 'S', subjects: ['s'], storage: 'memory' });
  for (let i = 0; i < 3; i++) await request(connection, 's', { i });
  const config = { durable_name: 'C', ack_policy: 'explicit', ack_wait: 3_600e9 };
  await request(connection, '$JS.API.CONSUMER.CREATE.S.C', { stream_name: 'S', config });
  const given = connection.subscribe('given', { max: 2 });
  connection.publish('$JS.API.CONSUMER.MSG.NEXT.S.C', JSON.stringify({ batch: 2 }), { reply: 'given' });
  for await (const _ of given);
  await connection.flush();
}

beforeAll(async () => {
  const config = { server_name: 'watched', http_port: -1 };
  theirs = await Broker.start({ oracle: true, config: { ...config, jetstream: { store_dir: directory } } });
  ours = await Broker.start({ config });
  for (const broker of [theirs, ours]) await use(broker);
});

beforeEach(({ skip }) => skip(isTooOld(connections[0]!.info!.version), tooOld));

afterAll(async () => {
  for (const connection of connections) await connection.close();
  for (const broker of [theirs, ours]) await broker?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Without times, ports and numbers that change by the second. */
function steady(text: string): string {
  return text.replaceAll(/\d+(\.\d+)? ?(ns|us|µs|ms|s)\b/g, 'TIME').replaceAll(/127\.0\.0\.1:\d+/g, 'HERE');
}

const checks: readonly [...string[]][] = [
  ['connection', '--warn', '1h', '--critical', '1h'],
  ['latency', '--count', '5', '--warn', '1h', '--critical', '1h'],
  ['stream', 'S', '--min-messages', '1', '--max-age', '1h', '--min-consumers', '1'],
  ['stream', 'S', '--max-messages', '2,10'],
  ['stream', 'S', '--min-messages', '4'],
  ['stream', 'none'],
  ['consumer', 'S', 'C'],
  ['consumer', 'S', 'C', '--max-pending', '0', '--max-ack-pending', '2', '--max-waiting-age', '1h'],
  ['consumer', 'S', 'C', '--max-ack-pending', '1,5'],
  ['consumer', 'S', 'none'],
];

test.each(checks.map((args) => [args.join(' '), args] as const))('check %s says the same of both', async (_, args) => {
  const said = async ({ port }: Broker) => {
    const { code, stdout } = await runCli(['check', ...args, '--server', `nats://127.0.0.1:${port}`]);
    return { code, said: steady(stdout) };
  };
  const there = await said(theirs);
  expect(there.said).toMatch(/^(OK|WARNING|CRITICAL) /);
  expect(await said(ours)).toEqual(there);
});

test('top shows of both what they tell, under the same heads', async () => {
  const shown = async ({ monitoringPort }: Broker) => {
    const { code, stdout } = await runCli(['top', `http://127.0.0.1:${monitoringPort}`, '--once']);
    const lines = stdout.split('\n').filter((line) => line.trim() !== '');
    const heads = lines.filter((line) => !/\d/.test(line)).map((line) => line.trim().split(/ {2,}/));
    return { code, heads, names: lines.filter((line) => line.includes(' watched ')).length };
  };
  const there = await shown(theirs);
  expect(there).toMatchObject({ code: 0, names: 1 });
  expect(await shown(ours)).toEqual(there);
});
