import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Broker, type Monitored } from '../harness/server.js';
import { isTooOld, tooOld } from './peerVersion.js';
import { shapeOf, without } from './shapes.js';

// What a program that knows nats-server alone reads of its monitoring port, it finds here under the same keys, with values of the same types.
// Whatever differs is listed below, and in docs/MONITORING.md.

/** Keys that only nats-server has, and keys that only the broker has, by the endpoint; those of lists and maps stand below `[]`. */
const onlyTheirs: Readonly<Record<string, readonly string[]>> = {
  '/varz': ['feature_flags', 'system_account', 'disk_io_wait_stats', 'stalled_clients'],
  '/subsz': ['num_matches', 'cache_hit_rate', 'max_fanout', 'avg_fanout'],
  '/accountz': ['system_account', 'account_detail.imports'].concat(
    ['num_matches', 'cache_hit_rate', 'max_fanout', 'avg_fanout'].map((key) => `account_detail.sublist_stats.${key}`),
  ),
  '/connz': ['connections[].rtt'],
};
const onlyOurs: Readonly<Record<string, readonly string[]>> = {
  '/varz': [
    'shardcast',
    'jetstream.config.sync_always',
    'refused_connections',
    'auth_failures',
    'auth_timeouts',
    'http_auth_failures',
    'dropped_msgs',
    'replaced_msgs',
    'skipped_msgs',
    'pending_bytes',
  ],
  '/jsz': ['config.sync_always'],
};

const directory = mkdtempSync(join(tmpdir(), 'shardcast-monitoring-'));
const config = { http_port: -1 };
let theirs: Broker;
let ours: Broker;
const connections: NatsConnection[] = [];

beforeAll(async () => {
  theirs = await Broker.start({ oracle: true, config: { ...config, jetstream: { store_dir: join(directory, 'js') } } });
  ours = await Broker.start({ shards: 2, config, args: ['--data', join(directory, 'data')] });
  for (const broker of [theirs, ours]) await use(broker);
});

beforeEach(({ skip }) => skip(isTooOld(connections[0]!.info!.version), tooOld));

