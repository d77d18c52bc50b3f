import { load, store } from '#atomics';
import { RingConsumer } from '../../src/ring/consumer.js';
import { consumerPositionWord, createRingMemory, dataOffsetBytes, producerWaitingWord } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/producer.js';
import { randomFrom } from '../sim/random.js';
import { check, type Scenario } from './scenario.js';
import { signal, sleepUntilSignal } from './turnstile.js';

const records = 120;
const ringMask = 63;

/** `RingConsumer.release` with its two steps in the wrong order. */
function releaseTooLate(memory: SharedArrayBuffer, position: number): boolean {
  const shared = new Int32Array(memory, 0, dataOffsetBytes / 4);
  const asked = load(shared, producerWaitingWord) !== 0;
  store(shared, consumerPositionWord, position);
  return asked;
}

/**
 * A producer that finds no room asks for a signal and sleeps until the consumer, which `release` told, gives it. The
 * sleeping itself is the turnstile's own and loses nothing: if both sleep, the ring's request was lost.
 */
export const roomSignal: Scenario = {
  planted: ['sleeps without looking again', 'told before the room is given'],

  memory: () => [createRingMemory(64)],

  threads: [
    ([memory], seed, plant) => {
      const random = randomFrom(seed);
      const ring = new RingProducer(memory);
      for (let n = 0; n < records; n++) {
        const lengthBytes = 8 * (1 + random(4));
        let index = ring.claim(lengthBytes);
        while (index < 0) {
          if (ring.publish()) signal();
          ring.requestRoomSignal();
          if (plant === 'sleeps without looking again' || !ring.consumerMoved()) sleepUntilSignal();
          ring.withdrawRoomRequest();
          index = ring.claim(lengthBytes);
        }
        ring.words[index >> 2] = lengthBytes;
        ring.words[(index >> 2) + 1] = n + 1;
      }
      if (ring.publish()) signal();
    },
    ([memory], seed, plant) => {
      const random = randomFrom(seed + 1);
      const ring = new RingConsumer(memory);
      let position = 0;
      for (let n = 0; n < records; ) {
        const limit = ring.snapshot();
        let taken = false;
        for (let index = ring.next(limit); index >= 0; index = ring.next(limit)) {
          check(ring.words[(index >> 2) + 1] === n + 1, `record ${n} comes in its order`);
          ring.advance(index);
          position += ((index - position) & ringMask) + ring.words[index >> 2];
          n++;
          taken = true;
          if (plant === '' && random(3) === 0 && ring.release()) signal();
        }
        if (plant === 'told before the room is given') {
          if (taken && releaseTooLate(memory, position)) signal();
        } else if (ring.release()) signal();
        if (!taken) sleepUntilSignal();
      }
    },
  ],
};
