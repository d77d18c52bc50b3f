import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Broker } from '../harness/server.js';
import { isTooOld, tooOld } from './peerVersion.js';
import { shapeOf, without } from './shapes.js';

// What a program that knows nats-server alone asks in its system account, and hears there, it finds here under the same keys, with values of the same
// types. Whatever differs is listed below, and in docs/MONITORING.md.

const cacheKeys = ['num_matches', 'cache_hit_rate', 'max_fanout', 'avg_fanout'];
const onlyTheirs = [
  'server.feature_flags',
  'feature_flags',
  ...['feature_flags', 'disk_io_wait_stats', 'stalled_clients'].map((key) => `data.${key}`),
  ...cacheKeys.flatMap((key) => [
    `data.${key}`,
    `data.sublist_stats.${key}`,
    `data.account_detail.sublist_stats.${key}`,
  ]),
  // accounts give each other nothing here
  ...['imports', 'exports'].flatMap((key) => [`data.${key}`, `data.account_detail.${key}`]),
  // of a client that was not asked yet
  ...['data.connections[].rtt', 'client.rtt', 'client.lang', 'client.ver'],
  'statsz.jetstream.config.sync_interval',
];
const onlyOurs = [
  ...['shardcast', 'refused_connections', 'auth_failures', 'auth_timeouts', 'http_auth_failures'].map(
    (key) => `data.${key}`,
  ),
  ...['dropped_msgs', 'replaced_msgs', 'skipped_msgs', 'pending_bytes'].map((key) => `data.${key}`),
  ...['data.jetstream', 'data', 'statsz.jetstream'].map((key) => `${key}.config.sync_always`),
  'statsz.jetstream.config.sync_interval',
];

const app = { user: 'app', pass: 'app' };
const system = { user: 'sys', pass: 'secret' };
const directory = mkdtempSync(join(tmpdir(), 'shardcast-system-'));
let theirs: Side;
let ours: Side;

/** A server, its system account's user, and somebody else. */
interface Side {
  readonly broker: Broker;
  readonly watcher: NatsConnection;
  readonly other: NatsConnection;
}

async function sideOf(broker: Broker): Promise<Side> {
  const client = (options: object) => connect({ servers: `127.0.0.1:${broker.port}`, reconnect: false, ...options });
  const watcher = await client({ ...system, name: 'watcher' });
  const other = await client({ ...app, name: 'other' });
  other.subscribe('plain.*');
  other.subscribe('work', { queue: 'workers' });
  other.publish('plain.a', 'hello');
  await other.flush();
  const stream = { name: 'S', subjects: ['s.>'], storage: 'memory' };
  await other.request('$JS.API.STREAM.CREATE.S', JSON.stringify(stream));
  return { broker, watcher, other };
}

beforeAll(async () => {
  const common = { server_name: 'one', http_port: -1 };
  const config = {
    ...common,
    accounts: { $SYS: { users: [{ user: system.user, password: system.pass }] } },
    authorization: { users: [{ user: app.user, password: app.pass }] },
    jetstream: { store_dir: join(directory, 'js') },
  };
  theirs = await sideOf(await Broker.start({ oracle: true, config }));
  const users = ['--user', app.user, '--pass', app.pass, '--sys-user', system.user, '--sys-pass', system.pass];
  ours = await sideOf(
    await Broker.start({ shards: 2, config: common, args: [...users, '--data', join(directory, 'data')] }),
  );
});

beforeEach(({ skip }) => skip(isTooOld(theirs.watcher.info!.version), tooOld));

afterAll(async () => {
  for (const side of [theirs, ours]) {
    await side?.watcher.close();
    await side?.other.close();
    await side?.broker.stop();
  }
  rmSync(directory, { recursive: true, force: true });
});

async function answered({ watcher }: Side, subject: string, body: string): Promise<unknown> {
  const named = subject.replace('.ID.', `.${watcher.info!.server_id}.`);
  return (await watcher.request(`$SYS.REQ.${named}`, body)).json();
}

