import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { startBroker } from 'shardcast';
import { afterAll, expect, test } from 'vitest';
import { inProcess, portOf } from '../client/broker.js';
import { RawClient } from '../harness/rawClient.js';
import { OtlpReceiver } from './otlpReceiver.js';
import { hpub } from './traceClient.js';

// Invariant 58 of docs/INVARIANTS.md.

process.env.OTEL_BSP_SCHEDULE_DELAY = '10';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const spanned = (payload: string) => hpub('hot', [['traceparent', traceparent]], payload);

test('a collector that never answers delays nobody, not a stop either; what finds no room is counted', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  afterAll(() => silent.close());
  process.env.OTEL_BSP_MAX_QUEUE_SIZE = '20';
  const otelEndpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const broker = await inProcess({ shards: 1, otel: true, otelRate: 10_000, otelEndpoint });
  const [publisher, subscriber] = await Promise.all([
    RawClient.connect(portOf(broker)),
    RawClient.connect(portOf(broker)),
  ]);
  await subscriber.exchange('SUB hot 1\r\n');
  const asked = once(silent, 'connection');
  // more than all queues have room for, however fast spans are allowed
  let dropped = 0;
  while (dropped === 0) {
    publisher.send(Array.from({ length: 500 }, (_, i) => spanned(`${i}`)).join(''));
    expect((await subscriber.messages(500)).map(({ payload }) => Number(payload))).toEqual(
      Array.from({ length: 500 }, (_, i) => i),
    );
    dropped = (await broker.stats()).spans.dropped;
  }
  await asked;
  delete process.env.OTEL_BSP_MAX_QUEUE_SIZE;
  expect((await broker.stats()).spans).toMatchObject({ exported: 0, dropped: expect.any(Number) });
  await broker.stop();
});

test('a collector that refuses, or is not there, is told in the log', async () => {
  const receiver = await OtlpReceiver.open();
  afterAll(() => receiver.close());
  receiver.answer = (_, response) => response.writeHead(400).end();
  const warnings: string[] = [];
  let told = (): void => {};
  const isTold = new Promise<void>((resolve) => (told = resolve));
  const warn = (_: object | string, text = ''): void => {
    warnings.push(text);
    told();
  };
  const log = { fatal() {}, error() {}, warn, info() {}, debug() {}, trace() {} };
  const broker = await startBroker({ shards: 1, listen: false, otel: true, otelEndpoint: receiver.url }, log);
  for (let i = 0; i < 3; i++) await broker.topic('a').publish(`${i}`, { traceparent });
  await isTold;
  expect(warnings).toEqual([expect.stringMatching(/^spans are not exported: /)]);
  expect((await broker.stats()).spans.failed).toBeGreaterThan(0);
  await broker.stop();
});

test('what has not been exported is at a stop', async () => {
  process.env.OTEL_BSP_SCHEDULE_DELAY = '60000';
  const receiver = await OtlpReceiver.open();
  afterAll(() => receiver.close());
  const broker = await inProcess({ shards: 2, listen: false, otel: true, otelEndpoint: receiver.url });
  for (let i = 0; i < 5; i++) await broker.topic(`t${i}`).publish('x', { traceparent });
  await broker.stop();
  expect(receiver.spans.map(({ name }) => name).sort()).toEqual([0, 1, 2, 3, 4].map((i) => `process t${i}`));
});
