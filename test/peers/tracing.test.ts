import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Frame, Message } from '../harness/frames.js';
import { type ConnectOptions, RawClient } from '../harness/rawClient.js';
import { Broker } from '../harness/server.js';
import {
  comparable,
  destination,
  type Headers,
  hpub,
  onlyTraced,
  type ReadTrace,
  readTrace,
  TraceReader,
  traced,
} from '../tracing/traceClient.js';
import { isTooOld, tooOld } from './peerVersion.js';

// docs/PROTOCOL.md lists what differs: what is not compared here.

const directory = mkdtempSync(join(tmpdir(), 'shardcast-peer-'));
const servers: { readonly [side: string]: Broker } = {};
let isOld = false;

beforeAll(async () => {
  const jetstream = { store_dir: directory, domain: 'hub' };
  const theirs = await Broker.start({ oracle: true, config: { server_name: 'one', jetstream } });
  const { version } = await (await RawClient.open(theirs.port)).info();
  isOld = isTooOld(version);
  const ours = await Broker.start({
    config: { server_name: 'one' },
    shards: 2,
    args: ['--domain', 'hub', '--data', join(directory, 'ours')],
  });
  Object.assign(servers, { theirs, ours });
});
afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  rmSync(directory, { recursive: true, force: true });
});

/** One side of a comparison: a publisher, a subscriber, and who reads traces. */
interface Side {
  readonly publisher: RawClient;
  readonly subscriber: RawClient;
  readonly reader: TraceReader;
}

async function openSide({ port }: Broker, options: ConnectOptions): Promise<Side> {
  const subscriber = await RawClient.connect(port, { name: 'subscriber' });
  await subscriber.exchange('SUB plain.* 5\r\nSUB group.a workers 6\r\nSUB plain.group workers 7\r\nSUB s.seen 8\r\n');
  const publisher = await RawClient.connect(port, { name: 'publisher', ...options });
  await publisher.exchange('SUB _INBOX.* 9\r\nSUB echo 10\r\n');
  return { publisher, subscriber, reader: await TraceReader.open(port) };
}

/** What a client gets, without what no two servers have in common. */
function shown(frames: readonly Frame[]): unknown[] {
  return frames.map((frame) => {
    if (frame.op !== 'MSG') return frame;
    const { subject, sid, reply, headers, payload } = frame;
    return [subject, sid, reply?.replace(/\.\d+$/, ''), headers?.toString(), withoutDomain(payload.toString())];
  });
}

/** A refusal of nats-server's does not name the domain; docs/PROTOCOL.md says so. */
function withoutDomain(text: string): string {
  return text.replace('"domain":"hub",', '');
}

async function receivedBy(client: RawClient): Promise<readonly Frame[]> {
  await client.exchangeKeeping();
  return client.frames.splice(0).filter(({ op }) => op === 'MSG' || op === '+OK' || op === '-ERR');
}

/** The same, once a stream has acknowledged all that it was sent before: it does so in order. */
async function acknowledgedTo(client: RawClient): Promise<readonly Frame[]> {
  client.send('PUB s.mark _INBOX.mark 0\r\n\r\n');
  const isMark = (frame: Frame): boolean => frame.op === 'MSG' && frame.subject === '_INBOX.mark';
  return (await client.readUntil(isMark, 'the mark')).filter(({ op }) => op === 'MSG').slice(0, -1);
}

const apiReply = '_INBOX.api';

async function ask({ publisher }: Side, subject: string, request: object): Promise<void> {
  const text = JSON.stringify(request);
  publisher.send(`PUB ${subject} ${apiReply} ${text.length}\r\n${text}\r\n`);
  await publisher.messages(1);
}

/** Publishes on both sides, and compares the traces, field by field. */
async function compare(
  given: string,
  options: ConnectOptions = {},
  before?: (side: Side) => Promise<'stream' | 'none'>,
): Promise<ReadTrace> {
  const sides = await Promise.all(['theirs', 'ours'].map((side) => openSide(servers[side] as Broker, options)));
  const [theirs, ours] = await Promise.all(
    sides.map(async (side) => {
      const hasStream = (await before?.(side)) === 'stream';
      side.publisher.send(given);
      const trace = await side.reader.next();
      return {
        trace,
        publisher: shown(await (hasStream ? acknowledgedTo : receivedBy)(side.publisher)),
        subscriber: shown(await receivedBy(side.subscriber)),
      };
    }),
  );
  expect(comparable(ours!.trace)).toEqual(comparable(theirs!.trace));
  expect(Object.keys(ours!.trace)).toEqual(Object.keys(theirs!.trace));
  expect([ours!.publisher, ours!.subscriber]).toEqual([theirs!.publisher, theirs!.subscriber]);
  for (const { publisher, subscriber } of sides) for (const client of [publisher, subscriber]) client.close();
  return ours!.trace;
}

