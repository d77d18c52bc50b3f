import { copyBytes } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan } from '../base/span.js';
import type { Bell } from '../ring/bell.js';
import { alignRecord } from '../ring/layout.js';
import { type Backlog, LaneWriter } from './laneWriter.js';
import {
  flagHeaders,
  flagReply,
  lineEndBytes,
  nameHeaderBytes,
  nameLengthWord,
  nameSlotWord,
  recordKind,
  runCountWord,
  runExceptWord,
  runHeaderBytes,
  runQueueWord,
  runTopicWord,
} from './records.js';
import type { ExchangeQueue, ExchangeTopic } from './roles.js';

/** A run that is still open grows no further than this, so that the reader's work between two looks is bounded. */
const runBytesMax = 16 * 1024;

/**
 * The writing side of a publish or deliver lane. Consecutive messages of one topic share a record; topics and queue
 * groups are named once and numbered from then on.
 */
export class MessageWriter {
  readonly lane: LaneWriter;
  /** Serial of the topic (of the queue) that the reader knows by each number. */
  readonly #topicSerials: number[] = [];
  readonly #queueSerials: number[] = [];
  /** The open run: the record that the next message may join. */
  #runTopicSerial = 0;
  #runQueueSerial = 0;
  #runKind = 0;
  #runExcept = 0;
  #runIndex = 0;
  #runUsedBytes = 0;
  #runLengthBytes = 0;

  constructor(memory: SharedArrayBuffer, bell: Bell, backlog: Backlog) {
    this.lane = new LaneWriter(memory, bell, backlog);
  }