const requests: readonly [subject: string, body?: string][] = [
  ['SERVER.PING'],
  ...['STATSZ', 'VARZ', 'CONNZ', 'SUBSZ', 'ROUTEZ', 'GATEWAYZ', 'LEAFZ', 'ACCOUNTZ', 'JSZ', 'HEALTHZ', 'IDZ'].flatMap(
    (what): [string][] => [[`SERVER.PING.${what}`], [`SERVER.ID.${what}`]],
  ),
  ['SERVER.PING', '{"server_name":"on"}'],
  ['SERVER.PING.IDZ', '{'],
  ['SERVER.PING.CONNZ', '{"auth":true,"subscriptions":true,"sort":"msgs_to","limit":1}'],
  ['SERVER.PING.CONNZ', '{"auth":true,"subscriptions_detail":true,"user":"app"}'],
  ['SERVER.PING.CONNZ', '{"acc":"$G","subscriptions":true}'],
  ['SERVER.PING.CONNZ', '{"state":1}'],
  ['SERVER.PING.CONNZ', '{"state":2,"Offset":1}'],
  ['SERVER.PING.CONNZ', '{"cid":987654}'],
  ['SERVER.PING.SUBSZ', '{"subscriptions":true,"test":"plain.x"}'],
  ['SERVER.PING.JSZ', '{"accounts":true,"streams":true,"config":true}'],
  ['SERVER.PING.HEALTHZ', '{"js-enabled-only":true}'],
  ['SERVER.PING.HEALTHZ', '{"account":"nobody","details":true}'],
  ['SERVER.PING.HEALTHZ', '{"account":"nobody"}'],
  ['SERVER.PING.ACCOUNTZ', '{"account":"$G"}'],
  ['SERVER.PING.ACCOUNTZ', '{"account":"$SYS"}'],
  ...['CONNZ', 'SUBSZ', 'INFO', 'CONNS', 'STATZ', 'LEAFZ', 'JSZ'].map((what): [string] => [`ACCOUNT.$G.${what}`]),
  ...['CONNZ', 'SUBSZ', 'INFO', 'CONNS', 'STATZ', 'LEAFZ'].map((what): [string] => [`ACCOUNT.$SYS.${what}`]),
  ['ACCOUNT.$G.CONNZ', '{"acc":"$SYS"}'],
  ['ACCOUNT.PING.STATZ'],
  ['ACCOUNT.PING.STATZ', '{"accounts":["$G"],"include_unused":true}'],
  ['USER.INFO'],
];

test.each(requests)('%s %s has the keys of nats-server, and types', async (subject, body = '') => {
  const [their, our] = [shapeOf(await answered(theirs, subject, body)), shapeOf(await answered(ours, subject, body))];
  expect(without(our, onlyOurs)).toEqual(without(their, onlyTheirs));
});

const values: readonly [subject: string, body: string, of: (data: never) => unknown][] = [
  ['SERVER.PING.CONNZ', '{"auth":true}', ({ connections }: { connections: object[] }) => connections.map(whoIs)],
  ['ACCOUNT.$G.CONNZ', '{"auth":true}', ({ connections }: { connections: object[] }) => connections.map(whoIs)],
  // theirs come in no order
  [
    'SERVER.PING.ACCOUNTZ',
    '',
    ({ accounts, system_account }: { accounts: string[]; system_account: string }) => [accounts.sort(), system_account],
  ],
  [
    'ACCOUNT.$SYS.INFO',
    '',
    ({ is_system, client_connections }: Record<string, unknown>) => [is_system, client_connections],
  ],
];

function whoIs(connection: object): unknown {
  const { name, authorized_user, account, name_tag } = connection as Record<string, unknown>;
  return [name, authorized_user, account, name_tag];
}

test.each(values)('%s %s tells the same', async (subject, body, of) => {
  const told = async (side: Side) => of(((await answered(side, subject, body)) as { data: never }).data);
  expect(await told(ours)).toEqual(await told(theirs));
});

