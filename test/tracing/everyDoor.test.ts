import { describe, expect, test } from 'vitest';
import { type DoorMessage, doors } from '../doors/everyDoor.js';
import { client, collect } from '../harness/officialClient.js';
import { RawClient } from '../harness/rawClient.js';
import { useResident } from '../harness/residents.js';
import { destination, hpub, onlyTraced, type ReadTrace, TraceReader, traced } from './traceClient.js';

// Invariant 57 of docs/INVARIANTS.md. What traces say is compared with nats-server's in test/peers/tracing.test.ts.

const shardUrl = new URL('../../dist/test/rights/rightsThread.js', import.meta.url);
const asFields = (headers: typeof traced) => Object.fromEntries(headers);

/** What a trace says of its deliveries, in no order: which subscription, of which group. */
function deliveries({ events }: ReadTrace): string[] {
  return events
    .filter(({ type }) => type === 'eg')
    .map(({ sub, queue, error }) => [sub, queue, error].filter((one) => one !== undefined).join(' '))
    .sort();
}

describe.each([1, 2, 4])('%i shards', (shards) => {
  const resident = useResident({ shards }, shardUrl);
  const connect = (options = {}) => RawClient.connect(resident.port, { user: 'free', ...options });
  const readTraces = () => TraceReader.open(resident.port, { user: 'free' });

  /** Subscribers on connections of their own, so that they are of different threads. */
  async function subscribeAll(lines: readonly string[]): Promise<readonly RawClient[]> {
    const clients = await Promise.all(lines.map(() => connect()));
    await Promise.all(clients.map((each, i) => each.exchange(`SUB ${lines[i]} 1\r\n`)));
    return clients;
  }

  test.each(Object.keys(doors))('%s: who gets a message is told, and who would', async (name) => {
    const reader = await readTraces();
    const subscribers = await subscribeAll(['x.a', 'x.*', 'x.>', 'x.a workers', 'x.a workers']);
    const door = await doors[name]!(resident.broker);
    const seen: DoorMessage[] = [];
    let subscription = '';
    if (name.includes('process')) {
      subscription = 'x.*';
      await door.subscribe(subscription, (message) => seen.push(message), false);
    }
    const expected = ['x.a', 'x.*', 'x.>', 'x.a workers', ...(subscription === '' ? [] : [subscription])].sort();
    for (const headers of [onlyTraced, traced]) {
      await door.publish({ subject: 'x.a', payload: '', headers: asFields(headers) });
      const trace = await reader.next();
      expect(trace.events[0]).toMatchObject({ type: 'in', kind: 0, acc: '$G', subj: 'x.a' });
      expect(deliveries(trace)).toEqual(expected);
      expect(trace.request.header).toMatchObject({ 'Nats-Trace-Dest': [destination] });
    }
    // each got what was not only traced, and one of the group
    const got = await Promise.all(subscribers.map((each) => each.exchange()));
    expect(got.map(({ length }) => length)).toEqual([1, 1, 1, expect.any(Number), expect.any(Number)]);
    expect(got[3]!.length + got[4]!.length).toBe(1);
    if (subscription !== '') expect(seen.map(({ headers }) => headers)).toEqual([asFields(traced)]);
  });

  test.each(Object.keys(doors))('%s: what a stream makes of it is told', async (name) => {
    const maker = await client(resident.port, { user: 'free' });
    const stream = `S${name.replace(/\W/g, '')}`;
    const subject = `stored.${stream}`;
    await maker.request(
      `$JS.API.STREAM.CREATE.${stream}`,
      JSON.stringify({ name: stream, subjects: [subject], storage: 'memory' }),
    );
    const reader = await readTraces();
    const door = await doors[name]!(resident.broker);
    for (const headers of [onlyTraced, traced, onlyTraced]) {
      await door.publish({ subject, payload: '', headers: asFields(headers) });
      const { events } = await reader.next();
      expect(events.map(({ type, stream: by, subject: on }) => [type, by, on])).toEqual([
        ['in', undefined, undefined],
        ['js', stream, subject],
      ]);
    }
    const info = (await maker.request(`$JS.API.STREAM.INFO.${stream}`)).json<{ state: { messages: number } }>();
    expect(info.state.messages).toBe(1);
    await maker.request(`$JS.API.STREAM.DELETE.${stream}`);
  });

  test('who wants no echo gets none, on whichever thread the message is put in order', async () => {
    const reader = await readTraces();
    for (const subject of ['e.1', 'e.2', 'e.3', 'e.4', 'e.5', 'e.6']) {
      const [other] = await subscribeAll([`${subject} alike`]);
      const publisher = await connect({ echo: false });
      await publisher.exchange(`SUB ${subject} 1\r\nSUB ${subject} alike 2\r\n`);
      const got = await publisher.exchange(hpub(subject, traced, 'x').repeat(3));
      expect(got).toEqual([]);
      const traces = [await reader.next(), await reader.next(), await reader.next()];
      for (const trace of traces) expect(deliveries(trace)).toContain(`${subject} Not delivered because of no echo`);
      expect(await other!.exchange()).toHaveLength(3);
    }
  });

  test('nobody has the broker speak to itself, or to where it may not, and no trace is traced', async () => {
    const spy = await client(resident.port, { user: 'free' });
    const asked = collect(spy, '$JS.API.>');
    const taken = collect(spy, 'no.>');
    const seen = collect(spy, 'seen.>');
    await spy.flush();
    const publisher = await RawClient.connect(resident.port, { user: 'limited' });
    const reader = await readTraces();
    const internal = ['$JS.API.INFO', '$SYS.REQ.USER.INFO', '$SHARDCAST.SUB', '$JS.ACK.S.C.1.1.1.1.0', 'no.rights'];
    for (const named of internal) {
      const headers = [['Nats-Trace-Dest', named]] as const;
      expect(await publisher.exchange(hpub('seen.1', headers))).toEqual([]);
    }
    expect(await publisher.exchange(hpub('no.1', traced))).toEqual([
      `-ERR 'Permissions Violation for Publish to "no.1"'`,
    ]);
    expect((await reader.next()).events).toMatchObject([
      { type: 'in', subj: 'no.1', error: 'Permissions Violation for Publish to "no.1"' },
    ]);
    // the trace of a message to where traces go is one
    const traces = await connect();
    traces.send(hpub(destination, traced, '{}'));
    expect(deliveries(await reader.next().then(() => reader.next()))).toEqual([destination]);
    await spy.flush();
    expect([asked.texts, taken.texts, seen.texts.length]).toEqual([[], [], internal.length]);
  });

  test('what may not be received is said to be', async () => {
    const reader = await readTraces();
    const limited = await RawClient.connect(resident.port, { user: 'limited' });
    await limited.exchange('SUB a.* 1\r\n');
    const publisher = await connect();
    publisher.send(hpub('a.secret', traced));
    expect(deliveries(await reader.next())).toEqual(['a.* Not delivered because subscription denies this subject']);
    expect(await limited.exchange()).toEqual([]);
  });

  test('who has very many traced waits for room, and loses none', async () => {
    const reader = await readTraces();
    const [subscriber] = await subscribeAll(['many']);
    const publisher = await connect();
    const many = 300;
    const all = publisher.exchange(Array.from({ length: many }, (_, i) => hpub('many', traced, `${i}`)).join(''));
    for (let i = 0; i < many; i++) expect(deliveries(await reader.next())).toEqual(['many']);
    expect(await all).toEqual([]);
    const got = await subscriber!.exchange();
    expect(got.map((line) => Number(line.split('| ')[1]))).toEqual(Array.from({ length: many }, (_, i) => i));
  });

  test('very many who get it are counted, not listed', async () => {
    const reader = await readTraces();
    const many = 600;
    const [subscriber] = await subscribeAll(['crowd']);
    await subscriber!.exchange(Array.from({ length: many }, (_, i) => `SUB crowd s${i}\r\n`).join(''));
    const publisher = await connect();
    publisher.send(hpub('crowd', onlyTraced));
    const { events } = await reader.next();
    expect(events).toHaveLength(514);
    expect(events[513]).toMatchObject({ type: 'eg', error: `${many + 1 - 512} more are not listed` });
    expect(await subscriber!.exchange()).toEqual([]);
  });

  test('members of very many groups are counted, not listed', async () => {
    const reader = await readTraces();
    const many = 600;
    const subscriber = await connect();
    await subscriber.exchange(Array.from({ length: many }, (_, i) => `SUB crowd q${i} s${i}\r\n`).join(''));
    const publisher = await connect();
    for (const headers of [onlyTraced, traced]) {
      publisher.send(hpub('crowd', headers));
      const { events } = await reader.next();
      expect(events).toHaveLength(514);
      expect(events.filter(({ queue }) => queue !== undefined)).toHaveLength(512);
      expect(events).toContainEqual(expect.objectContaining({ error: `${many - 512} more are not listed` }));
    }
    expect(await subscriber.exchange()).toHaveLength(many);
  });

  test('a member that has to acknowledge is told like any', async () => {
    const reader = await readTraces();
    const publisher = await connect();
    const worker = await connect();
    const traceOptions = JSON.stringify({ subject: 'work', queue: 'workers', prefetch: 1 });
    await worker.exchange(`PUB $SHARDCAST.SUB ${traceOptions.length}\r\n${traceOptions}\r\nSUB work workers 1\r\n`);
    publisher.send(hpub('work', onlyTraced) + hpub('work', traced));
    expect(deliveries(await reader.next())).toEqual(['work workers']);
    expect(deliveries(await reader.next())).toEqual(['work workers']);
    expect(await worker.exchange()).toHaveLength(1);
  });
});
