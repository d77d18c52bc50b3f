import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { RawClient } from '../harness/rawClient.js';
import { type Monitored, useBroker } from '../harness/server.js';
import { ask, padding, publication } from '../policies/slowSubscriber.js';

// Invariant 55 of docs/INVARIANTS.md.

const server = useBroker({ shards: 2, config: { http_port: -1 } });

/** What clients have seen themselves. */
interface Seen {
  inMessages: number;
  inBytes: number;
  outMessages: number;
  outBytes: number;
}

const nothing = (): Seen => ({ inMessages: 0, inBytes: 0, outMessages: 0, outBytes: 0 });

/** A client that counts by itself what it says and hears. */
class Counting {
  readonly seen = nothing();
  readonly #client: RawClient;
  readonly name: string;

  private constructor(client: RawClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  static async connect(name: string, options = {}): Promise<Counting> {
    return new Counting(await RawClient.connect(server.port, { name, ...options }), name);
  }

  async subscribe(subject: string, sid: number, queue = ''): Promise<void> {
    this.#client.send(`SUB ${subject} ${queue} ${sid}\r\n`);
    await this.settle();
  }

  limit(sid: number, messages: number): void {
    this.#client.send(`UNSUB ${sid} ${messages}\r\n`);
  }

  publish(subject: string, payload: string, headers = '', reply = ''): void {
    const length = headers.length + payload.length;
    const head =
      headers === '' ? `PUB ${subject} ${reply} ${length}` : `HPUB ${subject} ${reply} ${headers.length} ${length}`;
    this.#client.send(`${head}\r\n${headers}${payload}\r\n`);
    this.seen.inMessages++;
    this.seen.inBytes += length;
  }

  /** Takes what has come until its PONG. */
  async settle(): Promise<void> {
    this.#client.send('PING\r\n');
    const frames = await this.#client.readUntil(({ op }) => op === 'PONG', 'PONG');
    for (const frame of frames) {
      if (frame.op !== 'MSG') continue;
      this.seen.outMessages++;
      this.seen.outBytes += frame.payload.length + (frame.headers?.length ?? 0);
    }
  }

  close(): void {
    this.#client.close();
  }
}

function countsOf(connection: Monitored): Seen {
  const { in_msgs, in_bytes, out_msgs, out_bytes } = connection;
  return { inMessages: in_msgs, inBytes: in_bytes, outMessages: out_msgs, outBytes: out_bytes };
}

async function connections(): Promise<ReadonlyMap<string, Monitored>> {
  const { connections: listed } = await server.broker.monitored('/connz');
  return new Map(listed.map((connection: Monitored) => [connection.name, connection]));
}

const open: Counting[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

const subjects = ['a.one', 'a.two', 'b.one', 'c'] as const;
const headers = 'NATS/1.0\r\nA: b\r\n\r\n';
const publish = fc.record({
  kind: fc.constant('publish' as const),
  client: fc.nat(3),
  subject: fc.constantFrom(...subjects),
  bytes: fc.constantFrom(0, 1, 17, 100, 1_000, 9_999, 70_000),
  times: fc.constantFrom(1, 2, 40),
  withHeaders: fc.boolean(),
  withReply: fc.boolean(),
});
const subscribe = fc.record({
  kind: fc.constant('subscribe' as const),
  client: fc.nat(3),
  subject: fc.constantFrom(...subjects, 'a.*', '>'),
  queue: fc.constantFrom('', 'q'),
  max: fc.constantFrom(0, 3),
});
const operations = fc.array(fc.oneof({ weight: 3, arbitrary: publish }, { weight: 1, arbitrary: subscribe }), {
  minLength: 4,
  maxLength: 40,
});

let runs = 0;

test('every connection is counted what it has seen itself, and all together the sum of it', async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (all) => {
      const before = await server.broker.monitored('/varz');
      const run = ++runs;
      const clients = await Promise.all(
        [0, 1, 2, 3].map((i) =>
          Counting.connect(`${run} ${i}`, i === 3 ? { headers: false, no_responders: false } : {}),
        ),
      );
      open.push(...clients);
      let sid = 0;
      for (const operation of all) {
        const client = clients[operation.client] as Counting;
        if (operation.kind === 'subscribe') {
          await client.subscribe(operation.subject, ++sid, operation.queue);
          if (operation.max > 0) client.limit(sid, operation.max);
          continue;
        }
        // a client without headers may send none
        const block = operation.withHeaders && operation.client !== 3 ? headers : '';
        for (let i = 0; i < operation.times; i++)
          client.publish(operation.subject, 'x'.repeat(operation.bytes), block, operation.withReply ? 're.ply' : '');
      }
      // whoever publishes has all of it in order, then everybody takes what is its own
      for (let i = 0; i < 2; i++) await Promise.all(clients.map((client) => client.settle()));
      const found = await connections();
      const after = await server.broker.monitored('/varz');
      const sum = nothing();
      for (const { name, seen } of clients) {
        expect(countsOf(found.get(name))).toEqual(seen);
        for (const key of Object.keys(sum) as (keyof Seen)[]) sum[key] += seen[key];
      }
      const difference = countsOf(after);
      for (const key of Object.keys(sum) as (keyof Seen)[]) difference[key] -= countsOf(before)[key];
      expect(difference).toEqual(sum);
      for (const client of open.splice(0)) client.close();
    }),
    { numRuns: 12 },
  );
});