  /** Writes a message unless the lane is full; a message too large for the ring is taken when nobody waits before it. */
  offer(topic: ExchangeTopic, message: MessageView): boolean {
    if (this.#join(topic, 0, message)) return true;
    if (!this.lane.clear) return false;
    if (!this.#defineTopic(topic, false)) return false;
    return this.#beginRun(topic, null, message, false);
  }

  /** Writes a message whatever the lane's state; what finds no room waits in the outbox. */
  push(topic: ExchangeTopic, queue: ExchangeQueue | null, message: MessageView): void {
    if (this.#join(topic, queue === null ? 0 : queue.serial, message)) return;
    this.#defineTopic(topic, true);
    if (queue !== null) this.#defineQueue(queue);
    this.#beginRun(topic, queue, message, true);
  }

  /** The topic's number will be used for another. */
  forget(topic: ExchangeTopic): void {
    if (this.#topicSerials[topic.slot] !== topic.serial) return;
    this.#topicSerials[topic.slot] = 0;
    this.#name(recordKind.forgetTopic, topic.slot, noBytes);
  }

  /** Ends the open run, makes everything visible and wakes the reader. */
  publish(): void {
    this.#runTopicSerial = 0;
    this.lane.publish();
  }

  /** Adds a message to the open run if it is of the same kind. */
  #join(topic: ExchangeTopic, queueSerial: number, message: MessageView): boolean {
    if (this.#runTopicSerial !== topic.serial || this.#runQueueSerial !== queueSerial) return false;
    if (this.#runExcept !== message.exceptConnection) return false;
    const kind = runKind(queueSerial !== 0, message);
    if (this.#runKind !== kind) return false;
    const usedBytes = this.#runUsedBytes + messageBytes(message);
    if (usedBytes > runBytesMax) return false;
    const lengthBytes = alignRecord(usedBytes);
    const more = lengthBytes - this.#runLengthBytes;
    if (more > 0 && !this.lane.extend(more)) return false;
    const word = this.#runIndex >> 2;
    this.#write(this.#runIndex + this.#runUsedBytes, message);
    this.#runUsedBytes = usedBytes;
    this.#runLengthBytes = lengthBytes;
    this.lane.words[word] = lengthBytes;
    this.lane.words[word + runCountWord]++;
    return true;
  }

  #beginRun(topic: ExchangeTopic, queue: ExchangeQueue | null, message: MessageView, must: boolean): boolean {
    const usedBytes = runHeaderBytes + messageBytes(message);
    const lengthBytes = alignRecord(usedBytes);
    this.#runTopicSerial = 0;
    if (!must && lengthBytes <= this.lane.inlineBytesMax) {
      if (!this.lane.tryBegin(lengthBytes)) return false;
    } else {
      this.lane.begin(lengthBytes);
    }
    const kind = runKind(queue !== null, message);
    const index = this.lane.index;
    const words = this.lane.words;
    const word = index >> 2;
    words[word] = lengthBytes;
    words[word + 1] = kind;
    words[word + runTopicWord] = topic.slot;
    words[word + runCountWord] = 1;
    words[word + runExceptWord] = message.exceptConnection;
    words[word + runQueueWord] = queue === null ? 0 : queue.slot;
    this.#write(index + runHeaderBytes, message);
    if (!this.lane.clear) return true;
    this.#runTopicSerial = topic.serial;
    this.#runQueueSerial = queue === null ? 0 : queue.serial;
    this.#runKind = kind;
    this.#runExcept = message.exceptConnection;
    this.#runIndex = index;
    this.#runUsedBytes = usedBytes;
    this.#runLengthBytes = lengthBytes;
    return true;
  }

  #write(at: number, message: MessageView): void {
    const span = this.lane.span;
    const words = this.lane.words;
    const replyBytes = message.replyEnd - message.replyStart;
    let word = at >> 2;
    words[word++] = message.end - message.start;
    if (replyBytes !== 0) words[word++] = replyBytes;
    if (message.headerBytes !== 0) words[word++] = message.headerBytes;
    let position = word << 2;
    if (replyBytes !== 0) position = copySpan(span, position, message.span, message.replyStart, message.replyEnd);
    copySpan(span, position, message.span, message.start, message.end + lineEndBytes);
  }

  #defineTopic(topic: ExchangeTopic, must: boolean): boolean {
    if (this.#topicSerials[topic.slot] === topic.serial) return true;
    this.#runTopicSerial = 0;
    if (must) this.#name(recordKind.defineTopic, topic.slot, topic.subject);
    else if (!this.#tryName(recordKind.defineTopic, topic.slot, topic.subject)) return false;
    this.#topicSerials[topic.slot] = topic.serial;
    return true;
  }

  #defineQueue(queue: ExchangeQueue): void {
    if (this.#queueSerials[queue.slot] === queue.serial) return;
    this.#name(recordKind.defineQueue, queue.slot, queue.bytes);
    this.#queueSerials[queue.slot] = queue.serial;
  }

  #name(kind: number, slot: number, name: Uint8Array): void {
    const lengthBytes = alignRecord(nameHeaderBytes + name.length);
    this.#runTopicSerial = 0;
    this.lane.begin(lengthBytes);
    this.#writeName(lengthBytes, kind, slot, name);
  }

  #tryName(kind: number, slot: number, name: Uint8Array): boolean {
    const lengthBytes = alignRecord(nameHeaderBytes + name.length);
    if (lengthBytes > this.lane.inlineBytesMax) this.lane.begin(lengthBytes);
    else if (!this.lane.tryBegin(lengthBytes)) return false;
    this.#writeName(lengthBytes, kind, slot, name);
    return true;
  }

  #writeName(lengthBytes: number, kind: number, slot: number, name: Uint8Array): void {
    const word = this.lane.index >> 2;
    this.lane.words[word] = lengthBytes;
    this.lane.words[word + 1] = kind;
    this.lane.words[word + nameSlotWord] = slot;
    this.lane.words[word + nameLengthWord] = name.length;
    copyBytes(this.lane.span.bytes, this.lane.index + nameHeaderBytes, name, 0, name.length);
  }
}

const noBytes = new Uint8Array(0);

function runKind(queue: boolean, message: MessageView): number {
  return (
    (queue ? recordKind.queueRun : recordKind.run) |
    (message.replyEnd !== message.replyStart ? flagReply : 0) |
    (message.headerBytes !== 0 ? flagHeaders : 0)
  );
}

/** What a message takes in a run, in bytes, a multiple of 4. */
function messageBytes(message: MessageView): number {
  const replyBytes = message.replyEnd - message.replyStart;
  const headBytes = 4 + (replyBytes !== 0 ? 4 : 0) + (message.headerBytes !== 0 ? 4 : 0);
  return headBytes + ((replyBytes + message.end - message.start + lineEndBytes + 3) & ~3);
}
