import { once } from 'node:events';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { type Broker, BrokerError, codecs, connectBroker, type StartOptions, startBroker } from 'shardcast';
import { beforeAll, describe, expect, test } from 'vitest';
import { inProcess, portOf } from './broker.js';

type Options = Record<string, unknown>;

/** Every method that takes options, as a call with these and the names of its own. */
const methods: Record<string, { names: readonly string[]; call: (broker: Broker, options: never) => unknown }> = {
  topic: { names: ['codec', 'schema', 'validate'], call: (broker, options) => broker.topic('t', options) },
  publish: {
    names: ['key', 'headers', 'traceparent', 'correlationId', 'subject', 'reply', 'signal'],
    call: (broker, options) => broker.topic('t').publish(1, options),
  },
  offer: { names: ['key', 'signal', 'subject'], call: (broker, options) => broker.topic('t').offer(1, options) },
  publishSync: { names: ['key', 'signal'], call: (broker, options) => broker.topic('t').publishSync(1, options) },
  put: { names: ['key', 'signal'], call: (broker, options) => broker.queue('q').put(1, options) },
  'subscribe to an iterator': {
    names: ['policy', 'bufferCount', 'prefetch', 'group', 'last', 'signal', 'maxBytes', 'maxDrops', 'by', 'onDrop'],
    call: (broker, options) => broker.topic('t').subscribe(options).unsubscribe(),
  },
  'subscribe with a handler': {
    names: ['policy', 'bufferCount', 'onError'],
    call: (broker, options) =>
      broker
        .topic('t')
        .subscribe(() => {}, options)
        .unsubscribe(),
  },
  request: {
    names: ['timeoutMs', 'signal', 'answer', 'codec', 'key', 'headers'],
    call: (broker, options) => broker.request('nobody.is.there', 1, options),
  },
  'request, its answer': {
    names: ['codec', 'schema', 'validate'],
    call: (broker, answer) => broker.request('nobody.is.there', 1, { answer }),
  },
  reply: {
    names: ['group', 'onError', 'codec', 'answer', 'policy'],
    call: (broker, options) => broker.reply('r', () => 1, options).unsubscribe(),
  },
  'a group': {
    names: ['name', 'orderedBy'],
    call: (broker, group) => broker.topic('t').subscribe({ group }).unsubscribe(),
  },
  queue: { names: ['bufferCount', 'group', 'codec'], call: (broker, options) => broker.queue('q', options) },
};

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return null;
  } catch (error) {
    return error;
  }
}

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker({ listen: false, shards: 1, logLevel: 'silent' });
  return () => broker.stop();
});

describe.each(Object.entries(methods))('%s', (_, { names, call }) => {
  test('refuses an option that there is not, and says which was meant', async () => {
    for (const name of names) {
      const misspelt = `${name.slice(0, -1)}${name.at(-1) === 'x' ? 'y' : 'x'}`;
      const error = await errorOf(() => call(broker, { [misspelt]: undefined } as never));
      expect(error).toMatchObject({ name: 'ArgumentError', code: 'BAD_ARGUMENT' });
      expect((error as Error).message).toBe(`there is no option "${misspelt}"; did you mean "${name}"?`);
    }
    expect(await errorOf(() => call(broker, { entirely_different: 1 } as never))).toMatchObject({
      message: expect.stringContaining('; there are ') as string,
      code: 'BAD_ARGUMENT',
    });
  });

  test.each([null, 5, true, [], ['a']])('refuses options that are %j', async (options) => {
    expect(await errorOf(() => call(broker, options as never))).toMatchObject({ code: 'BAD_ARGUMENT' });
  });

  test('whatever its options are, its error is a BrokerError with a code', async () => {
    const junk = fc.oneof(
      fc.anything(),
      fc.constantFrom(0, -1, '', 'a', '\0', 'a b', 'a.>', null, [], () => {}),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), junk, { maxKeys: 3 }), async (options) => {
        const error = await errorOf(() => call(broker, options as never));
        if (error === null) return;
        expect(error).toBeInstanceOf(BrokerError);
        expect((error as BrokerError).code).toMatch(/^[A-Z_]+$/);
      }),
    );
  });
});

