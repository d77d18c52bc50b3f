import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { ExchangeTopic, ShardRole } from '../roles.js';
import { controlExtra, controlValue, writeControl } from './control.js';
import { recordKind } from './kinds.js';

/*
 * Nobody took a message for an address, in a control record: value = its sender's token; the sequence by which its reply calls it is a
 * whole number in two parts, the low one in the place of the queue's length, the high one in `extra`.
 */
const lowWord = 4;
const twoTo32 = 2 ** 32;

export function writeUndelivered(lane: LaneWriter, sender: number, consumerSequence: number): void {
  writeControl(lane, recordKind.undelivered, sender, '', '', Math.floor(consumerSequence / twoTo32));
  lane.words[(lane.index >> 2) + lowWord] = consumerSequence % twoTo32;
}

/** Applies the record found last; where there is no shard, to nobody. */
export function readUndelivered<T extends ExchangeTopic>(
  lane: LaneReader,
  gateway: number,
  shard: ShardRole<T> | null,
): void {
  const low = lane.words[(lane.index >> 2) + lowWord] >>> 0;
  shard?.onUndelivered(gateway, controlValue(lane), controlExtra(lane) * twoTo32 + low);
}
