import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { ExchangeTopic, ShardRole } from '../roles.js';
import { controlExtra, controlSubject, controlValue, writeControl } from './control.js';
import { recordKind } from './kinds.js';

/*
 * What a gateway asks of images, in a control record; the value is the token of its request:
 *
 *     imageRequest: the last values of what a subscription subject takes; that subject
 *     imageMore:    so much more may be sent of it: see below
 *     imageCancel:  it is not wanted any more
 *
 * Of `imageMore`, the bytes stand in the place of the queue's length, and the messages in `extra`.
 */
const bytesWord = 4;

export function writeImageRequest(lane: LaneWriter, token: number, subject: string): void {
  writeControl(lane, recordKind.imageRequest, token, subject);
}

export function writeImageMore(lane: LaneWriter, token: number, messages: number, bytes: number): void {
  writeControl(lane, recordKind.imageMore, token, '', '', messages);
  lane.words[(lane.index >> 2) + bytesWord] = bytes;
}

export function writeImageCancel(lane: LaneWriter, token: number): void {
  writeControl(lane, recordKind.imageCancel, token);
}

/** Applies the record found last; where there is no shard, to nobody. */
export function readImageRequest<T extends ExchangeTopic>(
  lane: LaneReader,
  gateway: number,
  shard: ShardRole<T> | null,
): void {
  shard?.onImageRequest(gateway, controlValue(lane), controlSubject(lane));
}

export function readImageMore<T extends ExchangeTopic>(
  lane: LaneReader,
  gateway: number,
  shard: ShardRole<T> | null,
): void {
  const bytes = lane.words[(lane.index >> 2) + bytesWord];
  shard?.onImageMore(gateway, controlValue(lane), controlExtra(lane), bytes);
}

export function readImageCancel<T extends ExchangeTopic>(
  lane: LaneReader,
  gateway: number,
  shard: ShardRole<T> | null,
): void {
  shard?.onImageCancel(gateway, controlValue(lane));
}
