import { assert } from '../base/assert.js';
import {
  controlLaneBytes,
  deliverLaneBytesMax,
  laneBytesMax,
  laneBytesMin,
  lanesTotalBytesMax,
  publishLaneBytesMax,
} from '../base/limits.js';
import { createBellMemory } from '../ring/bell.js';
import { createRingMemory } from '../ring/layout.js';

/** The lanes of one ordered pair of endpoints: only shards read publish lanes, and only shards write deliver lanes. */
export interface PairMemory {
  control: SharedArrayBuffer;
  publish: SharedArrayBuffer | null;
  deliver: SharedArrayBuffer | null;
}

/**
 * All memory that the threads of one broker share for their exchange. Endpoints below `shards` have a gateway and a shard;
 * those from there on are clients in the same process, which have a gateway only and come and go.
 */
export interface ExchangeMemory {
  shards: number;
  /** Most endpoints there may be. */
  endpoints: number;
  /** Size of each publish lane, of each deliver lane between shards and of each control lane; one to a client is as large as a publish lane. */
  laneBytes: number;
  deliverBytes: number;
  controlBytes: number;
  bells: SharedArrayBuffer;
  /** By writer, then by reader; null where they are the same, or one of them is not there. */
  pairs: (PairMemory | null)[][];
}

/** The lanes between a thread and an endpoint that joins. */
export interface PeerMemory {
  endpoint: number;
  out: PairMemory;
  into: PairMemory;
}

/**
 * Makes the lanes between `shards` threads.
 *
 * @param laneBytes size of each publish and deliver lane, a power of two; 0 chooses one that keeps all lanes together
 * below `lanesTotalBytesMax`, the clients' too
 * @param clients most endpoints without a shard that may join; they take nothing until they do
 */
export function createExchangeMemory(shards: number, laneBytes: number, clients = 0): ExchangeMemory {
  const endpoints = shards + clients;
  const size = laneBytes === 0 ? automaticLaneBytes(shards, endpoints) : laneBytes;
  assert(size >= laneBytesMin && size <= laneBytesMax, 'the lane size is within its bounds');
  const deliverBytes = laneBytes === 0 ? size * deliverShare : size;
  const controlBytes = laneBytes === 0 ? controlLaneBytes : Math.min(laneBytes, controlLaneBytes);
  const bells = createBellMemory(endpoints);
  const pairs = Array.from({ length: endpoints }, () => new Array<PairMemory | null>(endpoints).fill(null));
  const memory = { shards, endpoints, laneBytes: size, deliverBytes, controlBytes, bells, pairs };
  for (let writer = 0; writer < shards; writer++) {
    for (let reader = 0; reader < shards; reader++)
      if (writer !== reader) pairs[writer][reader] = createPair(memory, writer, reader);
  }
  return memory;
}

/** Makes the lanes between a client endpoint and everybody who is there; returns its peers' sides, by endpoint. */
export function addEndpoint(memory: ExchangeMemory, endpoint: number): Map<number, PeerMemory> {
  assert(endpoint >= memory.shards && endpoint < memory.endpoints, 'only clients join');
  const present = [...memory.pairs.keys()].filter(
    (other) => other !== endpoint && (other < memory.shards || memory.pairs[other].some((pair) => pair !== null)),
  );
  const sides = new Map<number, PeerMemory>();
  for (const other of present) {
    const out = createPair(memory, other, endpoint);
    const into = createPair(memory, endpoint, other);
    memory.pairs[other][endpoint] = out;
    memory.pairs[endpoint][other] = into;
    sides.set(other, { endpoint, out, into });
  }
  return sides;
}

/** Forgets the lanes of a client endpoint that has left. */
export function removeEndpoint(memory: ExchangeMemory, endpoint: number): void {
  memory.pairs[endpoint].fill(null);
  for (const readers of memory.pairs) readers[endpoint] = null;
}

/** What one endpoint needs of the memory: its own lanes. All of them would take many shards seconds to be handed over. */
export function memoryOf(memory: ExchangeMemory, endpoint: number): ExchangeMemory {
  const pairs = memory.pairs.map((readers, writer) =>
    readers.map((pair, reader) => (writer === endpoint || reader === endpoint ? pair : null)),
  );
  return { ...memory, pairs };
}

function createPair(memory: ExchangeMemory, writer: number, reader: number): PairMemory {
  return {
    control: createRingMemory(memory.controlBytes),
    publish: reader < memory.shards ? createRingMemory(memory.laneBytes) : null,
    deliver:
      writer < memory.shards ? createRingMemory(reader < memory.shards ? memory.deliverBytes : memory.laneBytes) : null,
  };
}

/** So many times a publish lane is a deliver lane between shards. */
const deliverShare = deliverLaneBytesMax / publishLaneBytesMax;

function automaticLaneBytes(shards: number, endpoints: number): number {
  const lanes = Math.max(1, shards * ((1 + deliverShare) * (shards - 1) + 2 * (endpoints - shards)));
  let size = publishLaneBytesMax;
  while (size > laneBytesMin && size * lanes > lanesTotalBytesMax) size >>= 1;
  return size;
}
