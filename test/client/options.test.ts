import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as shardcast from 'shardcast';
import { codecs, type SubscribeOptions, startBroker } from 'shardcast';
import { describe, expect, test } from 'vitest';
import { topicOptionNames } from '../../src/client/brokerClient.js';
import { handlerOptionNames } from '../../src/client/subscribeOptions.js';
import { OPTION_NAMES } from '../../src/options/optionTable.js';
import { client } from '../harness/officialClient.js';
import { inProcess, portOf } from './broker.js';

const page = readFileSync(new URL('../../docs/API.md', import.meta.url), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| '));

describe('docs/API.md', () => {
  test.each([...OPTION_NAMES, ...Object.keys(handlerOptionNames), ...Object.keys(topicOptionNames)])(
    'option %s',
    (name) => {
      expect(rows.some((row) => row.startsWith(`| \`${name}\` | `))).toBe(true);
    },
  );

  test('every error class, with its code', () => {
    const classes = Object.keys(shardcast).filter((name) => name.endsWith('Error'));
    for (const name of classes) expect(page).toContain(`| \`${name}\` | `);
    const source = readFileSync(new URL('../../src/client/errors.ts', import.meta.url), 'utf8');
    const codes = [...source.matchAll(/super\('(\w+)'/g)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(10);
    for (const code of codes) expect(page).toContain(`| \`${code}\` | `);
  });
});

test.each([
  { polcy: 'block' },
  { policy: 'often' },
  { bufferCount: 0 },
  { maxBytes: 0.5 },
  { maxDrops: -1 },
  { policy: 'conflate', by: 'value' },
  { group: '' },
  { group: { name: 'a', orderedBy: 'time' } },
  { prefetch: 1 },
  { group: 'a', prefetch: 0 },
  { signal: 1 },
  { onDrop: 'no' },
  { last: 'yes' },
])('a subscription with %o is refused, and nothing is left of it', async (options) => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const topic = broker.topic('t');
  const error = expect.objectContaining({ code: 'BAD_ARGUMENT' });
  expect(() => topic.subscribe(options as SubscribeOptions)).toThrow(error);
  expect(() => topic.subscribe(() => {}, options as SubscribeOptions)).toThrow(error);
  expect(await topic.publish(1)).toBe(false);
});

test('what a broker is started with is checked, with codes', async () => {
  for (const [options, code] of [
    [{ shards: 0 }, 'BAD_OPTION'],
    [{ shrads: 1 }, 'BAD_OPTION'],
    [{ clients: -1 }, 'BAD_ARGUMENT'],
    [{ listen: 4222 }, 'BAD_ARGUMENT'],
  ] as const)
    await expect(startBroker(options as object)).rejects.toMatchObject({ code });
});

test('codecs.json is a codec, and makes one of a type', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const topic = broker.topic<{ n: number }>('t', { codec: codecs.json });
  const stream = broker.topic('t', { codec: codecs.json<{ n: number }>() }).subscribe();
  await topic.publish({ n: 1 });
  expect((await stream.next()).value?.value.n).toBe(1);
  await expect(broker.topic<unknown>('t').publish(() => 1)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
});

test('what cannot be decoded harms nobody: it is counted, and told once', async () => {
  const broker = await inProcess({ shards: 1 });
  const values: number[] = [];
  const errors: unknown[] = [];
  const topic = broker.topic<number>('t');
  const unasked = topic.subscribe(({ value }) => values.push(value));
  topic.subscribe(({ value }) => value, { onError: (error) => errors.push(error) });
  const nats = await client(portOf(broker));
  const warned = once(process, 'warning');
  for (const text of ['{', '[', '7']) nats.publish('t', text);
  await expect.poll(() => values).toEqual([7]);
  expect(unasked.unreadable).toBe(2);
  expect(String((await warned)[0])).toContain('the payload cannot be decoded');
  await expect.poll(() => errors).toHaveLength(2);
  expect(errors[0]).toMatchObject({ code: 'NOT_DECODABLE', cause: expect.any(SyntaxError) });
});

test('who loses much is warned of', async () => {
  const broker = await inProcess({ listen: false, shards: 1, lossWindowMs: 200 });
  const topic = broker.topic<number>('t');
  const slow = topic.subscribe({ policy: 'drop-new', bufferCount: 4 });
  const warned = once(process, 'warning');
  for (let i = 0; i < 100; i++) await topic.publish(i);
  await expect.poll(() => slow.dropped).toBe(96);
  expect(String((await warned)[0])).toMatch(/a subscription to t \(drop-new\) lost \d+ messages and got 0/);
});

test('a topic that refuses says so while it is full, and takes more when there is room', async () => {
  const broker = await inProcess({ listen: false, shards: 2, refuse: ['r.>'] });
  const topic = broker.topic<number>('r.x');
  const slow = topic.subscribe({ bufferCount: 4 });
  const fill = async (): Promise<unknown> => {
    for (;;) await topic.publish(0);
  };
  await expect(fill()).rejects.toMatchObject({ code: 'TOPIC_FULL' });
  expect(topic.offer(1)).toBe(false);
  while (slow.buffered > 0) await slow.next();
  await expect.poll(() => topic.offer(2)).toBe(true);
});

test('a loop that publishes what nobody wants keeps nobody out', async () => {
  const broker = await inProcess({ listen: false, shards: 1 });
  const topic = broker.topic<number>('t');
  let heard = false;
  setImmediate(() =>
    topic.subscribe(() => {
      heard = true;
    }),
  );
  while (!(await topic.publish(1)));
  await expect.poll(() => heard).toBe(true);
});
