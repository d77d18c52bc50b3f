import { assert } from '../base/assert.js';
import { controlLaneBytes, laneBytesMax, laneBytesMin, lanesTotalBytesMax } from '../base/limits.js';
import { createBellMemory } from '../ring/bell.js';
import { createRingMemory } from '../ring/layout.js';

/** The three lanes of one ordered pair of endpoints. */
export interface PairMemory {
  control: SharedArrayBuffer;
  publish: SharedArrayBuffer;
  deliver: SharedArrayBuffer;
}

/** All memory that the threads of one broker share for their exchange. */
export interface ExchangeMemory {
  endpoints: number;
  bells: SharedArrayBuffer;
  /** By writer, then by reader; null where they are the same. */
  pairs: (PairMemory | null)[][];
}

/**
 * Makes the lanes between `endpoints` threads.
 *
 * @param laneBytes size of each publish and deliver lane, a power of two; 0 chooses one that keeps all lanes together
 * below `lanesTotalBytesMax`
 */
export function createExchangeMemory(endpoints: number, laneBytes: number): ExchangeMemory {
  const size = laneBytes === 0 ? automaticLaneBytes(endpoints) : laneBytes;
  assert(size >= laneBytesMin && size <= laneBytesMax, 'the lane size is within its bounds');
  const controlBytes = laneBytes === 0 ? controlLaneBytes : Math.min(laneBytes, controlLaneBytes);
  const pairs: (PairMemory | null)[][] = [];
  for (let writer = 0; writer < endpoints; writer++) {
    pairs[writer] = [];
    for (let reader = 0; reader < endpoints; reader++) {
      pairs[writer][reader] =
        writer === reader
          ? null
          : {
              control: createRingMemory(controlBytes),
              publish: createRingMemory(size),
              deliver: createRingMemory(size),
            };
    }
  }
  return { endpoints, bells: createBellMemory(endpoints), pairs };
}

function automaticLaneBytes(endpoints: number): number {
  const lanes = Math.max(1, 2 * endpoints * (endpoints - 1));
  let size = laneBytesMax;
  while (size > laneBytesMin && size * lanes > lanesTotalBytesMax) size >>= 1;
  return size;
}
