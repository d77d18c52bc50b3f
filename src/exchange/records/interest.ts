import type { Demand } from '../../base/demand.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { ExchangeTopic, RouterRole } from '../roles.js';
import { controlExtra, controlQueue, controlSubject, controlValue, writeControl } from './control.js';
import { accountOf, recordKind } from './kinds.js';

/*
 * A gateway's interest in a subscription subject, in a control record:
 *
 *     plainInterest: value = what of it is wanted (`Demand`), extra = what a message costs there, where very many take it; the subject
 *     inbox:         whoever takes it there awaits answers; the subject
 *     queueInterest: value = members of the group there, extra = messages that they have room for; the subject and the queue
 */
export function writePlainInterest(
  lane: LaneWriter,
  subject: string,
  wanted: Demand,
  crowd: number,
  account: number,
): void {
  writeControl(lane, recordKind.plainInterest, wanted, subject, '', crowd, account);
}

export function writeInbox(lane: LaneWriter, subject: string, account: number): void {
  writeControl(lane, recordKind.inbox, 0, subject, '', 0, account);
}

export function writeQueueInterest(
  lane: LaneWriter,
  subject: string,
  queue: string,
  members: number,
  room: number,
  account: number,
): void {
  writeControl(lane, recordKind.queueInterest, members, subject, queue, room, account);
}

/** Applies the record found last. */
export function readPlainInterest<T extends ExchangeTopic>(
  lane: LaneReader,
  gateway: number,
  router: RouterRole<T>,
): void {
  router.onPlainInterest(
    gateway,
    controlSubject(lane),
    controlValue(lane) as Demand,
    controlExtra(lane),
    accountOf(lane),
  );
}

export function readInbox<T extends ExchangeTopic>(lane: LaneReader, gateway: number, router: RouterRole<T>): void {
  router.onInbox(gateway, controlSubject(lane), accountOf(lane));
}

export function readQueueInterest<T extends ExchangeTopic>(
  lane: LaneReader,
  gateway: number,
  router: RouterRole<T>,
): void {
  router.onQueueInterest(
    gateway,
    controlSubject(lane),
    controlQueue(lane),
    controlValue(lane),
    controlExtra(lane),
    accountOf(lane),
  );
}