describe('take', () => {
  test('refuses an option that there is not', async () => {
    const take = broker.queue('q').take({ signl: undefined } as never);
    await expect(take).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining('"signal"') as string,
    });
    await expect(broker.queue('q').take(null as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(broker.queue('q').take({ signal: 1 } as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  });
});

describe('startBroker', () => {
  test.each<[unknown, string, RegExp]>([
    [null, 'BAD_ARGUMENT', /options must be an object/],
    [5, 'BAD_ARGUMENT', /options must be an object/],
    [{ lisen: false }, 'BAD_OPTION', /no option "lisen"; did you mean "listen"\?/],
    [{ client: 1 }, 'BAD_OPTION', /did you mean "clients"\?/],
    [{ listen: { prt: 1 } }, 'BAD_ARGUMENT', /did you mean "port"\?/],
    [{ listen: { shards: 1 } }, 'BAD_ARGUMENT', /no option "shards"; there are host, port/],
    [{ listen: null }, 'BAD_ARGUMENT', /listen must be false, or an object/],
    [{ listen: { port: 'x' } }, 'BAD_OPTION', /port/],
    [{ clients: 1.5 }, 'BAD_ARGUMENT', /clients must be a whole number/],
  ])('%j', async (options, code, message) => {
    const error = await errorOf(() => startBroker(options as StartOptions));
    expect(error).toBeInstanceOf(BrokerError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  test("where it cannot listen it rejects with the system's code, and the system's error behind it", async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    for (const options of [{ port }, { port: 0, jsonlPort: port }, { port: 0, wsPort: port }]) {
      const error = await errorOf(() => startBroker({ shards: 1, logLevel: 'silent', ...options }));
      expect(error).toBeInstanceOf(BrokerError);
      expect(error).toMatchObject({ name: 'ListenError', code: 'EADDRINUSE', port, host: '127.0.0.1' });
      expect((error as Error).message).toBe(`cannot listen on 127.0.0.1:${port}: the port is taken (EADDRINUSE)`);
      expect((error as Error).cause).toMatchObject({ syscall: 'listen' });
    }
    taken.close();
    const nowhere = await errorOf(() => startBroker({ shards: 1, logLevel: 'silent', port: 0, host: '127.1.2.300' }));
    expect(nowhere).toMatchObject({ name: 'ListenError', cause: expect.any(Error) as Error });
  });
});

test.each([undefined, null, 5, {}, { postMessage: 1 }])('connectBroker(%j) is refused', async (port) => {
  await expect(connectBroker(port as never)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
});

describe('a signal', () => {
  /** What waits until its signal is aborted. */
  const waits: Record<string, (own: Broker, signal: AbortSignal) => Promise<unknown>> = {
    publish: async (own, signal) => {
      const topic = own.topic('full');
      topic.subscribe({ bufferCount: 1 });
      while (topic.offer(1)) await new Promise(setImmediate);
      return topic.publish(2, { signal });
    },
    request: (own, signal) => {
      own.topic('asked').subscribe();
      return own.request('asked', 1, { signal });
    },
    take: (own, signal) => own.queue('q').take({ signal }),
    next: (own, signal) => own.topic('t').subscribe().next(signal),
  };

  test.each(Object.entries(waits))('gives up %s with AbortedError, whose cause is the reason', async (_, wait) => {
    const own = await inProcess({ listen: false, shards: 1 });
    for (const reason of [new Error('enough'), 'a text', undefined]) {
      const abort = new AbortController();
      const given = errorOf(() => wait(own, abort.signal));
      // it waits by then: a call does all it can at once
      for (let i = 0; i < 50; i++) await new Promise(setImmediate);
      abort.abort(reason);
      const error = await given;
      expect(error).toBeInstanceOf(BrokerError);
      expect(error).toMatchObject({ name: 'AbortError', code: 'ABORTED' });
      expect((error as Error).cause).toBe(abort.signal.reason);
    }
  });

  test('that was aborted before is told in the same way', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const topic = broker.topic('t');
    const calls = [
      () => topic.publish(1, { signal }),
      () => topic.publishSync(1, { signal }),
      () => topic.offer(1, { signal }),
      () => broker.request('t', 1, { signal }),
      () => broker.queue('q').take({ signal }),
      () => topic.subscribe().next(signal),
    ];
    for (const call of calls)
      expect(await errorOf(call)).toMatchObject({ name: 'AbortError', code: 'ABORTED', cause: signal.reason });
  });

  test('in time, too', async () => {
    const error = await errorOf(() => broker.queue('q').take({ signal: AbortSignal.timeout(1) }));
    expect(error).toMatchObject({ code: 'ABORTED', cause: { name: 'TimeoutError' } });
  });
});

describe('a value that cannot be encoded', () => {
  const circular: Options = {};
  circular.self = circular;
  const thrower = {
    encode: () => {
      throw new RangeError('no');
    },
    decode: (bytes: Uint8Array) => bytes,
  };

  test.each<[string, Options, unknown, string]>([
    ['a circle', {}, circular, 'NOT_ENCODABLE'],
    ['a bigint', {}, 1n, 'NOT_ENCODABLE'],
    ['what JSON has no word for', {}, undefined, 'BAD_ARGUMENT'],
    ['no bytes', { codec: codecs.bytes }, 'text', 'BAD_ARGUMENT'],
    ['no text', { codec: codecs.utf8 }, 1, 'BAD_ARGUMENT'],
    ['for a codec that throws', { codec: thrower }, 1, 'NOT_ENCODABLE'],
    ['for a codec that gives no bytes', { codec: { ...thrower, encode: () => 'text' } }, 1, 'NOT_ENCODABLE'],
    [
      'for a schema that throws',
      { schema: { '~standard': { version: 1, vendor: 'x', validate: thrower.encode } } },
      1,
      'INVALID_VALUE',
    ],
  ])('%s', async (_, options, value, code) => {
    const topic = broker.topic('t', options as never);
    for (const call of [
      () => topic.publish(value as never),
      () => topic.offer(value as never),
      () => topic.publishSync(value as never),
      () => broker.request('t', value, options as never),
      () => broker.queue('t', options as never).put(value as never),
    ]) {
      const error = await errorOf(call);
      expect(error).toBeInstanceOf(BrokerError);
      expect(error).toMatchObject({ code });
    }
  });
});

test('after a stop everything says that it is closed', async () => {
  const own = await startBroker({ listen: false, shards: 1, logLevel: 'silent' });
  const topic = own.topic('t');
  const queue = own.queue('q');
  await own.stop();
  for (const call of [
    () => topic.publish(1),
    () => topic.offer(1),
    () => topic.publishSync(1),
    () => topic.subscribe(),
    () => topic.subscribe(() => {}),
    () => own.request('t', 1),
    () => own.reply('t', () => 1),
    () => queue.put(1),
    () => queue.take(),
    () => connectBroker(own.port()),
  ])
    expect(await errorOf(call)).toMatchObject({ name: 'ClosedError', code: 'CLOSED' });
});

test('a request that cannot be answered does not end whoever answers', async () => {
  const own = await inProcess({ shards: 1 });
  own.reply('ask', () => 'x'.repeat(10));
  const { RawClient } = await import('../harness/rawClient.js');
  const client = await RawClient.connect(portOf(own));
  await client.exchange('PUB ask a.* 1\r\n1\r\nPUB ask a..b 1\r\n1\r\nPUB ask > 1\r\n1\r\n');
  expect((await own.request('ask', 1)).value).toBe('x'.repeat(10));
});
