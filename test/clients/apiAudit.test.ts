import { headers, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { client } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { ours, shardCounts } from '../harness/target.js';
import { useSite } from './consumers/site.js';

// What is told of requests to the API, beside nats-server 2.15.1 (SHARDCAST_TEST_TARGET=nats-server).

interface Audit {
  readonly type: string;
  readonly id: string;
  readonly timestamp: string;
  readonly client: Readonly<Record<string, unknown>>;
  readonly subject: string;
  readonly request?: string;
  readonly response: string;
}

const named = { name: 'asks', user: undefined };
const demanding = headers();
demanding.set('Nats-Required-Api-Level', '99');
const config = { durable_name: 'C', ack_policy: 'explicit', filter_subject: 's.1', deliver_policy: 'new' };

/** Requests, and of each whether it is told. */
const requests: readonly (readonly [subject: string, body: string, isTold: boolean])[] = [
  ['INFO', 'x', true],
  ['STREAM.CREATE.S', '{"name":"S","subjects":["s.*"],"storage":"memory"}', true],
  ['STREAM.CREATE.S', '{bad', true],
  ['STREAM.INFO.S', '', true],
  ['STREAM.INFO.NO', '', true],
  ['STREAM.INFO.S', '"<&€', true],
  ['STREAM.NAMES', '', true],
  ['STREAM.LIST', '', true],
  ['STREAM.MSG.GET.S', '{"seq":1}', false],
  ['STREAM.MSG.GET.S', '{"seq":9}', true],
  ['DIRECT.GET.S', '{"seq":1}', false],
  ['CONSUMER.CREATE.S', '{"stream_name":"S","config":{"name":"E"}}', true],
  ['CONSUMER.CREATE.S.C.s.1', JSON.stringify({ stream_name: 'S', config }), true],
  ['CONSUMER.DURABLE.CREATE.S.D', '{"stream_name":"S","config":{"durable_name":"D"}}', true],
  ['CONSUMER.INFO.S.C', '', true],
  ['CONSUMER.INFO.S.NO', '', true],
  ['CONSUMER.NAMES.S', '', true],
  ['CONSUMER.LIST.S', '', true],
  ['CONSUMER.MSG.NEXT.S.C', '{"batch":1,"no_wait":true}', false],
  ['CONSUMER.PAUSE.S.C', '{"pause_until":"2130-01-01T00:00:00Z"}', true],
  ['CONSUMER.RESET.S.C', '{}', false],
  ['CONSUMER.RESET.S.C', '{bad', false],
  ['CONSUMER.UNPIN.S.C', '{}', true],
  ['STREAM.UPDATE.S', '{"name":"S","subjects":["s.*"],"storage":"memory","max_msgs":7}', true],
  ['STREAM.MSG.DELETE.S', '{"seq":1}', true],
  ['STREAM.PURGE.S', '', true],
  ['CONSUMER.DELETE.S.C', '', true],
  ['STREAM.DELETE.S', '', true],
];

/** Listens to what is told; one request follows that others wait for. */
async function listen(spy: NatsConnection): Promise<{ told: (count: number) => Promise<Audit[]>; end: string }> {
  const end = '$JS.API.STREAM.INFO.END';
  const audits: Audit[] = [];
  spy.subscribe('$JS.EVENT.ADVISORY.API', { callback: (_, message) => void audits.push(message.json<Audit>()) });
  await spy.flush();
  const told = async (count: number): Promise<Audit[]> => {
    // nats-server tells of what it was asked for in an order of its own
    await expect.poll(() => audits.map(({ subject }) => subject)).toContain(end);
    await expect.poll(() => audits.length).toBeGreaterThan(count);
    return audits.filter(({ subject }) => subject !== end);
  };
  return { told, end };
}

describe.each(shardCounts)('%i shards', (shards) => {
  const used = useSite({ shards });
  const connect = (name: string) => client(used.site.port, { name });

  test('who asked, for what and the answer are told, except of what is asked all the time', async () => {
    const asking = await connect('asks');
    const { told, end } = await listen(used.site.connection);
    const expected: string[] = [];
    for (const [subject, body, isTold] of requests) {
      // nothing is stored in it without a message
      if (subject === 'STREAM.MSG.GET.S') await used.site.js.publish('s.1', 'hello', { msgID: 'one' });
      const asked = asking.request(`$JS.API.${subject}`, body, { timeout: 10_000 });
      const response = await asked.then(
        (answer) => answer.string(),
        () => '',
      );
      if (!isTold) continue;
      expected.push(`$JS.API.${subject} ${body} ${response}`);
    }
    const demanded = await asking.request('$JS.API.STREAM.INFO.S', '', { headers: demanding, timeout: 10_000 });
    expected.push(`$JS.API.STREAM.INFO.S  ${demanded.string()}`);
    await asking.request(end, '', { timeout: 10_000 });
    const audits = await told(expected.length);
    const said = audits.map(({ subject, request = '', response }) => [subject, request, response].join(' '));
    expect(said.sort()).toEqual(expected.sort());
    for (const { type, id, timestamp, client: who } of audits) {
      expect(type).toBe('io.nats.jetstream.advisory.v1.api_audit');
      expect(id).toMatch(/^[0-9A-Za-z]{22}$/);
      expect(Date.parse(timestamp)).toBeGreaterThan(0);
      const { id: number, lang, ver, start, rtt, server, ...rest } = who;
      expect({ number, lang }).toEqual({ number: asking.info!.client_id, lang: 'nats.js' });
      expect(rest).toEqual({ ...named, host: '127.0.0.1', acc: '$G', kind: 'Client', client_type: 'nats' });
      expect(typeof ver + typeof server).toBe('stringstring');
      expect(Date.parse(start as string)).toBeGreaterThan(0);
      if (rtt !== undefined) expect(rtt).toBeGreaterThan(0);
    }
    await asking.close();
  });

  test('requests without a reply are told, each for itself, and what is no UTF-8', async () => {
    const { told, end } = await listen(used.site.connection);
    const asking = await RawClient.connect(used.site.port, { verbose: false });
    const request = (body: string) => `PUB $JS.API.STREAM.INFO.NO ${body.length}\r\n${body}\r\n`;
    const forged = 'NATS/1.0\r\nNats-Request-Info: {"user":"root"}\r\n\r\n';
    const withHeader = `HPUB $JS.API.STREAM.INFO.NO ${forged.length} ${forged.length + 1}\r\n${forged}d\r\n`;
    asking.send(Buffer.from(`${request('a')}${request('b')}${request('"\xff<')}`, 'latin1'));
    asking.send(`${withHeader}SUB x 1\r\nPUB ${end} x 0\r\n\r\n`);
    await asking.messages(1);
    const audits = await told(4);
    expect(audits.map((audit) => audit.request).sort()).toEqual(['"\ufffd<', 'a', 'b', 'd']);
    for (const audit of audits) {
      expect(JSON.parse(audit.response)).toHaveProperty('error');
      expect(audit.client.user).toBeUndefined();
    }
    asking.close();
  });

  ours('nobody who takes requests is told who asks, nor is anybody of whom nothing is told', async () => {
    const asking = await connect('asks');
    const others = used.site.connection.subscribe('$JS.API.>', { max: 2 });
    const { told, end } = await listen(used.site.connection);
    await asking.request('$JS.API.STREAM.INFO.NO', '', { headers: demanding, timeout: 10_000 });
    await asking.request(end, '', { timeout: 10_000 });
    expect(await told(1)).toHaveLength(1);
    const seen: unknown[] = [];
    for await (const { subject, headers: shown, data } of others)
      seen.push([subject, [...(shown?.keys() ?? [])], data.length]);
    expect(seen).toEqual([
      ['$JS.API.STREAM.INFO.NO', ['Nats-Required-Api-Level'], 0],
      [end, [], 0],
    ]);
    await asking.close();
  });
});
