import { copyBytes, latin1Bytes, latin1String } from '../base/bytes.js';
import type { Demand } from '../base/demand.js';
import type { Fullness } from '../base/fullness.js';
import type { Bell } from '../ring/bell.js';
import { alignRecord } from '../ring/layout.js';
import { LaneReader } from './laneReader.js';
import { type Backlog, LaneWriter } from './laneWriter.js';
import {
  controlBytesWord,
  controlChangeWord,
  controlEndpointWord,
  controlHeaderBytes,
  controlHighWord,
  controlLowWord,
  controlMessagesWord,
  controlQueueLengthWord,
  controlRoomWord,
  controlSubjectLengthWord,
  controlValueWord,
  kindMask,
  recordKind,
} from './records.js';
import type { ExchangeTopic, RouterRole, ShardRole, SyncRole } from './roles.js';

const twoTo32 = 2 ** 32;

/** The writing side of a control lane: one gateway's interest, told to one other thread. Never refuses. */
export class ControlWriter {
  readonly lane: LaneWriter;

  constructor(memory: SharedArrayBuffer, bell: Bell, backlog: Backlog) {
    this.lane = new LaneWriter(memory, bell, backlog);
  }

  plainInterest(subject: string, wanted: Demand): void {
    this.#write(recordKind.plainInterest, wanted, subject, '');
  }

  queueInterest(subject: string, queue: string, members: number, room: number): void {
    this.#write(recordKind.queueInterest, members, subject, queue);
    this.lane.words[(this.lane.index >> 2) + controlRoomWord] = room;
  }

  topicFull(subject: string, state: Fullness): void {
    this.#write(recordKind.topicFull, state, subject, '');
  }

  lagging(subject: string, lags: boolean): void {
    this.#write(recordKind.lagging, lags ? 1 : 0, subject, '');
  }

  holdSpent(subject: string): void {
    this.#write(recordKind.holdSpent, 0, subject, '');
  }

  imageRequest(token: number, subject: string): void {
    this.#write(recordKind.imageRequest, token, subject, '');
  }

  imageCancel(token: number): void {
    this.#write(recordKind.imageCancel, token, '', '');
  }

  syncExpected(token: number, gateway: number, change: number): void {
    this.#write(recordKind.syncExpected, token, '', '');
    const word = this.lane.index >> 2;
    this.lane.words[word + controlEndpointWord] = gateway;
    this.lane.words[word + controlChangeWord] = change;
  }

  syncSequenced(token: number): void {
    this.#write(recordKind.syncSequenced, token, '', '');
  }

  syncTaken(token: number): void {
    this.#write(recordKind.syncTaken, token, '', '');
  }

  imageMore(token: number, messages: number, bytes: number): void {
    this.#write(recordKind.imageMore, token, '', '');
    const word = this.lane.index >> 2;
    this.lane.words[word + controlMessagesWord] = messages;
    this.lane.words[word + controlBytesWord] = bytes;
  }

  undelivered(sender: number, consumerSequence: number): void {
    this.#write(recordKind.undelivered, sender, '', '');
    const word = this.lane.index >> 2;
    this.lane.words[word + controlLowWord] = consumerSequence % twoTo32;
    this.lane.words[word + controlHighWord] = Math.floor(consumerSequence / twoTo32);
  }

  #write(kind: number, value: number, subject: string, queue: string): void {
    const lengthBytes = alignRecord(controlHeaderBytes + subject.length + queue.length);
    this.lane.begin(lengthBytes);
    const { words, index } = this.lane;
    const bytes = this.lane.span.bytes;
    const word = index >> 2;
    words[word] = lengthBytes;
    words[word + 1] = kind;
    words[word + controlValueWord] = value;
    words[word + controlSubjectLengthWord] = subject.length;
    words[word + controlQueueLengthWord] = queue.length;
    const at = copyBytes(bytes, index + controlHeaderBytes, latin1Bytes(subject), 0, subject.length);
    copyBytes(bytes, at, latin1Bytes(queue), 0, queue.length);
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
    const { words, index } = this.lane;
    const bytes = this.lane.span.bytes;
    const word = index >> 2;
    const value = words[word + controlValueWord];
    const subjectStart = index + controlHeaderBytes;
    const subjectEnd = subjectStart + words[word + controlSubjectLengthWord];
    const subject = latin1String(bytes, subjectStart, subjectEnd);
    switch (kind) {
      case recordKind.plainInterest:
        this.#router.onPlainInterest(this.#gateway, subject, value as Demand);
        break;
      case recordKind.queueInterest: {
        const queue = latin1String(bytes, subjectEnd, subjectEnd + words[word + controlQueueLengthWord]);
        this.#router.onQueueInterest(this.#gateway, subject, queue, value, words[word + controlRoomWord]);
        break;
      }
      case recordKind.topicFull:
        this.#router.onTopicFull(this.#gateway, subject, value as Fullness);
        break;
      case recordKind.lagging:
        this.#router.onLagging(this.#gateway, subject, value !== 0);
        break;
      case recordKind.holdSpent:
        this.#router.onHoldSpent(subject);
        break;
      case recordKind.imageRequest:
        this.#shard?.onImageRequest(this.#gateway, value, subject);
        break;
      case recordKind.imageCancel:
        this.#shard?.onImageCancel(this.#gateway, value);
        break;
      case recordKind.syncExpected:
        this.#sync?.onExpected(value, words[word + controlEndpointWord], words[word + controlChangeWord]);
        break;
      case recordKind.syncSequenced:
        this.#sync?.onSequenced(value);
        break;
      case recordKind.syncTaken:
        this.#sync?.onTaken(value, this.#gateway);
        break;
      case recordKind.imageMore:
        this.#shard?.onImageMore(
          this.#gateway,
          value,
          words[word + controlMessagesWord],
          words[word + controlBytesWord],
        );
        break;
      case recordKind.undelivered:
        this.#shard?.onUndelivered(
          this.#gateway,
          value,
          words[word + controlHighWord] * twoTo32 + (words[word + controlLowWord] >>> 0),
        );
        break;
      default:
        throw new Error(`a control lane has no record of kind ${kind}`);
    }
  }
}