const stream = { name: 'S', subjects: ['s.>'], storage: 'memory', max_msg_size: 200 };
const makeStream =
  (more: Readonly<Record<string, unknown>> = {}) =>
  async (side: Side) => {
    await ask(side, '$JS.API.STREAM.DELETE.S', {});
    await ask(side, '$JS.API.STREAM.CREATE.S', { ...stream, ...more });
    return more.no_ack ? 'none' : 'stream';
  };
const and = (...more: Headers): Headers => [...traced, ...more];

describe('a trace is what nats-server has', () => {
  test.beforeEach(({ skip }) => skip(isOld, tooOld));

  test.each([
    ['plain subscriptions', hpub('plain.a', traced, 'hello')],
    ['a group', hpub('group.a', traced, 'hello')],
    ['both', hpub('plain.group', traced, 'hello')],
    ['nobody', hpub('nobody', traced, 'hello')],
    ['nobody, for a request', hpub('nobody', traced, 'hello', '_INBOX.x')],
    ['nobody, for a request that is only traced', hpub('nobody', onlyTraced, 'hello', '_INBOX.x')],
    ['an address', hpub('_INBOX.y', traced, 'hello')],
    ['only traced', hpub('plain.a', onlyTraced, 'hello')],
    ['only traced, for a group', hpub('plain.group', onlyTraced, 'hello', '_INBOX.x')],
    ['itself', hpub('echo', traced, 'hello')],
    [
      'headers of all kinds',
      hpub('plain.a', and(['a', '1'], ['a', '2'], ['B', ''], ['<b>', '"&\\'], ['traceparent', 'x']), 'hello'),
    ],
    ['what is no yes', hpub('plain.a', and(['Nats-Trace-Only', 'yes']), 'hello')],
    ['a reply that is reserved', hpub('plain.a', traced, 'hello', '$JS.ACK.x')],
    ['a service', hpub('$JS.API.INFO', traced)],
    ['a service of a domain', hpub('$JS.hub.API.INFO', traced)],
    ['a service that is only traced', hpub('$JS.API.INFO', onlyTraced, '', '_INBOX.x')],
    ['another service', hpub('$SYS.REQ.USER.INFO', traced)],
    ['another service that is only traced', hpub('$SYS.REQ.USER.INFO', onlyTraced, '', '_INBOX.x')],
    ['nobody there', hpub('$SYS.REQ.NOTHING', traced, '', '_INBOX.x')],
  ])('%s', async (_, given) => {
    await compare(given);
  });

  test('who wants no echo', async () => {
    await compare(hpub('echo', traced, 'hello'), { echo: false });
  });
  test('who has no name', async () => {
    await compare(hpub('echo', traced, 'hello'), { name: '' });
  });
  test('verbose', async () => {
    await compare(hpub('plain.a', onlyTraced, 'hello'), { verbose: true, pedantic: true });
  });

  test.each([
    ['stored', hpub('s.a', traced, 'hello', '_INBOX.x'), {}],
    ['stored, and seen', hpub('s.seen', traced, 'hello', '_INBOX.x'), {}],
    ['stored on a disk', hpub('s.seen', traced, 'hello', '_INBOX.x'), { storage: 'file' }],
    ['only traced', hpub('s.seen', onlyTraced, 'hello', '_INBOX.x'), {}],
    ['not acknowledged', hpub('s.a', traced, 'hello', '_INBOX.x'), { no_ack: true }],
    ['too large', hpub('s.a', traced, 'h'.repeat(300), '_INBOX.x'), {}],
    ['too large, only traced', hpub('s.a', onlyTraced, 'h'.repeat(300), '_INBOX.x'), {}],
    ['another stream expected', hpub('s.a', and(['Nats-Expected-Stream', 'T']), '', '_INBOX.x'), {}],
    ['another sequence expected', hpub('s.a', and(['Nats-Expected-Last-Sequence', '7']), '', '_INBOX.x'), {}],
    ['another of the subject', hpub('s.a', and(['Nats-Expected-Last-Subject-Sequence', '7']), '', '_INBOX.x'), {}],
    ['another id expected', hpub('s.a', and(['Nats-Expected-Last-Msg-Id', 'x']), '', '_INBOX.x'), {}],
    ['a rollup', hpub('s.a', and(['Nats-Rollup', 'all']), '', '_INBOX.x'), {}],
    ['a time to live', hpub('s.a', and(['Nats-TTL', '1s']), '', '_INBOX.x'), {}],
    ['no time to live', hpub('s.a', and(['Nats-TTL', 'x']), '', '_INBOX.x'), {}],
    ['a counter', hpub('s.a', and(['Nats-Incr', '1']), '', '_INBOX.x'), {}],
    ['nobody interested', hpub('s.a', traced, '', '_INBOX.x'), { retention: 'interest' }],
    ['nobody interested, only traced', hpub('s.a', onlyTraced, '', '_INBOX.x'), { retention: 'interest' }],
  ])('a stream: %s', async (_, given, more) => {
    await compare(given, {}, makeStream(more as Readonly<Record<string, unknown>>));
  });

  test('a stream: known, full and sealed', async () => {
    const publish = (headers: Headers) => hpub('s.a', headers, '', '_INBOX.x');
    const withOne =
      (more: object) =>
      async (side: Side): Promise<'stream'> => {
        await makeStream(more as Readonly<Record<string, unknown>>)(side);
        side.publisher.send(publish([['Nats-Msg-Id', '1']]));
        await side.publisher.messages(1);
        return 'stream';
      };
    await compare(publish(and(['Nats-Msg-Id', '1'])), {}, withOne({}));
    await compare(publish([...onlyTraced, ['Nats-Msg-Id', '1']]), {}, withOne({}));
    await compare(publish(traced), {}, withOne({ max_msgs: 1, discard: 'new' }));
    await compare(publish(onlyTraced), {}, withOne({ max_msgs: 1, discard: 'new' }));
    const sealed = async (side: Side): Promise<'stream'> => {
      await makeStream()(side);
      await ask(side, '$JS.API.STREAM.UPDATE.S', { ...stream, sealed: true });
      return 'stream';
    };
    await compare(publish(traced), {}, sealed);
  });

  test('what is stored is not traced again', async () => {
    const stored = async (side: Side) => {
      await makeStream({ allow_direct: true })(side);
      side.publisher.send(hpub('s.a', [['x', '1'], ...traced, ['y', '2']], 'hello', '_INBOX.x'));
      await Promise.all([side.publisher.messages(1), side.reader.next()]);
      side.publisher.send('PUB $JS.API.DIRECT.GET.S _INBOX.x 9\r\n{"seq":1}\r\n');
      const [message] = await side.publisher.messages(1);
      return (message as Message).headers?.toString().replace(/Nats-Time-Stamp: .*/, '');
    };
    const [theirs, ours] = await Promise.all(
      ['theirs', 'ours'].map(async (side) => stored(await openSide(servers[side] as Broker, {}))),
    );
    expect(ours).toBe(theirs);
    expect(ours).toContain('Nats-Trace-Dest: trace disabled');
  });

  test.each(['gzip', 'br', 'br, gzip'])('it may be encoded: %s', async (encodings) => {
    const [theirs, ours] = await Promise.all(
      Object.values(servers).map(async ({ port }) => {
        const client = await RawClient.connect(port);
        await client.exchange(`SUB ${destination} 1\r\n`);
        client.send(hpub('nobody', and(['Accept-Encoding', encodings])));
        const [message] = await client.messages(1);
        const { headers, payload } = message as Message;
        const bytes = headers?.includes('gzip') ? gunzipSync(payload) : payload;
        return {
          headers: headers?.toString(),
          trace: comparable(readTrace({ ...(message as Message), payload: bytes })),
        };
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test.each([
    ['no subject', 'a..b'],
    ['a wildcard', 'a.*'],
    ['a blank', 'trace disabled'],
  ])('where %s is named, nothing is traced, and what is only to be traced is gone', async (_, named) => {
    const publishes = [[], [['Nats-Trace-Only', '1'] as const]].map((more) =>
      hpub('plain.a', [['Nats-Trace-Dest', named], ...more], 'hello'),
    );
    const [theirs, ours] = await Promise.all(
      ['theirs', 'ours'].map(async (side) => {
        const { publisher, subscriber } = await openSide(servers[side] as Broker, {});
        publisher.send(publishes.join(''));
        return [shown(await receivedBy(publisher)), shown(await receivedBy(subscriber))];
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('it says which server it is from, as every account of a server does', async () => {
    const [theirs, ours] = await Promise.all(
      Object.values(servers).map(async ({ port }) => {
        const reader = await TraceReader.open(port);
        const client = await RawClient.connect(port);
        client.send(hpub('nobody', traced));
        const { server } = await reader.next();
        const { name, host, ver, domain, jetstream, feature_flags: _, ...rest } = server;
        return {
          name,
          host,
          ver,
          domain,
          jetstream,
          types: Object.entries(rest).map(([field, value]) => [field, typeof value]),
        };
      }),
    );
    expect(ours).toEqual(theirs);
  });
});