afterAll(async () => {
  for (const connection of connections) await connection.close();
  for (const broker of [theirs, ours]) await broker?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function request(connection: NatsConnection, subject: string, body: object): Promise<void> {
  const answer = (await connection.request(`$JS.API.${subject}`, JSON.stringify(body))).json<{ error?: unknown }>();
  expect(answer.error).toBeUndefined();
}

/** Has something of everything that is shown. */
async function use({ port }: Broker): Promise<void> {
  const client = (name: string) => connect({ servers: `127.0.0.1:${port}`, reconnect: false, name });
  const [reader, writer, leaver] = [await client('reader'), await client('writer'), await client('leaver')];
  connections.push(reader, writer);
  reader.subscribe('plain.*');
  reader.subscribe('work', { queue: 'workers' });
  reader.subscribe('few', { max: 5 });
  leaver.subscribe('left');
  for (const connection of [reader, leaver]) await connection.flush();
  for (const [subject, payload] of [
    ['plain.a', 'hello'],
    ['plain.b', 'world!'],
    ['work', 'x'],
    ['few', ''],
  ] as const)
    writer.publish(subject, payload);
  await writer.flush();
  await request(reader, 'STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], storage: 'memory', max_bytes: 100_000 });
  await request(reader, 'STREAM.CREATE.T', { name: 'T', subjects: ['t'], storage: 'file' });
  const consumer = { name: 'C', durable_name: 'C', ack_policy: 'explicit' };
  await request(reader, 'CONSUMER.CREATE.S.C', { stream_name: 'S', action: 'create', config: consumer });
  await reader.request('s.1', 'stored');
  await leaver.close();
  for (const connection of [reader, writer]) await connection.flush();
}

const paths = [
  '/varz',
  '/connz',
  '/connz?subs=1&sort=bytes_to',
  '/connz?subs=detail&auth=1&limit=5',
  '/connz?state=closed&subs=1',
  '/connz?cid=987654321',
  '/subsz',
  '/subsz?subs=1&test=plain.x',
  '/jsz',
  '/jsz?accounts=1',
  '/jsz?streams=1&consumers=1&config=1',
  '/jsz?streams=1&raft=1',
  '/jsz?acc=nobody',
  '/healthz',
  '/healthz?js-enabled-only=1',
  '/healthz?js-server-only=true&details=1',
  '/accountz',
  '/accountz?acc=$G',
  '/accstatz',
  '/accstatz?unused=1',
  '/routez',
  '/gatewayz',
  '/leafz',
];

test.each(paths)('%s has the keys of nats-server, and types', async (path) => {
  const endpoint = path.split('?')[0] as string;
  const [their, our] = [shapeOf(await theirs.monitored(path)), shapeOf(await ours.monitored(path))];
  expect(without(our, onlyOurs[endpoint])).toEqual(without(their, onlyTheirs[endpoint]));
});

test('every difference that is listed is one', async () => {
  for (const [listed, here, there] of [
    [onlyTheirs, theirs, ours],
    [onlyOurs, ours, theirs],
  ] as const)
    for (const [endpoint, keys] of Object.entries(listed)) {
      const query = { '/accountz': '?acc=$G', '/connz': '?limit=1', '/jsz': '' }[endpoint] ?? '';
      const [has, lacks] = [
        shapeOf(await here.monitored(endpoint + query)),
        shapeOf(await there.monitored(endpoint + query)),
      ];
      expect(keys.filter((key) => key !== 'system_account' && (!has.has(key) || lacks.has(key)))).toEqual([]);
    }
});

/** What is refused, and how: with the same status and text. */
const refused = [
  '/connz?sort=nothing',
  '/connz?sort=stop',
  '/connz?sort=reason',
  '/connz?subs=maybe',
  '/connz?limit=x',
  '/connz?cid=-1',
  '/connz?auth=x',
  '/connz?state=some',
  '/subsz?subs=x',
  '/subsz?test=a.*',
  '/jsz?streams=x',
  '/jsz?limit=x',
  '/healthz?js-enabled=x',
  '/healthz?account=nobody',
  '/healthz?consumer=C',
  '/healthz?stream=S',
  '/healthz?stream=N&account=$G',
  '/healthz?details=true&account=nobody',
  '/accountz?acc=nobody',
  '/nothing',
];

test.each(refused)('%s is refused as by nats-server', async (path) => {
  const ask = async ({ monitoringPort }: Broker): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${monitoringPort}${path}`);
    return [response.status, (await response.text()).trim()];
  };
  expect(await ask(ours)).toEqual(await ask(theirs));
});

describe('values', () => {
  // what a request is answered with has its server's names and times in it
  const counts = ['in_msgs', 'in_bytes', 'subscriptions', 'out_msgs'];

  test('of the connections are those of nats-server', async () => {
    const seen = async (broker: Broker): Promise<unknown> => {
      const { connections: listed } = await broker.monitored('/connz?state=all&subs=detail&sort=cid');
      return listed.map((connection: Monitored) => [
        connection.name,
        connection.reason,
        ...counts.map((name) => connection[name]),
        (connection.subscriptions_list_detail ?? [])
          .map(({ subject, qgroup, msgs, max }: Monitored) => [
            subject.replace(/^_INBOX\..*/, 'inbox'),
            qgroup,
            msgs,
            max,
          ])
          .sort(),
      ]);
    };
    expect(await seen(ours)).toEqual(await seen(theirs));
  });

  test('of the streams are those of nats-server', async () => {
    const seen = async (broker: Broker): Promise<unknown> => {
      const { streams, consumers, messages, bytes, account_details } = await broker.monitored(
        '/jsz?streams=1&consumers=1&config=1',
      );
      // theirs come in no order
      const streamDetails = account_details[0].stream_detail.sort((a: Monitored, b: Monitored) =>
        a.name < b.name ? -1 : 1,
      );
      const details = streamDetails.map(({ name, config, state, consumer_detail }: Monitored) => [
        name,
        config,
        { ...state, first_ts: '', last_ts: '' },
        consumer_detail?.map(({ name, config, num_pending }: Monitored) => [name, config, num_pending]),
      ]);
      return { streams, consumers, messages, bytes, details };
    };
    expect(await seen(ours)).toEqual(await seen(theirs));
  });
});
