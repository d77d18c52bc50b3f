import { assert } from '../base/assert.js';
import { latin1String } from '../base/bytes.js';
import { MessageView } from '../base/messageView.js';
import { cost, Work } from '../base/work.js';
import type { Bell } from '../ring/bell.js';
import { LaneReader } from './laneReader.js';
import { AddressedReader } from './records/addressed.js';
import {
  flagHeaders,
  flagRedelivered,
  flagReply,
  flagWork,
  imageTokenWord,
  kindMask,
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
import type { ExchangeTopic, RouterRole } from './roles.js';

/** Who takes the messages of a lane. */
export interface MessageSink<T> {
  onMessages(topic: T, message: MessageView): void;
  /** Message `index` of the run, for one member of a queue group. */
  onQueueMessage(topic: T, queue: string, message: MessageView, index: number): void;
  /** Missing where no images come: on publish lanes. */
  readonly images?: ImageSink;
  /** A message for whoever takes the address; missing where none come. `sender` wants to know if nobody does, unless it is 0. */
  onAddressed?(address: T, sender: number, message: MessageView): void;
  /** Missing where nothing is lost: where both ends are the broker's own threads. */
  onLoss?(subject: string, count: number): void;
}

/** Who takes the images that a gateway asked for, by the tokens of its requests. */
export interface ImageSink {
  onBegin(token: number): void;
  onMessage(token: number, message: MessageView): void;
  onPause(token: number): void;
  onEnd(token: number): void;
}

/** The reading side of a publish or deliver lane: the inverse of `MessageWriter`. */
export class MessageReader<T extends ExchangeTopic> {
  readonly lane: LaneReader;
  /** What had been published when this turn began. */
  limit = 0;
  readonly #names: RouterRole<T>;
  readonly #sink: MessageSink<T>;
  /** Topics and queue groups by the writer's numbers. */
  readonly #topics: (T | null)[] = [];
  readonly #queues: string[] = [];
  readonly #message = new MessageView();
  readonly #addressed: AddressedReader;
  readonly #work: Work;
  /** Of a run some of which was taken: its kind, how many messages were, and where the next one begins; else 0. */
  #runKind = 0;
  #runTaken = 0;
  #runPosition = 0;

  constructor(memory: SharedArrayBuffer, bell: Bell, names: RouterRole<T>, sink: MessageSink<T>, work = new Work()) {
    this.#work = work;
    this.lane = new LaneReader(memory, bell);
    this.#addressed = new AddressedReader(this.lane);
    this.#names = names;
    this.#sink = sink;
  }

  /** Looks how far its writer has come: records beyond are left to the next turn. */
  look(): void {
    this.limit = this.lane.snapshot();
  }

  /**
   * Takes the next record before `limit`; returns false when there is none. Of a run whose messages cost much it takes as many as the share
   * of work lasts for, one at least, and the others when it is called again.
   */
  takeOne(): boolean {
    const kind = this.#runTaken === 0 ? this.lane.next(this.limit) : this.#runKind;
    switch (kind & kindMask) {
      case 0:
        return false;
      case recordKind.defineTopic:
        this.#topics[this.#slot()] = this.#names.topicOf(this.lane.span, this.#nameStart(), this.#nameEnd());
        break;
      case recordKind.forgetTopic:
        this.#topics[this.#slot()] = null;
        break;
      case recordKind.defineQueue:
        this.#queues[this.#slot()] = latin1String(this.lane.span.bytes, this.#nameStart(), this.#nameEnd());
        break;
      case recordKind.run:
      case recordKind.queueRun:
        if (!this.#run(kind)) return true;
        break;
      case recordKind.imageBegin:
        this.#sink.images?.onBegin(this.#imageToken());
        break;
      case recordKind.imagePause:
        this.#sink.images?.onPause(this.#imageToken());
        break;
      case recordKind.imageEnd:
        this.#sink.images?.onEnd(this.#imageToken());
        break;
      case recordKind.addressed:
        this.#takeAddressed(kind);
        break;
      case recordKind.loss:
        this.#loss();
        break;
      case recordKind.fence:
        break;
      default:
        throw new Error(`a message lane has no record of kind ${kind & kindMask}`);
    }
    this.#work.units += cost.line;
    this.lane.advance();
    return true;
  }

  /** Returns whether all of the run has been taken. */
  #run(kind: number): boolean {
    const { span, words, index } = this.lane;
    const word = index >> 2;
    const topic = this.#topic(words[word + runTopicWord]);
    const queue = (kind & kindMask) === recordKind.queueRun ? this.#queues[words[word + runQueueWord]] : null;
    const total = words[word + runCountWord];
    const count = this.#work.affordable(topic.units ?? 0, total - this.#runTaken);
    const message = this.#message;
    message.span = span;
    message.count = count;
    message.exceptConnection = words[word + runExceptWord];
    message.headerBytes = 0;
    message.redelivered = (kind & flagRedelivered) !== 0;
    message.work = (kind & flagWork) !== 0;
    message.replyStart = message.replyEnd = 0;
    const extras = kind & (flagReply | flagHeaders);
    let position = this.#runTaken === 0 ? index + runHeaderBytes : this.#runPosition;
    for (let i = 0; i < count; i++) {
      let head = position >> 2;
      const payloadBytes = words[head++];
      let start = head << 2;
      if (extras !== 0) {
        const replyBytes = (kind & flagReply) !== 0 ? words[head++] : 0;
        if ((kind & flagHeaders) !== 0) message.headerBytes = words[head++];
        message.replyStart = head << 2;
        start = message.replyEnd = message.replyStart + replyBytes;
      }
      message.starts[i] = start;
      message.ends[i] = start + payloadBytes;
      position = (start + payloadBytes + lineEndBytes + 3) & ~3;
    }
    this.#work.units += count;
    this.#runKind = kind;
    this.#runTaken = (this.#runTaken + count) % total;
    this.#runPosition = position;
    const whole = this.#runTaken === 0;
    if (queue === null) this.#sink.onMessages(topic, message);
    else for (let i = 0; i < count; i++) this.#sink.onQueueMessage(topic, queue, message, i);
    return whole;
  }

  #takeAddressed(kind: number): void {
    const addressed = this.#addressed;
    const message = this.#message;
    addressed.view(kind, message);
    if (addressed.isForSubscription(kind)) this.#sink.images?.onMessage(addressed.to, message);
    else this.#onAddressed(this.#topic(addressed.to), addressed.sender, message);
    message.shown = null;
  }

  #onAddressed(address: T, sender: number, message: MessageView): void {
    const { onAddressed } = this.#sink;
    assert(onAddressed !== undefined, 'only shards send to addresses');
    onAddressed(address, sender, message);
  }

  #loss(): void {
    const { span, words, index } = this.lane;
    const word = index >> 2;
    const start = index + lossHeaderBytes;
    const subject = latin1String(span.bytes, start, start + words[word + lossSubjectLengthWord]);
    this.#sink.onLoss?.(subject, words[word + lossCountWord]);
  }

  #imageToken(): number {
    return this.lane.words[(this.lane.index >> 2) + imageTokenWord];
  }

  /** The topic of a run: known to be fresh, since interest changes only between records. */
  #topic(slot: number): T {
    let topic = this.#topics[slot] as T;
    if (!topic.live) {
      topic = this.#names.topicOf(topic.span, topic.start, topic.end);
      this.#topics[slot] = topic;
    }
    this.#names.freshen(topic);
    return topic;
  }

  #slot(): number {
    return this.lane.words[(this.lane.index >> 2) + nameSlotWord];
  }

  #nameStart(): number {
    return this.lane.index + nameHeaderBytes;
  }

  #nameEnd(): number {
    return this.#nameStart() + this.lane.words[(this.lane.index >> 2) + nameLengthWord];
  }
}
