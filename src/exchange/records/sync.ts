import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { SyncRole } from '../roles.js';
import { controlExtra, controlSubject, controlValue, writeControl } from './control.js';
import { recordKind } from './kinds.js';

/*
 * To the publisher of a synchronous message, in a control record; the value is its token:
 *
 *     syncExpected:  extra = the endpoint whose gateway gets deliveries of it; how many more stands in the place of the queue's length
 *     syncSequenced: it is in order
 *     syncTaken:     the writer's gateway has taken a delivery of it
 *     syncRefused:   a stream has not stored it; what it says stands in the subject's place
 *     syncTold:      of one that is traced: what became of it where this was written, in the subject's place
 */
const changeWord = 4;

export function writeSyncExpected(lane: LaneWriter, token: number, gateway: number, change: number): void {
  writeControl(lane, recordKind.syncExpected, token, '', '', gateway);
  lane.words[(lane.index >> 2) + changeWord] = change;
}

export function writeSyncSequenced(lane: LaneWriter, token: number): void {
  writeControl(lane, recordKind.syncSequenced, token);
}

export function writeSyncTaken(lane: LaneWriter, token: number): void {
  writeControl(lane, recordKind.syncTaken, token);
}

/** @param answer as an acknowledgement says it, a byte a character */
export function writeSyncRefused(lane: LaneWriter, token: number, answer: string): void {
  writeControl(lane, recordKind.syncRefused, token, answer);
}

/** @param events as JSON, in ASCII */
export function writeSyncTold(lane: LaneWriter, token: number, events: string): void {
  writeControl(lane, recordKind.syncTold, token, events);
}

/** Applies the record found last; where nobody publishes synchronously, to nobody. */
export function readSyncExpected(lane: LaneReader, sync: SyncRole | null): void {
  sync?.onExpected(controlValue(lane), controlExtra(lane), lane.words[(lane.index >> 2) + changeWord]);
}

export function readSyncSequenced(lane: LaneReader, sync: SyncRole | null): void {
  sync?.onSequenced(controlValue(lane));
}

export function readSyncTaken(lane: LaneReader, gateway: number, sync: SyncRole | null): void {
  sync?.onTaken(controlValue(lane), gateway);
}

export function readSyncRefused(lane: LaneReader, sync: SyncRole | null): void {
  sync?.onRefused(controlValue(lane), controlSubject(lane));
}

export function readSyncTold(lane: LaneReader, gateway: number, sync: SyncRole | null): void {
  sync?.onTold?.(controlValue(lane), gateway, controlSubject(lane));
}
