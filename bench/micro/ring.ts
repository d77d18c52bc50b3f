import { MessageChannel } from 'node:worker_threads';
import { RingConsumer } from '../../src/ring/consumer.js';
import { createRingMemory } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/producer.js';
import { keep, type Pair } from './pair.js';

const messages = 1_000;
const recordBytes = 32;
const kind = 5;

/** Records through a ring and out again, published and released once a batch. Both ends are on this thread. */
function throughRing(): () => void {
  const memory = createRingMemory(1024 * 1024);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  return () => {
    for (let i = 0; i < messages; i++) {
      const index = producer.claim(recordBytes);
      producer.words[index >> 2] = recordBytes;
      producer.words[(index >> 2) + 1] = kind;
      producer.words[(index >> 2) + 2] = i;
    }
    producer.publish();
    let sum = 0;
    const limit = consumer.snapshot();
    for (let index = consumer.next(limit); index >= 0; index = consumer.next(limit)) {
      sum += consumer.words[(index >> 2) + 2];
      consumer.advance(index);
    }
    consumer.release();
    keep(sum);
  };
}

function throughArray(): () => void {
  const queue: { kind: number; value: number }[] = [];
  return () => {
    for (let i = 0; i < messages; i++) queue.push({ kind, value: i });
    let sum = 0;
    for (let record = queue.shift(); record !== undefined; record = queue.shift()) sum += record.value;
    keep(sum);
  };
}

function throughPort(): { run: () => Promise<void>; close: () => void } {
  const { port1, port2 } = new MessageChannel();
  let left = 0;
  let done = () => {};
  port2.on('message', ({ value }: { value: number }) => {
    keep(value);
    if (--left === 0) done();
  });
  const run = () =>
    new Promise<void>((resolve) => {
      left = messages;
      done = resolve;
      for (let i = 0; i < messages; i++) port1.postMessage({ kind, value: i });
    });
  return { run, close: () => port1.close() };
}

export function ringPairs(): Pair[] {
  const port = throughPort();
  return [
    {
      name: 'ring: 32 B there and out',
      baseline: 'array of objects',
      messages,
      ours: throughRing(),
      naive: throughArray(),
    },
    {
      name: 'ring: 32 B there and out',
      baseline: 'postMessage',
      messages,
      ours: throughRing(),
      naive: port.run,
      close: port.close,
    },
  ];
}
