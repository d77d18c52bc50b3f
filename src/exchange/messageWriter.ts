import { copyBytes, latin1Bytes } from '../base/bytes.js';
import { runMessagesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan } from '../base/span.js';
import type { Bell } from '../ring/bell.js';
import { alignRecord } from '../ring/layout.js';
import { type Backlog, LaneWriter } from './laneWriter.js';
import { AddressedWriter, addressedBytesMax } from './records/addressed.js';
import {
  fenceBytes,
  flagHeaders,
  flagRedelivered,
  flagReply,
  flagWork,
  imageHeaderBytes,
  imageTokenWord,
  lineEndBytes,
  lossCountWord,
  lossHeaderBytes,
  lossSubjectLengthWord,
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
  readonly #addressed: AddressedWriter;
  /** Serial of the topic (of the queue) that the reader knows by each number. */
  readonly #topicSerials: number[] = [];
  readonly #queueSerials: number[] = [];
  /** The open run: the record that the next message may join. */
  #runTopicSerial = 0;
  #runQueueSerial = 0;
  #runKind = 0;
  #runExcept = 0;
  #runCount = 0;
  #runIndex = 0;
  #runUsedBytes = 0;
  #runLengthBytes = 0;

  constructor(memory: SharedArrayBuffer, bell: Bell, backlog: Backlog) {
    this.lane = new LaneWriter(memory, bell, backlog);
    this.#addressed = new AddressedWriter(this.lane);
  }

  /**
   * Writes messages of a run until the lane is full; returns how many. A message too large for the ring is taken when
   * nobody waits before it.
   */
  offer(topic: ExchangeTopic, message: MessageView): number {
    // not even as part of a record that waits: who may wait adds nothing to what must be taken
    if (!this.lane.clear) return 0;
    for (let i = 0; i < message.count; i++) {
      if (this.#join(topic, 0, message, i)) continue;
      if (!this.lane.clear || !this.#defineTopic(topic, false)) return i;
      if (!this.#beginRun(topic, null, message, i, false)) return i;
    }
    return message.count;
  }

  /** Writes a run, or the messages from `from` on, whatever the lane's state; what finds no room waits in the outbox. */
  push(topic: ExchangeTopic, message: MessageView, from = 0): void {
    for (let i = from; i < message.count; i++) {
      if (this.#join(topic, 0, message, i)) continue;
      this.#defineTopic(topic, true);
      this.#beginRun(topic, null, message, i, true);
    }
  }

  /** Writes message `index` of a run for one member of a queue group, whatever the lane's state. */
  pushOne(topic: ExchangeTopic, queue: ExchangeQueue, message: MessageView, index: number): void {
    if (this.#join(topic, queue.serial, message, index)) return;
    this.#defineTopic(topic, true);
    this.#defineQueue(queue);
    this.#beginRun(topic, queue, message, index, true);
  }

  /** Writes how many messages of a subscription subject found no room, if there is room for that. */
  offerLoss(subject: string, count: number): boolean {
    const lengthBytes = alignRecord(lossHeaderBytes + subject.length);
    if (!this.#hasRoom(lengthBytes)) return false;
    this.#runTopicSerial = 0;
    this.lane.begin(lengthBytes);
    const { words, span, index } = this.lane;
    const word = index >> 2;
    words[word] = lengthBytes;
    words[word + 1] = recordKind.loss;
    words[word + lossCountWord] = count;
    words[word + lossSubjectLengthWord] = subject.length;
    copyBytes(span.bytes, index + lossHeaderBytes, latin1Bytes(subject), 0, subject.length);
    return true;
  }

  /** The topic's number will be used for another. */
  forget(topic: ExchangeTopic): void {
    if (this.#topicSerials[topic.slot] !== topic.serial) return;
    this.#topicSerials[topic.slot] = 0;
    this.#name(recordKind.forgetTopic, topic.slot, noBytes);
  }

  /** Writes a fence, whatever the lane's state. */
  pushFence(): void {
    this.#runTopicSerial = 0;
    this.lane.begin(fenceBytes);
    const word = this.lane.index >> 2;
    this.lane.words[word] = fenceBytes;
    this.lane.words[word + 1] = recordKind.fence;
  }

  /** Ends the open run, makes everything visible and wakes the reader. */
  publish(): void {
    this.#runTopicSerial = 0;
    this.lane.publish();
  }

  /** Writes where an image begins or ends, whatever the lane's state. */
  pushImageMark(kind: number, token: number): void {
    this.#runTopicSerial = 0;
    this.lane.begin(imageHeaderBytes);
    this.#writeImageHead(imageHeaderBytes, kind, token);
  }

  /** Writes a message of an image, if the lane has room; one too large for the ring, when nobody waits before it. */
  offerImage(token: number, message: MessageView): boolean {
    if (!this.#hasRoom(addressedBytesMax(message))) return false;
    this.pushImage(token, message);
    return true;
  }

  /** Writes a message of an image, whatever the lane's state. */
  pushImage(token: number, message: MessageView): void {
    this.#runTopicSerial = 0;
    this.#addressed.toSubscription(token, message);
  }

  /** Whether a message for an address, and the address's name before it, would go into the lane at once. */
  hasRoomFor(address: ExchangeTopic, message: MessageView): boolean {
    return this.#hasRoom(nameHeaderBytes + address.subject.length + addressedBytesMax(message));
  }

  /** Writes a message for an address, whatever the lane's state. */
  pushAddressed(address: ExchangeTopic, sender: number, message: MessageView): void {
    this.#defineTopic(address, true);
    this.#runTopicSerial = 0;
    this.#addressed.toAddress(address.slot, sender, message);
  }

  /** Whether a record would go into the lane at once; one too large for the ring, when nobody waits before it. */
  #hasRoom(lengthBytes: number): boolean {
    return lengthBytes > this.lane.inlineBytesMax ? this.lane.clear : this.lane.hasRoom(lengthBytes);
  }

  #writeImageHead(lengthBytes: number, kind: number, token: number): void {
    const word = this.lane.index >> 2;
    this.lane.words[word] = lengthBytes;
    this.lane.words[word + 1] = kind;
    this.lane.words[word + imageTokenWord] = token;
  }

  /** Adds a message to the open run if it is of the same kind. */
  #join(topic: ExchangeTopic, queueSerial: number, message: MessageView, index: number): boolean {
    if (this.#runTopicSerial !== topic.serial || this.#runQueueSerial !== queueSerial) return false;
    if (this.#runExcept !== message.exceptConnection) return false;
    const kind = runKind(queueSerial !== 0, message);
    // messages with a reply or headers are records of their own
    if (this.#runKind !== kind || (kind & (flagReply | flagHeaders)) !== 0) return false;
    const usedBytes = this.#runUsedBytes + messageBytes(message, index);
    if (usedBytes > runBytesMax || this.#runCount === runMessagesMax) return false;
    const lengthBytes = alignRecord(usedBytes);
    const more = lengthBytes - this.#runLengthBytes;
    if (more > 0 && !this.lane.extend(more)) return false;
    const word = this.#runIndex >> 2;
    this.#write(this.#runIndex + this.#runUsedBytes, message, index);
    this.#runUsedBytes = usedBytes;
    this.#runLengthBytes = lengthBytes;
    this.lane.words[word] = lengthBytes;
    this.lane.words[word + runCountWord] = ++this.#runCount;
    return true;
  }

  #beginRun(
    topic: ExchangeTopic,
    queue: ExchangeQueue | null,
    message: MessageView,
    messageIndex: number,
    must: boolean,
  ): boolean {
    const usedBytes = runHeaderBytes + messageBytes(message, messageIndex);
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
    this.#write(index + runHeaderBytes, message, messageIndex);
    this.#runTopicSerial = topic.serial;
    this.#runQueueSerial = queue === null ? 0 : queue.serial;
    this.#runKind = kind;
    this.#runExcept = message.exceptConnection;
    this.#runCount = 1;
    this.#runIndex = index;
    this.#runUsedBytes = usedBytes;
    this.#runLengthBytes = lengthBytes;
    return true;
  }

  #write(at: number, message: MessageView, index: number): void {
    const span = this.lane.span;
    const words = this.lane.words;
    const replyBytes = message.replyEnd - message.replyStart;
    let word = at >> 2;
    const start = message.starts[index];
    const end = message.ends[index];
    words[word++] = end - start;
    if (replyBytes !== 0) words[word++] = replyBytes;
    if (message.headerBytes !== 0) words[word++] = message.headerBytes;
    let position = word << 2;
    if (replyBytes !== 0) position = copySpan(span, position, message.span, message.replyStart, message.replyEnd);
    copySpan(span, position, message.span, start, end + lineEndBytes);
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
    (message.headerBytes !== 0 ? flagHeaders : 0) |
    (message.redelivered ? flagRedelivered : 0) |
    (message.work ? flagWork : 0)
  );
}

/** What message `index` takes in a run, in bytes, a multiple of 4. */
function messageBytes(message: MessageView, index: number): number {
  const replyBytes = message.replyEnd - message.replyStart;
  const headBytes = 4 + (replyBytes !== 0 ? 4 : 0) + (message.headerBytes !== 0 ? 4 : 0);
  return headBytes + ((replyBytes + message.ends[index] - message.starts[index] + lineEndBytes + 3) & ~3);
}
