import { LaneReader } from '../../src/exchange/laneReader.js';
import { Backlog, LaneWriter } from '../../src/exchange/laneWriter.js';
import { Bell, createBellMemory, Sleeper } from '../../src/ring/bell.js';
import { alignRecord, createRingMemory, dataOffsetBytes } from '../../src/ring/layout.js';
import { randomFrom } from '../sim/random.js';
import { check, type Scenario } from './scenario.js';
import { gate } from './turnstile.js';

const records = 24;
const kind = 5;
/** Where nothing was published yet it looks like records of another kind, as after a round. */
const staleWord = 8;
const writerEndpoint = 0;
const readerEndpoint = 1;

/** Sleeps until the endpoint's bell rings, unless there is work. */
async function rest(sleeper: Sleeper, hasWork: () => boolean): Promise<void> {
  let wake = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  if (sleeper.sleep(hasWork, wake)) await woken;
}

/**
 * Records from a few bytes to several times the ring, some refused when there is no room and written again, some through the
 * outbox, large ones in fragments; both sides sleep by the real bells whenever they have nothing to do.
 */
export const lanes: Scenario = {
  planted: ['sleeps without a last look for room', 'published before it is written'],

  memory(seed) {
    const ring = createRingMemory([128, 256, 512][seed % 3]);
    new Int32Array(ring).fill(staleWord, dataOffsetBytes / 4);
    return [ring, createBellMemory(2)];
  },

  threads: [
    async ([ring, bells], seed, plant) => {
      const random = randomFrom(seed);
      const backlog = new Backlog();
      const lane = new LaneWriter(ring, new Bell(bells, readerEndpoint), backlog);
      const sleeper = new Sleeper(bells, writerEndpoint);
      const hasRelief = () => plant !== 'sleeps without a last look for room' && lane.hasRelief();
      const drain = async (): Promise<void> => {
        for (;;) {
          lane.pump();
          lane.publish();
          if (lane.clear) return;
          await rest(sleeper, hasRelief);
          lane.takeRelief();
        }
      };
      for (let n = 0; n < records; ) {
        const lengthBytes = alignRecord(16 + random(random(4) === 0 ? 1500 : lane.inlineBytesMax - 16));
        if (random(2) === 0 && lengthBytes <= lane.inlineBytesMax) {
          if (!lane.tryBegin(lengthBytes)) {
            lane.wantRoom();
            lane.pump();
            lane.publish();
            await rest(sleeper, hasRelief);
            lane.takeRelief();
            continue;
          }
        } else lane.begin(lengthBytes);
        if (plant === 'published before it is written') {
          lane.publish();
          gate();
        }
        const word = lane.index >> 2;
        lane.words[word] = lengthBytes;
        lane.words[word + 1] = kind;
        lane.words[word + 2] = n++;
        gate(); // what is begun is the writer's alone, however long it takes
        lane.span.bytes.fill(n, lane.index + 12, lane.index + lengthBytes);
        if (random(3) === 0) await drain();
        else if (random(2) === 0) {
          lane.pump();
          lane.publish();
        }
      }
      await drain();
      check(backlog.lanes === 0, 'an empty outbox is no backlog');
    },
    async ([ring, bells], _seed) => {
      const lane = new LaneReader(ring, new Bell(bells, writerEndpoint));
      const sleeper = new Sleeper(bells, readerEndpoint);
      for (let n = 0; n < records; ) {
        const limit = lane.snapshot();
        for (let found = lane.next(limit); found !== 0; found = lane.next(limit)) {
          const word = lane.index >> 2;
          const lengthBytes = lane.words[word];
          check(found === kind && lane.words[word + 2] === n, `record ${n} comes in its order`);
          n++;
          for (let i = lane.index + 12; i < lane.index + lengthBytes; i++)
            check(lane.span.bytes[i] === n, 'a record is whole');
          lane.advance();
        }
        lane.release();
        if (n < records) await rest(sleeper, () => lane.hasRecords());
      }
      check(!lane.hasRecords(), 'nothing follows the last record');
    },
  ],
};