test('acknowledgements that are read together are counted as any other message', async () => {
  const setUp = await RawClient.connect(server.port);
  const stream = JSON.stringify({ name: 'acked', subjects: ['acked'], storage: 'memory' });
  const consumer = JSON.stringify({ stream_name: 'acked', config: { durable_name: 'w', ack_policy: 'explicit' } });
  await setUp.exchange('SUB _INBOX.1 1\r\n');
  for (const [subject, body] of [
    ['STREAM.CREATE.acked', stream],
    ['CONSUMER.DURABLE.CREATE.acked.w', consumer],
  ] as const) {
    setUp.send(`PUB $JS.API.${subject} _INBOX.1 ${body.length}\r\n${body}\r\n`);
    await setUp.messages(1);
  }
  const worker = await RawClient.connect(server.port, { name: 'worker' });
  const bodies = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? '+ACK' : ''));
  const lines = bodies.map((body, i) => `PUB $JS.ACK.acked.w.1.${i + 1}.${i + 1}.1.0 ${body.length}\r\n${body}\r\n`);
  await worker.exchange(lines.join(''));
  const counted = countsOf((await connections()).get('worker') as Monitored);
  expect(counted).toEqual({ ...nothing(), inMessages: 50, inBytes: 100 });
  for (const client of [setUp, worker]) client.close();
});

test('what a subscription loses is counted: delivered, dropped and replaced are what was published', async () => {
  const { port } = server;
  const before = await server.broker.monitored('/varz');
  const publisher = await RawClient.connect(port);
  const slow: RawClient[] = [];
  let got = 0;
  for (const policy of ['drop-new', 'drop-old', 'conflate']) {
    const client = await RawClient.connect(port);
    await ask(client, { subject: 'slow.*', policy, ...(policy === 'conflate' ? {} : { maxMessages: 100 }) });
    await client.exchange('SUB slow.* 1\r\n');
    client.socket.pause();
    client.onFrame = ({ op }) => {
      if (op === 'MSG') got++;
      // who conflates is given more when it has read
      else if (op === 'PING') client.send('PONG\r\n');
    };
    slow.push(client);
  }
  // more than the buffers of the kernel hold
  const published = 1_500;
  for (let i = 0; i < published; i++) publisher.send(publication(`slow.${i % 7}`, padding));
  await publisher.exchange();
  for (const client of slow) client.socket.resume();
  const now = async (): Promise<Record<string, number>> => {
    const after = await server.broker.monitored('/varz');
    const names = ['out_msgs', 'dropped_msgs', 'replaced_msgs'];
    return Object.fromEntries(names.map((name) => [name, after[name] - before[name]]));
  };
  // the answers to what they have asked for are messages, too
  const expected = (published + 1) * slow.length;
  await expect.poll(async () => Object.values(await now()).reduce((sum, count) => sum + count)).toBe(expected);
  const { dropped_msgs, replaced_msgs, out_msgs } = await now();
  for (const count of [dropped_msgs, replaced_msgs]) expect(count).toBeGreaterThan(0);
  await expect.poll(() => got).toBe((out_msgs as number) - slow.length);
});
