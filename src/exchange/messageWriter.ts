import { MessageView } from '../base/messageView.js';
import { Shown } from '../base/shown.js';
import type { ShownRun } from '../base/shownRun.js';
import type { Bell } from '../ring/bell.js';
import { type Backlog, LaneWriter } from './laneWriter.js';
import { BlockPart } from './mixedBlock.js';
import { AddressedWriter, addressedBytes, runRecordBytesMax } from './records/addressed.js';
import { fenceRecordBytes, writeFence } from './records/fence.js';
import { handoverMarkBytes, writeHandoverMark } from './records/handover.js';
import { imageMarkBytes, writeImageMark } from './records/imageMark.js';
import { recordKind } from './records/kinds.js';
import { lossRecordBytes, writeLoss } from './records/loss.js';
import { isPlain, MixedRunWriter } from './records/mixedRun.js';
import { nameRecordBytes, writeName } from './records/name.js';
import { RunWriter } from './records/run.js';
import type { ExchangeQueue, ExchangeTopic } from './roles.js';

/**
 * The writing side of a publish or deliver lane. Consecutive messages share a record: of one topic, plain ones of any, or for one address; topics and
 * queue groups are named once and numbered from then on.
 */
export class MessageWriter {
  readonly lane: LaneWriter;
  /** What it shares with other lanes. */
  readonly part: BlockPart;
  /** Serial of the topic (of the queue) that the reader knows by each number. */
  readonly #topicSerials: number[] = [];
  readonly #queueSerials: number[] = [];
  readonly #runs: RunWriter;
  readonly #mixed: MixedRunWriter;
  readonly #addressed: AddressedWriter;
  /** One message of an addressed run, and what that shows. */
  readonly #one = new MessageView();
  readonly #shown = new Shown();

