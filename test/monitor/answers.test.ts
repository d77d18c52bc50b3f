import { expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { type Monitored, useBroker } from '../harness/server.js';

const server = useBroker({ shards: 2, config: { http_port: -1 }, args: ['--jsonl-port', '0', '--ws-port', '0'] });

const ask = (path: string): Promise<Monitored> => server.broker.monitored(path);
const url = (path: string): string => `http://127.0.0.1:${server.broker.monitoringPort}${path}`;
const named = ({ connections }: Monitored): string[] => connections.map(({ name }: Monitored) => name);

async function crowd(prefix: string, count: number): Promise<RawClient[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, i) => RawClient.connect(server.port, { name: `${prefix}${i}`, user: prefix })),
  );
}

test('connections come in the order that is asked for, a page at a time', async () => {
  const clients = await crowd('sorted', 5);
  for (const [i, client] of clients.entries()) {
    const subscriptions = Array.from({ length: 5 - i }, (_, sid) => `SUB s${i}.${sid} ${sid}\r\n`);
    const publishes = Array.from({ length: i + 1 }, () => `PUB s0.0 ${i}\r\n${'x'.repeat(i)}\r\n`);
    await client.exchange(subscriptions.join('') + publishes.join(''));
  }
  await clients[0]?.exchange();
  const sortedBy = async (sort: string, more = ''): Promise<string[]> =>
    named(await ask(`/connz?user=sorted&sort=${sort}${more}`));
  const up = ['sorted0', 'sorted1', 'sorted2', 'sorted3', 'sorted4'];
  expect(new Set(await sortedBy('cid'))).toEqual(new Set(up));
  expect(await sortedBy('subs')).toEqual(up);
  expect(await sortedBy('msgs_from')).toEqual(up.toReversed());
  expect(await sortedBy('bytes_from')).toEqual(up.toReversed());
  expect((await sortedBy('msgs_to'))[0]).toBe('sorted0');
  expect(await sortedBy('subs', '&limit=2')).toEqual(up.slice(0, 2));
  expect(await sortedBy('subs', '&limit=2&offset=3')).toEqual(up.slice(3));
  const page = await ask('/connz?user=sorted&limit=2&offset=3&sort=subs');
  expect([page.num_connections, page.offset, page.limit]).toEqual([2, 3, 2]);
  for (const sort of ['start', 'pending', 'bytes_to', 'last', 'idle', 'uptime', 'rtt'])
    expect((await sortedBy(sort)).length).toBe(5);
});

test('one connection, its subscriptions, and how it ended', async () => {
  const [client] = await crowd('one', 1);
  await client?.exchange('SUB a.* 1\r\nSUB b workers 2\r\nPUB a.b 2\r\nhi\r\n');
  const [{ cid }] = (await ask('/connz?user=one')).connections;
  const [shown] = (await ask(`/connz?cid=${cid}&subs=detail&auth=1`)).connections;
  expect(shown.authorized_user).toBe('one');
  expect(shown.subscriptions_list_detail).toEqual([
    { subject: 'a.*', sid: '1', msgs: 1, cid },
    { subject: 'b', qgroup: 'workers', sid: '2', msgs: 0, cid },
  ]);
  await client?.exchange('PUB x 99999999\r\n').catch(() => {});
  await expect.poll(async () => named(await ask('/connz?user=one'))).toEqual([]);
  const [ended] = (await ask(`/connz?cid=${cid}&state=closed&subs=1`)).connections;
  expect(ended.reason).toBe('Maximum Message Payload Exceeded');
  expect(ended.subscriptions_list).toEqual(['a.*', 'b']);
  expect(named(await ask(`/connz?cid=${cid}&state=all`))).toEqual(['one0']);
});

test('subscriptions that take a subject', async () => {
  const clients = await crowd('takers', 3);
  for (const [i, client] of clients.entries()) await client.exchange(`SUB test.${i}.* 1\r\nSUB test.> 2\r\n`);
  const { total, subscriptions_list } = await ask('/subsz?subs=1&test=test.1.x');
  expect(total).toBe(4);
  const subjects = subscriptions_list.map(({ subject }: Monitored) => subject).sort();
  expect(subjects).toEqual(['test.1.*', 'test.>', 'test.>', 'test.>']);
  expect((await ask('/subsz?subs=1&test=test.1.x&limit=1&offset=1')).subscriptions_list.length).toBe(1);
  const { num_subscriptions, num_inserts, num_removes } = await ask('/subsz');
  expect(num_inserts - num_removes).toBe(num_subscriptions);
});

test('what was asked is counted by path, and what there is not is not found', async () => {
  for (const path of ['/', '/healthz', '/healthz?x=1']) expect((await fetch(url(path))).status).toBe(200);
  for (const path of ['/nothing', '/varz/', '/__proto__', '//varz']) expect((await fetch(url(path))).status).toBe(404);
  const { http_req_stats } = await ask('/varz');
  expect(http_req_stats['/healthz']).toBe(2);
  expect(Object.keys(http_req_stats)).not.toContain('/nothing');
});

test('a server that is told to go on asks for no more than it has', async () => {
  const head = await fetch(url('/connz'), { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});
