import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { ExchangeTopic, RouterRole } from '../roles.js';
import { controlSubject, controlValue, writeControl } from './control.js';
import { accountOf, recordKind } from './kinds.js';

/*
 * A topic that very many take is about to be published to: control records.
 *
 *     planAsked: value = number of the question; the topic's subject, of its account
 *     planMade:  value = number of the question
 */
export function writePlanAsked(lane: LaneWriter, number: number, subject: string, account: number): void {
  writeControl(lane, recordKind.planAsked, number, subject, '', 0, account);
}

export function writePlanMade(lane: LaneWriter, number: number): void {
  writeControl(lane, recordKind.planMade, number);
}

/** Applies the record found last. */
export function readPlanAsked<T extends ExchangeTopic>(lane: LaneReader, asker: number, router: RouterRole<T>): void {
  router.onPlanAsked?.(asker, controlValue(lane), controlSubject(lane), accountOf(lane));
}

export function readPlanMade<T extends ExchangeTopic>(lane: LaneReader, router: RouterRole<T>): void {
  router.onPlanMade?.(controlValue(lane));
}