/** What is refused, and how: in the same words. */
const refused: readonly [subject: string, body: string][] = [
  ...['CONNZ', 'SUBSZ', 'JSZ', 'HEALTHZ', 'ACCOUNTZ', 'VARZ', 'STATSZ', 'ROUTEZ'].map((what): [string, string] => [
    `SERVER.PING.${what}`,
    '{',
  ]),
  ...['CONNZ', 'SUBSZ', 'INFO'].map((what): [string, string] => [`ACCOUNT.$G.${what}`, '{']),
  ...['[]', '3', 'true', '"x"', '{"limit":"x"}', '{"limit":1.5}', '{"cid":-1}', '{"auth":1}', '{"state":"closed"}'].map(
    (body): [string, string] => ['SERVER.PING.CONNZ', body],
  ),
  ...['{"limit":1} x', '{"a":x}', 'x', '{"sort":"nothing"}', '{"sort":"stop"}', '{"filter_subject":"a"}'].map(
    (body): [string, string] => ['SERVER.PING.CONNZ', body],
  ),
  ['SERVER.PING.SUBSZ', '{"test":"a.*"}'],
  ['SERVER.PING.ACCOUNTZ', '{"account":"nobody"}'],
  ['ACCOUNT.nobody.INFO', ''],
  ['ACCOUNT.nobody.JSZ', ''],
  ['ACCOUNT.$SYS.JSZ', ''],
];

test.each(refused)('%s %s is refused as by nats-server', async (subject, body) => {
  const said = async (side: Side): Promise<unknown> => {
    const { server: _, ...rest } = (await answered(side, subject, body)) as { server: unknown };
    return rest;
  };
  expect(await said(ours)).toEqual(await said(theirs));
});

test('whom it does not concern is told that nobody answers', async () => {
  for (const { other } of [theirs, ours])
    for (const subject of ['SERVER.PING', `SERVER.${other.info!.server_id}.VARZ`, 'ACCOUNT.$G.CONNZ'])
      await expect(other.request(`$SYS.REQ.${subject}`)).rejects.toThrow('no responders');
});

test('events have the subjects, the keys and the types of those of nats-server', async () => {
  const seen = async ({ broker, watcher }: Side) => {
    const events: Msg[] = [];
    const wanted = 5;
    const all = new Promise<void>((resolve) => {
      const callback = (_: Error | null, message: Msg): void => {
        if (/\.(CONNECT|DISCONNECT|ERR)$/.test(message.subject) && events.push(message) === wanted) resolve();
      };
      watcher.subscribe('$SYS.>', { callback });
    });
    await watcher.flush();
    const options = { servers: `127.0.0.1:${broker.port}`, reconnect: false };
    await (await connect({ ...options, ...app, name: 'guest' })).close();
    await (await connect({ ...options, ...system, name: 'second' })).close();
    await connect({ ...options, user: 'eve', pass: 'x', name: 'bad' }).catch(() => {});
    await all;
    return events
      .map((event) => {
        const { client, reason } = event.json<{ client: Record<string, unknown>; reason?: string }>();
        const { acc, user, name, kind, client_type } = client;
        const subject = event.subject.replace(watcher.info!.server_id, 'ID');
        return {
          subject,
          who: [acc, user, name, kind, client_type, reason],
          shape: without(shapeOf(event.json()), onlyTheirs),
        };
      })
      .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  };
  expect(await seen(ours)).toEqual(await seen(theirs));
});

test('a server that ends says so', async () => {
  const last = async ({ broker, watcher }: Side) => {
    const ends = watcher.subscribe('$SYS.SERVER.*.SHUTDOWN')[Symbol.asyncIterator]();
    await watcher.flush();
    void broker.stop();
    return without(shapeOf(((await ends.next()).value as Msg).json()), onlyTheirs);
  };
  expect(await last(ours)).toEqual(await last(theirs));
});
