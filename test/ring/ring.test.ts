import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RingConsumer } from '../../src/ring/consumer.js';
import {
  consumerPositionWord,
  createRingMemory,
  dataOffsetBytes,
  producerPositionWord,
} from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/producer.js';

/** Both ends of a ring in one thread, beside the queue that they should be. */
class RingModel {
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;
  readonly #claimed: { index: number; words: number[] }[] = [];
  readonly #published: number[][] = [];
  readonly #taken: number[][] = [];
  #serial = 0;

  constructor(capacityBytes: number, startPosition: number) {
    const memory = createRingMemory(capacityBytes);
    const words = new Int32Array(memory, 0, dataOffsetBytes / 4);
    words[producerPositionWord] = startPosition;
    words[consumerPositionWord] = startPosition;
    this.producer = new RingProducer(memory);
    this.consumer = new RingConsumer(memory);
  }

  claim(share: number): void {
    const lengthBytes = Math.max(8, Math.floor(share * (this.producer.recordBytesMax / 8)) * 8);
    const index = this.producer.claim(lengthBytes);
    if (index < 0) {
      const held = this.#claimed.length + this.#published.length + this.#taken.length;
      expect(held, 'an empty ring has room for every record').toBeGreaterThan(0);
      return;
    }
    expect(index + lengthBytes).toBeLessThanOrEqual(this.producer.capacityBytes);
    this.#write({ index, words: [] }, lengthBytes);
  }

  extend(): void {
    const last = this.#claimed.pop();
    if (last === undefined) return;
    const lengthBytes = last.words.length * 4;
    this.#write(last, this.producer.extend(8) ? lengthBytes + 8 : lengthBytes);
  }

  publish(): void {
    expect(this.producer.publish()).toBe(this.#claimed.length > 0);
    this.#published.push(...this.#claimed.splice(0).map(({ words }) => words));
  }

  /** Takes up to `count` of what is published. */
  take(count: number): void {
    const limit = this.consumer.snapshot();
    expect(this.consumer.hasRecords()).toBe(this.#published.length > 0);
    for (let i = 0; i < count; i++) {
      const index = this.consumer.next(limit);
      const expected = this.#published.shift();
      if (expected === undefined) {
        expect(index).toBe(-1);
        return;
      }
      const word = index >> 2;
      expect([...this.consumer.words.subarray(word, word + expected.length)]).toEqual(expected);
      this.consumer.advance(index);
      this.#taken.push(expected);
    }
  }

  /** The producer may be so far ahead, as a part of what there is. */
  limit(share: number): void {
    this.consumer.setReach(Math.floor(share * this.producer.capacityBytes));
  }

  release(): void {
    this.consumer.release();
    this.#taken.length = 0;
  }

  #write(record: { index: number; words: number[] }, lengthBytes: number): void {
    this.#serial++;
    record.words = Array.from({ length: lengthBytes / 4 }, (_, i) => [lengthBytes, 1][i] ?? this.#serial);
    this.producer.words.set(record.words, record.index >> 2);
    this.#claimed.push(record);
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('claim' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const), count: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('limit' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('extend' as const, 'publish' as const, 'release' as const) }),
  },
);

test('invariant 1: a ring is a queue of records, whatever the order of steps on either side', () => {
  const capacity = fc.constantFrom(64, 128, 256, 1024, 4096);
  const start = fc.constantFrom(0, 8, 0x7fffffc0, -64, -8);
  fc.assert(
    fc.property(capacity, start, fc.array(step, { maxLength: 200 }), (capacityBytes, position, steps) => {
      const ring = new RingModel(capacityBytes, position);
      for (const next of steps) {
        if (next.do === 'claim') ring.claim(next.share);
        else if (next.do === 'take') ring.take(next.count);
        else if (next.do === 'limit') ring.limit(next.share);
        else ring[next.do]();
      }
      ring.publish();
      ring.take(Number.POSITIVE_INFINITY);
    }),
    { numRuns: 500 },
  );
});

test('invariant 51: a producer is no further ahead than its consumer wants, but for one record that finds an empty ring', () => {
  const memory = createRingMemory(1024);
  const producer = new RingProducer(memory);
  const consumer = new RingConsumer(memory);
  const claims = () => {
    let count = 0;
    for (let index = producer.claim(64); index >= 0; index = producer.claim(64), count++)
      producer.words.set([64, 1], index >> 2);
    producer.publish();
    return count;
  };
  const take = (count: number) => {
    const limit = consumer.snapshot();
    for (let i = 0; i < count; i++) consumer.advance(consumer.next(limit));
  };
  expect(claims()).toBe(16);
  consumer.setReach(256);
  take(10);
  consumer.release();
  expect(claims()).toBe(0);
  take(3);
  consumer.release();
  expect(claims()).toBe(1);
  consumer.setReach(0);
  take(4);
  consumer.release();
  expect(claims()).toBe(1);
  consumer.setReach(1024);
  take(1);
  consumer.release();
  expect(claims()).toBe(16);
});
