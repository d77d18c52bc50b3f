import { type Broker, BrokerError, codecs, connectBroker, type StreamConfig, startBroker } from 'shardcast';
import { afterAll, beforeAll, expect, test } from 'vitest';

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker({ listen: false, shards: 1, logLevel: 'silent' });
});
afterAll(() => broker.stop());

/** What a program may give by mistake where a text, a number, an object or a function is wanted. */
const anything: readonly unknown[] = [
  null,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  0.5,
  2 ** 53,
  5n,
  '',
  'two words',
  'a..b',
  '\r\n',
  '\0',
  'x'.repeat(70_000),
  true,
  [],
  [null],
  { a: 1 },
  Object.create(null),
  new Proxy({}, {}),
  Symbol('s'),
  () => 1,
  new Uint8Array(3),
  {
    toString(): string {
      throw new Error('nobody asked for a text');
    },
  },
];

type Call = (broker: Broker, value: never) => unknown;

/** Every call, with one thing left open. */
const calls: Readonly<Record<string, Call>> = {
  topic: (broker, value) => broker.topic(value),
  'options of topic': (broker, value) => broker.topic('t', value),
  at: (broker, value) => broker.topic('t.*').at(value),
  'options of publish': (broker, value) => broker.topic('t').publish(1, value),
  'options of offer': (broker, value) => broker.topic('t').offer(1, value),
  'options of publishSync': (broker, value) => broker.topic('t').publishSync(1, value),
  'options of subscribe': (broker, value) => broker.topic('t').subscribe(() => {}, value),
  request: (broker, value) => broker.request(value, 1, { timeoutMs: 0 }),
  'options of request': (broker, value) => broker.request('t', 1, value),
  reply: (broker, value) => broker.reply(value, () => 1),
  'handler of reply': (broker, value) => broker.reply('t', value),
  'options of reply': (broker, value) => broker.reply('t', () => 1, value),
  queue: (broker, value) => broker.queue(value),
  'options of queue': (broker, value) => broker.queue('q', value),
  'options of put': (broker, value) => broker.queue('q').put(1, value),
  stream: (broker, value) => broker.stream(value).info(),
  'options of stream': (broker, value) => broker.stream('S', value).info(),
  create: (broker, value) => broker.stream('S').create(value),
  update: (broker, value) => broker.stream('S').update(value),
  'publish to a stream': (broker, value) => broker.stream('S').publish(value, 1),
  'options of publish to a stream': (broker, value) => broker.stream('S').publish('nobody', 1, value),
  get: (broker, value) => broker.stream('S').get(value),
  last: (broker, value) => broker.stream('S').last(value),
  read: (broker, value) => broker.stream('S').read(value).next(),
  purge: (broker, value) => broker.stream('S').purge(value),
  deleteMessage: (broker, value) => broker.stream('S').deleteMessage(value),
  reload: (broker, value) => broker.reload(value),
  connectBroker: (_, value) => connectBroker(value),
};

/** The options of these calls. */
const options: Readonly<Record<string, string>> = {
  topic: 'codec schema validate',
  publish: 'subject key headers traceparent correlationId reply signal',
  offer: 'subject key headers traceparent correlationId reply signal',
  publishSync: 'subject key headers traceparent correlationId reply signal',
  subscribe: 'signal policy bufferCount maxBytes maxDrops by group prefetch last onDrop onError',
  request: 'timeoutMs signal answer codec schema validate key headers',
  reply: 'codec schema validate answer group policy bufferCount prefetch last onError onDrop signal',
  queue: 'bufferCount group codec schema validate',
  put: 'subject key headers reply signal',
  stream: 'timeoutMs codec schema validate',
  'publish to a stream':
    'id expectedLastSequence expectedLastSubjectSequence expectedLastId rollup ttlSeconds timeoutMs signal key headers',
};
const fields = {
  create: `subjects description storage retention discard discardPerSubject maxMessages maxBytes maxAgeMs maxMessagesPerSubject
    maxMessageBytes duplicateWindowMs firstSequence allowDirect allowRollup denyDelete denyPurge allowMessageTtl sync metadata`,
  read: 'from subject signal',
  purge: 'subject before keep',
};

/** What came of a call: 'taken', or the code of its error. Whatever is not a BrokerError is a failure. */
async function outcome(call: Call, value: unknown): Promise<string> {
  try {
    const made = (await call(broker, value as never)) as Partial<Disposable> | undefined;
    made?.[Symbol.dispose]?.();
    return 'taken';
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    expect(error.message).not.toBe('');
    return error.code;
  }
}

test.each(Object.entries(calls))('%s: whatever is given is taken, or refused with a code', async (_, call) => {
  const outcomes = [];
  for (const value of anything) outcomes.push(await outcome(call, value));
  expect(outcomes.filter((code) => code !== 'taken').length).toBeGreaterThan(anything.length / 2);
});

const named = [...Object.entries(options).map(([name, all]) => [`options of ${name}`, all]), ...Object.entries(fields)];

test.each(named)('%s: whatever each of them is', async (name, all) => {
  const base = name === 'create' ? { storage: 'memory' } : {};
  for (const option of all!.split(/\s+/)) {
    expect(await outcome(calls[name!]!, { [`${option}x`]: 1 }), `${option}x`).toBe('BAD_ARGUMENT');
    for (const value of anything) await outcome(calls[name!]!, { ...base, [option]: value });
  }
});

test.each([
  ['maxMessages', '5', 'maxMessages: "5" is not allowed; it must be a whole number'],
  ['maxAgeMs', Number.NaN, 'maxAgeMs: NaN is not allowed; it must be a number of milliseconds, up to 9000000000000'],
  ['storage', 'disk', 'storage: "disk" is not allowed; it must be file or memory'],
  ['subjects', 'orders.>', 'subjects: "orders.>" is not allowed; it must be a list of texts'],
  ['allowDirect', 1, 'allowDirect: 1 is not allowed; it must be true or false'],
  ['metadata', { a: 1 }, 'metadata: { a: 1 } is not allowed; it must be an object of texts'],
])('a stream whose %s is %o is refused in the words of the program', async (field, value, message) => {
  const config = { storage: 'memory', [field]: value } as StreamConfig;
  await expect(broker.stream('S').create(config)).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message });
});

test('where somebody else answers what is published to a stream, that is told', async () => {
  for (const [i, answer] of ['no JSON', 'null', '7', '{"seq":1}'].entries()) {
    broker.reply(`other.${i}`, () => answer, { codec: codecs.utf8 });
    const published = broker.stream('S').publish(`other.${i}`, 1);
    await expect(published, answer).rejects.toMatchObject({ code: 'NOT_DECODABLE' });
  }
});
