import { jetstreamManager } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { JsonClient } from '../harness/jsonClient.js';
import { client, collect } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { closeAfterTest, useResident } from '../harness/residents.js';

// Invariant 56 of docs/INVARIANTS.md; what is answered is compared with nats-server's answers in test/peers/system.test.ts.

const credentials = { user: 'app', pass: 'apass', sysUser: 'sys', sysPass: 'spass' } as const;
const ofApp = { user: credentials.user, pass: credentials.pass };
const ofSystem = { user: credentials.sysUser, pass: credentials.sysPass };

// biome-ignore lint/suspicious/noExplicitAny: tests look into it as they please
type Told = any;

async function ask(connection: NatsConnection, subject: string, body: object | string = ''): Promise<Told> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (await connection.request(subject, text)).json<Told>();
}

/** Events of a subject, one after the other. */
async function listen(connection: NatsConnection, subject: string): Promise<() => Promise<Told>> {
  const events = connection.subscribe(subject)[Symbol.asyncIterator]();
  await connection.flush();
  return async () => ((await events.next()).value as Msg).json<Told>();
}

describe.each([1, 2])('%i shards', (shards) => {
  const resident = useResident({ shards, ...credentials });
  const system = () => client(resident.port, { ...ofSystem, name: 'watcher' });
  const app = (options = {}) => client(resident.port, { ...ofApp, name: 'app', ...options });

  test('its user is told what there is, and nobody else', async () => {
    const [watcher, other] = [await system(), await app()];
    const id = watcher.info!.server_id;
    other.subscribe('a.*');
    await other.flush();
    const { server, statsz } = await ask(watcher, '$SYS.REQ.SERVER.PING');
    expect([server.id, statsz.connections]).toEqual([id, 2]);
    const { data } = await ask(watcher, `$SYS.REQ.SERVER.${id}.CONNZ`, { auth: true, subscriptions: true });
    expect(data.connections).toMatchObject([
      { authorized_user: 'sys', account: '$SYS', name_tag: '$SYS' },
      { authorized_user: 'app', name_tag: '$G', subscriptions_list: ['a.*'] },
    ]);
    expect((await ask(watcher, '$SYS.REQ.ACCOUNT.$G.CONNZ')).data.connections).toHaveLength(1);
    expect((await ask(watcher, '$SYS.REQ.ACCOUNT.$SYS.INFO')).data).toMatchObject({
      is_system: true,
      client_connections: 1,
    });
    for (const subject of ['SERVER.PING', `SERVER.${id}.CONNZ`, 'ACCOUNT.$G.CONNZ', 'ACCOUNT.PING.STATZ'])
      await expect(other.request(`$SYS.REQ.${subject}`)).rejects.toThrow('no responders');
    expect((await ask(other, '$SYS.REQ.USER.INFO')).data).toMatchObject({ user: 'app', account: '$G' });
    expect((await ask(watcher, '$SYS.REQ.USER.INFO')).data).toMatchObject({ user: 'sys', account: '$SYS' });
  });

  test('who asks for very much at a time is answered each time, be it that there is too much', async () => {
    const watcher = await system();
    const asked = Array.from({ length: 400 }, () => ask(watcher, '$SYS.REQ.SERVER.PING.CONNZ'));
    const answers = await Promise.all(asked);
    const refused = answers.filter(({ error }) => error !== undefined);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toEqual({ error: { code: 503, description: 'too many requests are under way' } });
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(64);
    expect(await ask(watcher, '$SYS.REQ.SERVER.PING.CONNZ', 'x'.repeat(70_000))).toEqual({
      error: { code: 400, description: 'the request is too long' },
    });
  });

  test('connections that come, go and are refused are told of, to whoever listens', async () => {
    const watcher = await system();
    const [connects, ends, refusals] = [
      await listen(watcher, '$SYS.ACCOUNT.*.CONNECT'),
      await listen(watcher, '$SYS.ACCOUNT.*.DISCONNECT'),
      await listen(watcher, '$SYS.SERVER.*.CLIENT.AUTH.ERR'),
    ];
    const other = await app({ name: 'guest' });
    const came = await connects();
    expect(came).toMatchObject({
      client: { acc: '$G', user: 'app', name: 'guest', kind: 'Client', client_type: 'nats' },
    });
    other.publish('a', 'hello');
    await other.flush();
    await other.close();
    expect(await ends()).toMatchObject({
      client: { id: came.client.id, name: 'guest' },
      sent: { msgs: 1, bytes: 5 },
      reason: 'Client Closed',
    });
    await expect(client(resident.port, { user: 'eve', pass: 'x', name: 'bad' })).rejects.toThrow();
    expect(await refusals()).toMatchObject({ client: { user: 'eve', name: 'bad' }, reason: 'Authentication Failure' });
    await expect(client(resident.port, { ...ofSystem, pass: 'apass' })).rejects.toThrow();
    expect(await refusals()).toMatchObject({ client: { user: 'sys' } });
  });

  test('who begins to listen is told at once how the server is', async () => {
    const watcher = await system();
    const told = await listen(watcher, '$SYS.SERVER.*.STATSZ');
    expect((await told()).statsz.connections).toBe(1);
  });

  test('nothing that others publish or subscribe to meets what is told', async () => {
    const [watcher, thief] = [await system(), await app()];
    const id = watcher.info!.server_id;
    const stolen = ['>', '$SYS.>', '$SYS.ACCOUNT.*.CONNECT', '$SYS.REQ.>', '_INBOX.>'].map((subject) =>
      collect(thief, subject),
    );
    collect(thief, '$SYS.REQ.SERVER.PING', 'thieves');
    const heard = collect(watcher, '$SYS.>');
    await Promise.all([thief.flush(), watcher.flush()]);
    const forged = [`$SYS.SERVER.${id}.SHUTDOWN`, '$SYS.ACCOUNT.$G.CONNECT', `$SYS.SERVER.${id}.STATSZ`];
    for (const subject of forged) thief.publish(subject, 'forged');
    await thief.flush();
    await app({ name: 'seen' });
    await ask(watcher, '$SYS.REQ.SERVER.PING');
    await Promise.all([thief.flush(), watcher.flush()]);
    expect(heard.texts.some((text) => text.includes('"seen"'))).toBe(true);
    expect(heard.texts.filter((text) => text === 'forged')).toEqual([]);
    // its own, and nothing else
    expect(new Set(stolen.flatMap(({ texts }) => texts))).toEqual(new Set(['forged']));
  });

  test('a stream of others stores nothing that is told, and who does not read holds up nobody there', async () => {
    const [watcher, thief] = [await system(), await app()];
    const manager = await jetstreamManager(thief as never);
    await manager.streams.add({ name: 'T', subjects: ['$SYS.ACCOUNT.>'], no_ack: true, storage: 'memory' });
    closeAfterTest(async () => void (await manager.streams.delete('T')));
    const lazy = await RawClient.connect(resident.port, ofApp);
    const asked = JSON.stringify({ subject: '$SYS.ACCOUNT.$G.CONNECT', policy: 'block', maxMessages: 5 });
    await lazy.exchange(`SUB $SYS.ACCOUNT.$G.CONNECT 1\r\nPUB $SHARDCAST.SUB ${asked.length}\r\n${asked}\r\n`);
    lazy.socket.pause();
    const connects = await listen(watcher, '$SYS.ACCOUNT.*.CONNECT');
    const flooder = await RawClient.connect(resident.port, ofApp);
    const payload = 'x'.repeat(60_000);
    flooder.send(`PUB $SYS.ACCOUNT.$G.CONNECT ${payload.length}\r\n${payload}\r\n`.repeat(400));
    await connects();
    await app({ name: 'late' });
    expect((await connects()).client.name).toBe('late');
    const { state } = await manager.streams.info('T');
    const stored = await Promise.all([1, state.last_seq].map((seq) => manager.streams.getMessage('T', { seq })));
    for (const message of stored) if (message !== null) expect(message.string().startsWith('xxx')).toBe(true);
    lazy.close();
    flooder.close();
  });

  test('its user has no streams, and none of the subjects of others', async () => {
    const [watcher, other] = [await system(), await app()];
    const [there, here] = [collect(watcher, '>'), collect(other, 'shared')];
    await Promise.all([watcher.flush(), other.flush()]);
    other.publish('shared', 'main');
    watcher.publish('shared', 'system');
    await Promise.all([watcher.flush(), other.flush()]);
    await Promise.all([watcher.flush(), other.flush()]);
    expect([there.texts, here.texts]).toEqual([['system'], ['main']]);
    there.sub.unsubscribe();
    for (const subject of ['$JS.API.INFO', '$SHARDCAST.SUB'])
      await expect(watcher.request(subject, '{}')).rejects.toThrow('no responders');
  });

  test('a connection stays in its account', async () => {
    for (const [first, second] of [
      [ofApp, ofSystem],
      [ofSystem, ofApp],
    ]) {
      const changing = await RawClient.connect(resident.port, first!);
      changing.send(`SUB > 1\r\nCONNECT ${JSON.stringify(second)}\r\nPING\r\n`);
      expect(await changing.expectClosed()).toEqual(["-ERR 'Authorization Violation'"]);
    }
  });

  test('on JSON lines its user is not let in', async () => {
    const port = Number(new URL(resident.broker.ports.jsonl[0]!).port);
    const json = await JsonClient.overTcp(port);
    json.send({ command: 'AUTH', ...ofSystem });
    expect(await json.expectClosed()).toEqual([expect.stringContaining('Authorization Violation')]);
  });

  test('what is wrong with a request is said in the words of nats-server', async () => {
    const watcher = await system();
    expect((await ask(watcher, '$SYS.REQ.SERVER.PING.CONNZ', '{')).error).toEqual({
      code: 400,
      description: 'unexpected end of JSON input',
    });
    const { data, error } = await ask(watcher, '$SYS.REQ.SERVER.PING.CONNZ', { sort: 'nothing' });
    expect([data, error.code]).toEqual([null, 500]);
  });
});
