import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { doors } from '../doors/everyDoor.js';
import { client } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useResident } from '../harness/residents.js';
import { OtlpReceiver } from './otlpReceiver.js';
import { destination, type Headers, hpub, TraceReader } from './traceClient.js';

// Invariant 58 of docs/INVARIANTS.md.

process.env.OTEL_BSP_SCHEDULE_DELAY = '10';
process.env.OTEL_RESOURCE_ATTRIBUTES = 'deployment.environment.name=test';
const receiver = await OtlpReceiver.open();
afterAll(() => receiver.close());

let traces = 0;

/** A context that nobody has used. */
function newContext(flags = '01') {
  const traceId = `${++traces}`.padStart(32, 'abcdef01');
  const parentId = `${traces}`.padStart(16, 'fedcba98');
  return { traceId, parentId, traceparent: `00-${traceId}-${parentId}-${flags}` };
}

const carrying = (traceparent: string, ...others: Headers): Headers => [['traceparent', traceparent], ...others];

describe.each([1, 2, 4])('%i shards', (shards) => {
  const resident = useResident({ shards, otel: true, otelEndpoint: receiver.url, otelRate: 10_000 });
  beforeEach(() => {
    receiver.spans.length = 0;
  });
  const connect = (options = {}) => RawClient.connect(resident.port, options);
  const spanOf = async (traceId: string) => (await receiver.take(1, (span) => span.traceId === traceId))[0]!;
  const subjectsOf = (events: readonly { attributes: object }[]) =>
    events.map(({ attributes }) => Object(attributes)['messaging.destination.subscription.name']).sort();

  test('every door: a message has a span that says whose it is and who gets it', async () => {
    const subscriber = await connect({ name: 'taker' });
    await subscriber.exchange('SUB span.* 1\r\nSUB span.a group 2\r\n');
    for (const [name, open] of Object.entries(doors)) {
      const door = await open(resident.broker);
      const { traceId, parentId, traceparent } = newContext();
      await door.publish({ subject: 'span.a', payload: Buffer.from('12345').toString('base64'), traceparent });
      const span = await spanOf(traceId);
      expect(span, name).toMatchObject({ name: 'process span.a', kind: 5, parentId, status: 0 });
      expect(span.attributes, name).toMatchObject({
        'messaging.system': 'nats',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'span.a',
        'messaging.message.body.size': 5,
        'shardcast.deliveries': 2,
      });
      expect(subjectsOf(span.events), name).toEqual(['span.*', 'span.a']);
      expect(span.events[0]!.attributes['shardcast.client.name']).toBe('taker');
      for (const { timeNs } of span.events) expect(timeNs >= span.startNs && timeNs <= span.endNs).toBe(true);
      expect(span.resource).toMatchObject({ 'service.name': 'shardcast', 'deployment.environment.name': 'test' });
    }
    // it is delivered like any other
    expect(await subscriber.exchange()).toHaveLength(2 * Object.keys(doors).length);
  });

  test('subscribers in the process are told of, and of very many how many there are', async () => {
    const { broker } = resident;
    const subscriptions = [broker.topic('crowd').subscribe(() => {}), broker.topic('crowd').subscribe(() => {})];
    const crowd = await connect();
    await crowd.exchange(Array.from({ length: 100 }, (_, i) => `SUB crowd s${i}\r\n`).join(''));
    const { traceId, traceparent } = newContext();
    const publisher = await connect();
    publisher.send(hpub('crowd', carrying(traceparent)));
    const { attributes, events } = await spanOf(traceId);
    expect(attributes['shardcast.deliveries']).toBe(102);
    expect(events).toHaveLength(18);
    for (const each of subscriptions) each.unsubscribe();
  });

  test('what a stream makes of it is told, with its sequence', async () => {
    const maker = await client(resident.port);
    const config = { name: 'SPANS', subjects: ['kept.>'], storage: 'memory', max_msg_size: 500 };
    await maker.request('$JS.API.STREAM.CREATE.SPANS', JSON.stringify(config));
    const publisher = await connect();
    for (const [sequence, body, error] of [
      [1, 'x', undefined],
      [2, 'x', undefined],
      [undefined, 'x'.repeat(600), 'maximum payload exceeded'],
    ] as const) {
      const { traceId, traceparent } = newContext();
      publisher.send(hpub('kept.a', carrying(traceparent, ['Nats-Msg-Id', `id-${traceId}`]), body));
      const { attributes, status, statusText } = await spanOf(traceId);
      expect(attributes).toMatchObject({ 'shardcast.stream.name': 'SPANS', 'messaging.message.id': `id-${traceId}` });
      expect(attributes['shardcast.stream.sequence']).toBe(sequence);
      expect([status, statusText]).toEqual(error === undefined ? [0, ''] : [2, error]);
    }
    // stored as it was published
    const stored = await maker.request('$JS.API.STREAM.MSG.GET.SPANS', JSON.stringify({ seq: 1 }));
    const { message } = stored.json<{ message: { hdrs: string } }>();
    expect(Buffer.from(message.hdrs, 'base64').toString()).toMatch(/^NATS\/1\.0\r\ntraceparent: 00-/);
    await maker.request('$JS.API.STREAM.DELETE.SPANS');
  });

  test('a message may have a span and a trace', async () => {
    const reader = await TraceReader.open(resident.port);
    const publisher = await connect();
    const { traceId, traceparent } = newContext();
    publisher.send(hpub('both', [...carrying(traceparent), ['Nats-Trace-Dest', destination]]));
    expect((await reader.next()).events).toMatchObject([{ type: 'in', subj: 'both' }]);
    expect((await spanOf(traceId)).attributes).toMatchObject({ 'shardcast.deliveries': 0 });
  });

  test('what W3C says is no context is none, and what is not sampled has no span', async () => {
    const { traceId, parentId } = newContext();
    const zeros = (count: number) => '0'.repeat(count);
    const invalid = [
      `00-${traceId}-${parentId}-00`,
      `00-${traceId}-${parentId}-fe`,
      `00-${traceId.toUpperCase()}-${parentId}-01`,
      `00-${zeros(32)}-${parentId}-01`,
      `00-${traceId}-${zeros(16)}-01`,
      `ff-${traceId}-${parentId}-01`,
      `00-${traceId}-${parentId}-01-more`,
      `00-${traceId}-${parentId}-1`,
      `00-${traceId}-${parentId}`,
      `0g-${traceId}-${parentId}-01`,
      `01-${traceId}-${parentId}-01.more`,
      `00_${traceId}-${parentId}-01`,
      `00-${traceId}-${parentId}-01${'x'.repeat(10_000)}`,
      '',
    ];
    const publisher = await connect();
    const subscriber = await connect();
    await subscriber.exchange('SUB odd 1\r\n');
    for (const value of invalid) publisher.send(hpub('odd', carrying(value)));
    const twice = newContext();
    publisher.send(hpub('odd', [...carrying(twice.traceparent), ...carrying(twice.traceparent)]));
    const valid = [newContext(), newContext('03'), newContext()] as const;
    publisher.send(hpub('odd', [['TraceParent', ` ${valid[0].traceparent} `]]));
    publisher.send(hpub('odd', [...carrying(valid[1].traceparent), ['tracestate', 'rojo=00f067aa0ba902b7']]));
    publisher.send(hpub('odd', carrying(`42${valid[2].traceparent.slice(2)}-of.a.later.version`)));
    const spans = await receiver.take(3, ({ name }) => name === 'process odd');
    expect(spans.map((span) => span.traceId)).toEqual(valid.map((context) => context.traceId));
    expect(spans.map(({ state }) => state)).toEqual(['', 'rojo=00f067aa0ba902b7', '']);
    await subscriber.messages(invalid.length + 1 + valid.length);
  });

  test('runs keep their order, whatever of them has spans', async () => {
    const publisher = await connect();
    const subscriber = await connect();
    await subscriber.exchange('SUB run.* 1\r\n');
    const many = 2_000;
    const sampled: string[] = [];
    const all = Array.from({ length: many }, (_, i) => {
      if (i % 20 !== 7)
        return hpub('run.a', i % 3 === 0 ? carrying(newContext('00').traceparent) : [['a', 'b']], `${i}`);
      const { traceId, traceparent } = newContext();
      sampled.push(traceId);
      return hpub('run.a', carrying(traceparent), `${i}`);
    });
    publisher.send(all.join(''));
    const got = await subscriber.messages(many);
    expect(got.map(({ payload }) => Number(payload))).toEqual(Array.from({ length: many }, (_, i) => i));
    const spans = await receiver.take(sampled.length, ({ name }) => name === 'process run.a');
    expect(spans.map(({ traceId }) => traceId).sort()).toEqual(sampled.sort());
  });
});
