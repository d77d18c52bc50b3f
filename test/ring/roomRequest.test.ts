import { expect, test } from 'vitest';
import { RingConsumer } from '../../src/ring/consumer.js';
import { createRingMemory } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/producer.js';

test('invariant 2: a request for room stands until the producer takes it back', () => {
  const memory = createRingMemory(64);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  const publish = (): void => {
    producer.words[producer.claim(8) >> 2] = 8;
    producer.words[((producer.position - 8) & 63) / 4 + 1] = 1;
    producer.publish();
  };
  const takeOne = (): boolean => {
    consumer.advance(consumer.next(consumer.snapshot()));
    return consumer.release();
  };
  for (let i = 0; i < 4; i++) publish();
  expect(takeOne()).toBe(false);
  producer.requestRoomSignal();
  expect(takeOne()).toBe(true);
  expect(takeOne()).toBe(true);
  expect(producer.consumerMoved()).toBe(true);
  producer.withdrawRoomRequest();
  expect(takeOne()).toBe(false);
  expect(consumer.release()).toBe(false);
});
