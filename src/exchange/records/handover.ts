import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { ExchangeTopic, HandoverStep, RouterRole } from '../roles.js';
import { controlExtra, controlSubject, controlValue, writeControl } from './control.js';
import { recordKind } from './kinds.js';

/*
 * A pattern gets another owner. Control records:
 *
 *     handover:     value = number of the change, extra = step (low byte) and owner (above); the pattern
 *     handoverDone: value = number of the change, extra = the step that is done there
 *
 * and in deliver lanes to users' threads, behind all that was in order before the change:
 *
 *     0        4      8        12  16
 *     | length | kind | number |   |
 */
const ownerShift = 8;
const stepMask = 0xff;
const numberWord = 2;
export const handoverMarkBytes = 16;

export function writeHandover(
  lane: LaneWriter,
  step: HandoverStep,
  number: number,
  pattern: string,
  owner: number,
): void {
  writeControl(lane, recordKind.handover, number, pattern, '', step | (owner << ownerShift));
}

export function writeHandoverDone(lane: LaneWriter, step: HandoverStep, number: number): void {
  writeControl(lane, recordKind.handoverDone, number, '', '', step);
}

/** Writes the record that the lane has begun. */
export function writeHandoverMark(lane: LaneWriter, number: number): void {
  const word = lane.index >> 2;
  lane.words[word] = handoverMarkBytes;
  lane.words[word + 1] = recordKind.handoverMark;
  lane.words[word + numberWord] = number;
}

/** Applies the record found last. */
export function readHandover<T extends ExchangeTopic>(lane: LaneReader, router: RouterRole<T>): void {
  const extra = controlExtra(lane);
  const step = (extra & stepMask) as HandoverStep;
  router.onHandover?.(step, controlValue(lane), controlSubject(lane), extra >> ownerShift);
}

export function readHandoverDone<T extends ExchangeTopic>(
  lane: LaneReader,
  shard: number,
  router: RouterRole<T>,
): void {
  router.onHandoverDone?.(shard, controlExtra(lane) as HandoverStep, controlValue(lane));
}

/** The number of the record found last. */
export function handoverNumber(lane: LaneReader): number {
  return lane.words[(lane.index >> 2) + numberWord];
}