  constructor(memory: SharedArrayBuffer, bell: Bell, backlog: Backlog) {
    this.lane = new LaneWriter(memory, bell, backlog);
    this.part = new BlockPart(this.lane, () => this.#closeRecord());
    this.#runs = new RunWriter(this.lane);
    this.#mixed = new MixedRunWriter(this.lane);
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
      if (this.#runs.join(topic, 0, message, i)) continue;
      if (!this.lane.clear || !this.#defineTopic(topic, false)) return i;
      this.#closeRecord();
      if (!this.#runs.begin(topic, null, message, i, false)) return i;
    }
    return message.count;
  }

  /** Writes a run, or the messages from `from` on, whatever the lane's state; what finds no room waits in the outbox. */
  push(topic: ExchangeTopic, message: MessageView, from = 0): void {
    this.part.block?.flush();
    for (let i = from; i < message.count; i++) {
      if (isPlain(message, i)) this.#pushMixed(topic, message, i);
      else this.pushRun(topic, message, i);
    }
  }

  /** Names the topic of the next message of a block: the name stands before the block's record. */
  beforeShared(topic: ExchangeTopic): void {
    this.#closeRecord();
    this.#defineTopic(topic, true);
  }

  /** Names the topic to a reader of blocks, if the lane has room for that. */
  offerName(topic: ExchangeTopic): boolean {
    return this.#defineTopic(topic, false);
  }

  #pushMixed(topic: ExchangeTopic, message: MessageView, index: number): void {
    this.#defineTopic(topic, true);
    if (this.#mixed.join(topic.slot, message, index)) return;
    this.#closeRecord();
    this.#mixed.begin(topic.slot, message, index);
  }

  /** Writes message `index` of a run, whatever the lane's state, as part of a run of its topic. */
  pushRun(topic: ExchangeTopic, message: MessageView, index: number): void {
    if (this.#runs.join(topic, 0, message, index)) return;
    this.part.block?.flush();
    this.#defineTopic(topic, true);
    this.#closeRecord();
    this.#runs.begin(topic, null, message, index, true);
  }

  /** Writes message `index` of a run for one member of a queue group, whatever the lane's state. */
  pushOne(topic: ExchangeTopic, queue: ExchangeQueue, message: MessageView, index: number): void {
    if (this.#runs.join(topic, queue.serial, message, index)) return;
    this.part.block?.flush();
    this.#defineTopic(topic, true);
    this.#defineQueue(queue);
    this.#closeRecord();
    this.#runs.begin(topic, queue, message, index, true);
  }

  /** Writes how many messages of a subscription subject found no room, if there is room for that. */
  offerLoss(subject: string, count: number): boolean {
    const lengthBytes = lossRecordBytes(subject);
    if (!this.#hasRoom(lengthBytes)) return false;
    this.#begin(lengthBytes);
    writeLoss(this.lane, subject, count);
    return true;
  }

  /** The topic's number will be used for another. */
  forget(topic: ExchangeTopic): void {
    if (this.#topicSerials[topic.slot] !== topic.serial) return;
    this.#topicSerials[topic.slot] = 0;
    this.#begin(nameRecordBytes(noBytes));
    writeName(this.lane, recordKind.forgetTopic, topic.slot, noBytes);
  }

  /** Writes a fence, whatever the lane's state. */
  pushFence(): void {
    this.#begin(fenceRecordBytes);
    writeFence(this.lane);
  }

  /** Writes that what was in order before a change of owner lies before this, whatever the lane's state. */
  pushHandoverMark(number: number): void {
    this.#begin(handoverMarkBytes);
    writeHandoverMark(this.lane, number);
  }

  /** Ends the open record, makes everything visible and wakes the reader. */
  publish(): void {
    this.#close();
    this.lane.publish();
  }

  /** Writes where an image begins, pauses or ends, whatever the lane's state. */
  pushImageMark(kind: number, token: number): void {
    this.#begin(imageMarkBytes);
    writeImageMark(this.lane, kind, token);
  }

  /** Writes a message of an image, if the lane has room; one too large for the ring, when nobody waits before it. */
  offerImage(token: number, message: MessageView): boolean {
    if (!this.#hasRoom(addressedBytes(message))) return false;
    this.pushImage(token, message);
    return true;
  }

  /** Writes a message of an image, whatever the lane's state. */
  pushImage(token: number, message: MessageView): void {
    this.part.block?.flush();
    if (this.#addressed.joinSubscription(token, message)) return;
    this.#closeRecord();
    this.#addressed.beginSubscription(token, message);
  }

  /** Whether a message for an address, and the address's name before it, would go into the lane at once. */
  hasRoomFor(address: ExchangeTopic, message: MessageView): boolean {
    return this.#hasRoom(nameRecordBytes(address.subject) + addressedBytes(message));
  }

  /** Writes a message for an address, if the lane has room; one too large for the ring, when nobody waits before it. */
  offerAddressed(address: ExchangeTopic, message: MessageView): boolean {
    if (!this.lane.clear || !this.hasRoomFor(address, message)) return false;
    this.pushAddressed(address, null, 0, message);
    return true;
  }

  /**
   * Writes a message for an address, whatever the lane's state.
   *
   * @param queue the group for a member of which it is; null for all plain subscriptions
   */
  pushAddressed(address: ExchangeTopic, queue: ExchangeQueue | null, sender: number, message: MessageView): void {
    this.part.block?.flush();
    this.#defineTopic(address, true);
    if (queue !== null) this.#defineQueue(queue);
    const queueSlot = queue === null ? null : queue.slot;
    if (this.#addressed.join(address.slot, queueSlot, sender, message)) return;
    this.#closeRecord();
    this.#addressed.begin(address.slot, queueSlot, sender, message);
  }

  /** Whether messages that are put together for an address would go into the lane as one record. */
  hasRoomForRun(address: ExchangeTopic): boolean {
    return (
      runRecordBytesMax <= this.lane.inlineBytesMax &&
      this.#hasRoom(nameRecordBytes(address.subject) + runRecordBytesMax)
    );
  }

  /** Writes messages that were put together for all plain subscriptions to an address, whatever the lane's state. */
  pushShownRun(address: ExchangeTopic, sender: number, run: ShownRun): void {
    this.part.block?.flush();
    this.#defineTopic(address, true);
    this.#closeRecord();
    this.#addressed.writeRun(address.slot, sender, run);
  }

  /** Writes an addressed run for plain subscriptions, whatever the lane's state: each message shows the address that is its reply. */
  pushAnswers(inbox: ExchangeTopic, run: MessageView): void {
    const { span, starts, ends, replyStarts, replyEnds, count } = run;
    const one = this.#one;
    one.shown = this.#shown;
    for (let i = 0; i < count; i++) {
      one.set(span, starts[i], ends[i]);
      this.#shown.setBytes(span, replyStarts[i], replyEnds[i] - replyStarts[i], 0);
      this.pushAddressed(inbox, null, 0, one);
    }
  }

  /** What follows joins no open record, and stands behind what is shared with other lanes. */
  #close(): void {
    this.part.block?.flush();
    this.#closeRecord();
  }

  /** What follows joins no open record. */
  #closeRecord(): void {
    this.#runs.close();
    this.#mixed.close();
    this.#addressed.close();
  }

  /** Begins a record that no message joins, whatever the lane's state. */
  #begin(lengthBytes: number): void {
    this.#close();
    this.lane.begin(lengthBytes);
  }

  /** Whether a record would go into the lane at once; one too large for the ring, when nobody waits before it. */
  #hasRoom(lengthBytes: number): boolean {
    this.part.block?.flush();
    return lengthBytes > this.lane.inlineBytesMax ? this.lane.clear : this.lane.hasRoom(lengthBytes);
  }

  #defineTopic(topic: ExchangeTopic, must: boolean): boolean {
    if (this.#topicSerials[topic.slot] === topic.serial) return true;
    if (!this.#beginName(topic.subject, must)) return false;
    writeName(this.lane, recordKind.defineTopic, topic.slot, topic.subject, topic.account);
    this.#topicSerials[topic.slot] = topic.serial;
    return true;
  }

  #defineQueue(queue: ExchangeQueue): void {
    if (this.#queueSerials[queue.slot] === queue.serial) return;
    this.#beginName(queue.bytes, true);
    writeName(this.lane, recordKind.defineQueue, queue.slot, queue.bytes);
    this.#queueSerials[queue.slot] = queue.serial;
  }

  #beginName(name: Uint8Array, must: boolean): boolean {
    const lengthBytes = nameRecordBytes(name);
    this.#closeRecord();
    if (!must && lengthBytes <= this.lane.inlineBytesMax) return this.lane.tryBegin(lengthBytes);
    this.lane.begin(lengthBytes);
    return true;
  }
}

const noBytes = new Uint8Array(0);
