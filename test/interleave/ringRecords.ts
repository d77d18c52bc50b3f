import { RingConsumer } from '../../src/ring/consumer.js';
import {
  consumerPositionWord,
  createRingMemory,
  dataOffsetBytes,
  producerPositionWord,
} from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/producer.js';
import { randomFrom } from '../sim/random.js';
import { check, type Scenario } from './scenario.js';
import { gate } from './turnstile.js';

const records = 24;
const kind = 1;
const staleWord = 8;

/** The words of record `n` after its header: a record that is torn or stale does not have them. */
function word(n: number, i: number): number {
  return Math.imul(n + 1, 1_000_003) + i;
}

/** Records of every length through a ring so small that nearly all of them wrap, pad or wait. */
export const ringRecords: Scenario = {
  planted: ['published before it is written', 'released before it is read'],

  memory(seed) {
    const memory = createRingMemory([64, 128, 256][seed % 3]);
    // half of the rings stand shortly before their positions wrap around
    const start = seed % 2 === 0 ? 0 : seed % 4 === 1 ? 0x7fffffc0 : -64;
    // what lies where nothing was published yet looks like records of another kind, as after a round
    new Int32Array(memory).fill(staleWord, dataOffsetBytes / 4);
    const words = new Int32Array(memory, 0, dataOffsetBytes / 4);
    words[producerPositionWord] = start;
    words[consumerPositionWord] = start;
    return [memory];
  },

  threads: [
    ([memory], seed, plant) => {
      const random = randomFrom(seed);
      const ring = new RingProducer(memory);
      for (let n = 0; n < records; n++) {
        let lengthBytes = 8 * (1 + random(ring.recordBytesMax / 8));
        let index = ring.claim(lengthBytes);
        while (index < 0) {
          ring.publish();
          index = ring.claim(lengthBytes);
        }
        if (lengthBytes + 8 <= ring.recordBytesMax && random(2) === 0 && ring.extend(8)) lengthBytes += 8;
        if (plant === 'published before it is written') ring.publish();
        const at = index >> 2;
        ring.words[at] = lengthBytes;
        ring.words[at + 1] = kind;
        for (let i = 2; i < lengthBytes / 4; i++) {
          if (i === 3) gate(); // what is claimed is the producer's alone, however long it takes
          ring.words[at + i] = word(n, i);
        }
        if (random(3) === 0) ring.publish();
      }
      ring.publish();
    },
    ([memory], seed, plant) => {
      const random = randomFrom(seed + 1);
      const ring = new RingConsumer(memory);
      for (let n = 0; n < records; ) {
        const limit = ring.snapshot();
        for (let index = ring.next(limit); index >= 0; index = ring.next(limit)) {
          const at = index >> 2;
          const lengthBytes = ring.words[at];
          check(ring.words[at + 1] === kind && lengthBytes >= 8, `record ${n} has no header`);
          if (plant === 'released before it is read') {
            ring.advance(index);
            ring.release();
          }
          for (let i = 2; i < lengthBytes / 4; i++) {
            if (i === 3) gate();
            check(ring.words[at + i] === word(n, i), `record ${n} is not whole at word ${i}`);
          }
          if (plant !== 'released before it is read') ring.advance(index);
          n++;
          if (random(3) === 0) ring.release();
        }
        ring.release();
      }
      check(!ring.hasRecords(), 'nothing follows the last record');
    },
  ],
};
