import { createExchangeMemory, type ExchangeMemory } from '../../src/exchange/memory.js';

const laneBytes = 4096;

/** The memory of two shards' exchange, as a scenario has it: a list. */
export function listOfShards(): SharedArrayBuffer[] {
  const { bells, pairs } = createExchangeMemory(2, laneBytes);
  return [
    bells,
    ...[pairs[0][1]!, pairs[1][0]!].flatMap(({ control, publish, deliver }) => [control, publish!, deliver!]),
  ];
}

export function memoryOfShards([bells, ...lanes]: SharedArrayBuffer[]): ExchangeMemory {
  const pair = (at: number) => ({ control: lanes[at], publish: lanes[at + 1], deliver: lanes[at + 2] });
  const pairs = [
    [null, pair(0)],
    [pair(3), null],
  ];
  return { shards: 2, endpoints: 2, laneBytes, deliverBytes: laneBytes, controlBytes: laneBytes, bells, pairs };
}
