import type { Demand } from '../base/demand.js';
import type { Fullness } from '../base/fullness.js';
import type { Bell } from '../ring/bell.js';
import { LaneReader } from './laneReader.js';
import { type Backlog, LaneWriter } from './laneWriter.js';
import { readHandover, readHandoverDone, writeHandover, writeHandoverDone } from './records/handover.js';
import {
  readGroupSpent,
  readHoldSpent,
  readLagging,
  readTopicFull,
  writeGroupSpent,
  writeHoldSpent,
  writeLagging,
  writeTopicFull,
} from './records/holding.js';
import {
  readImageCancel,
  readImageMore,
  readImageRequest,
  writeImageCancel,
  writeImageMore,
  writeImageRequest,
} from './records/imageRequest.js';
import {
  readInbox,
  readPlainInterest,
  readQueueInterest,
  writeInbox,
  writePlainInterest,
  writeQueueInterest,
} from './records/interest.js';
import { kindMask, recordKind } from './records/kinds.js';
import { readPlanAsked, readPlanMade, writePlanAsked, writePlanMade } from './records/planning.js';
import { readService, writeService } from './records/service.js';
import {
  readSyncExpected,
  readSyncRefused,
  readSyncSequenced,
  readSyncTaken,
  readSyncTold,
  writeSyncExpected,
  writeSyncRefused,
  writeSyncSequenced,
  writeSyncTaken,
  writeSyncTold,
} from './records/sync.js';
import { readUndelivered, writeUndelivered } from './records/undelivered.js';
import type { ExchangeTopic, HandoverStep, RouterRole, ShardRole, SyncRole } from './roles.js';

/** The writing side of a control lane: one gateway's interest, told to one other thread. Never refuses. */
export class ControlWriter {
  readonly lane: LaneWriter;

  constructor(memory: SharedArrayBuffer, bell: Bell, backlog: Backlog) {
    this.lane = new LaneWriter(memory, bell, backlog);
  }

  plainInterest(subject: string, wanted: Demand, crowd: number, account: number): void {
    writePlainInterest(this.lane, subject, wanted, crowd, account);
  }

  inbox(subject: string, account: number): void {
    writeInbox(this.lane, subject, account);
  }

  queueInterest(subject: string, queue: string, members: number, room: number, account: number): void {
    writeQueueInterest(this.lane, subject, queue, members, room, account);
  }

  topicFull(subject: string, state: Fullness): void {
    writeTopicFull(this.lane, subject, state);
  }

  lagging(subject: string, lags: boolean): void {
    writeLagging(this.lane, subject, lags);
  }

  holdSpent(subject: string): void {
    writeHoldSpent(this.lane, subject);
  }

  groupSpent(queue: string, spent: boolean): void {
    writeGroupSpent(this.lane, queue, spent);
  }

  imageRequest(token: number, subject: string): void {
    writeImageRequest(this.lane, token, subject);
  }

  imageCancel(token: number): void {
    writeImageCancel(this.lane, token);
  }

  imageMore(token: number, messages: number, bytes: number): void {
    writeImageMore(this.lane, token, messages, bytes);
  }

  undelivered(sender: number, consumerSequence: number): void {
    writeUndelivered(this.lane, sender, consumerSequence);
  }

  handover(step: HandoverStep, number: number, pattern: string, owner: number): void {
    writeHandover(this.lane, step, number, pattern, owner);
  }

  handoverDone(step: HandoverStep, number: number): void {
    writeHandoverDone(this.lane, step, number);
  }

  service(pattern: string, nameToken: number, open: boolean, account: number): void {
    writeService(this.lane, pattern, nameToken, open, account);
  }

  planAsked(number: number, subject: string, account: number): void {
    writePlanAsked(this.lane, number, subject, account);
  }

  planMade(number: number): void {
    writePlanMade(this.lane, number);
  }

  syncExpected(token: number, gateway: number, change: number): void {
    writeSyncExpected(this.lane, token, gateway, change);
  }

  syncSequenced(token: number): void {
    writeSyncSequenced(this.lane, token);
  }

  syncRefused(token: number, answer: string): void {
    writeSyncRefused(this.lane, token, answer);
  }

  syncTaken(token: number): void {
    writeSyncTaken(this.lane, token);
  }

  syncTold(token: number, events: string): void {
    writeSyncTold(this.lane, token, events);
  }
}

/** The reading side of a control lane: applies what another gateway tells to this thread's router and shard. */
export class ControlReader<T extends ExchangeTopic> {
  readonly lane: LaneReader;
  readonly #gateway: number;
  readonly #router: RouterRole<T>;
  readonly #shard: ShardRole<T> | null;
  /** Null where nobody publishes synchronously. */
  readonly #sync: SyncRole | null;

  constructor(
    memory: SharedArrayBuffer,
    bell: Bell,
    gateway: number,
    router: RouterRole<T>,
    shard: ShardRole<T> | null,
    sync: SyncRole | null = null,
  ) {
    this.lane = new LaneReader(memory, bell);
    this.#gateway = gateway;
    this.#router = router;
    this.#shard = shard;
    this.#sync = sync;
  }

  /** Applies every record published so far. */
  drain(): void {
    if (!this.lane.hasRecords()) return;
    const limit = this.lane.snapshot();
    for (let kind = this.lane.next(limit); kind !== 0; kind = this.lane.next(limit)) {
      this.#apply(kind & kindMask);
      this.lane.advance();
    }
    this.lane.release();
  }

  #apply(kind: number): void {
    const { lane } = this;
    const gateway = this.#gateway;
    switch (kind) {
      case recordKind.plainInterest:
        readPlainInterest(lane, gateway, this.#router);
        break;
      case recordKind.inbox:
        readInbox(lane, gateway, this.#router);
        break;
      case recordKind.queueInterest:
        readQueueInterest(lane, gateway, this.#router);
        break;
      case recordKind.topicFull:
        readTopicFull(lane, gateway, this.#router);
        break;
      case recordKind.lagging:
        readLagging(lane, gateway, this.#router);
        break;
      case recordKind.holdSpent:
        readHoldSpent(lane, this.#router);
        break;
      case recordKind.groupSpent:
        readGroupSpent(lane, gateway, this.#router);
        break;
      case recordKind.imageRequest:
        readImageRequest(lane, gateway, this.#shard);
        break;
      case recordKind.imageCancel:
        readImageCancel(lane, gateway, this.#shard);
        break;
      case recordKind.imageMore:
        readImageMore(lane, gateway, this.#shard);
        break;
      case recordKind.syncExpected:
        readSyncExpected(lane, this.#sync);
        break;
      case recordKind.syncSequenced:
        readSyncSequenced(lane, this.#sync);
        break;
      case recordKind.syncTaken:
        readSyncTaken(lane, gateway, this.#sync);
        break;
      case recordKind.syncRefused:
        readSyncRefused(lane, this.#sync);
        break;
      case recordKind.syncTold:
        readSyncTold(lane, gateway, this.#sync);
        break;
      case recordKind.undelivered:
        readUndelivered(lane, gateway, this.#shard);
        break;
      case recordKind.handover:
        readHandover(lane, this.#router);
        break;
      case recordKind.handoverDone:
        readHandoverDone(lane, gateway, this.#router);
        break;
      case recordKind.service:
        readService(lane, gateway, this.#router);
        break;
      case recordKind.planAsked:
        readPlanAsked(lane, gateway, this.#router);
        break;
      case recordKind.planMade:
        readPlanMade(lane, this.#router);
        break;
      default:
        throw new Error(`a control lane has no record of kind ${kind}`);
    }
  }
}
