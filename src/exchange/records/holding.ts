import type { Fullness } from '../../base/fullness.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { ExchangeTopic, RouterRole } from '../roles.js';
import { controlSubject, controlValue, writeControl } from './control.js';
import { recordKind } from './kinds.js';

/*
 * What publishers have to wait for, in a control record:
 *
 *     topicFull: value = how full a topic is (`Fullness`); its subject
 *     lagging:   value = 1 if somebody lags who takes what a subscription subject takes, else 0; that subject
 *     holdSpent: a topic's publishers wait no longer for who blocks it; its subject
 *     groupSpent: value = 1 if nobody waits any longer for a group on this shard, 0 if somebody may again; its name in place of a subject
 */
export function writeTopicFull(lane: LaneWriter, subject: string, state: Fullness): void {
  writeControl(lane, recordKind.topicFull, state, subject);
}

export function writeLagging(lane: LaneWriter, subject: string, lags: boolean): void {
  writeControl(lane, recordKind.lagging, lags ? 1 : 0, subject);
}

export function writeHoldSpent(lane: LaneWriter, subject: string): void {
  writeControl(lane, recordKind.holdSpent, 0, subject);
}

export function writeGroupSpent(lane: LaneWriter, queue: string, spent: boolean): void {
  writeControl(lane, recordKind.groupSpent, spent ? 1 : 0, queue);
}

/** Applies the record found last. */
export function readTopicFull<T extends ExchangeTopic>(lane: LaneReader, gateway: number, router: RouterRole<T>): void {
  router.onTopicFull(gateway, controlSubject(lane), controlValue(lane) as Fullness);
}

export function readLagging<T extends ExchangeTopic>(lane: LaneReader, gateway: number, router: RouterRole<T>): void {
  router.onLagging(gateway, controlSubject(lane), controlValue(lane) !== 0);
}

export function readHoldSpent<T extends ExchangeTopic>(lane: LaneReader, router: RouterRole<T>): void {
  router.onHoldSpent(controlSubject(lane));
}

export function readGroupSpent<T extends ExchangeTopic>(lane: LaneReader, shard: number, router: RouterRole<T>): void {
  router.onGroupSpent(shard, controlSubject(lane), controlValue(lane) !== 0);
}
