import { assert } from '../base/assert.js';
import { latin1String } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { ShownRun } from '../base/shownRun.js';
import { cost, Work } from '../base/work.js';
import type { Bell } from '../ring/bell.js';
import { LaneReader } from './laneReader.js';
import { Pace, type PacedReader } from './pace.js';
import { AddressedReader } from './records/addressed.js';
import { handoverNumber } from './records/handover.js';
import { imageToken } from './records/imageMark.js';
import { accountOf, kindMask, recordKind } from './records/kinds.js';
import { readLoss } from './records/loss.js';
import { MixedRunReader } from './records/mixedRun.js';
import { nameEnd, nameSlot, nameStart } from './records/name.js';
import { hasHeaders, isQueueRun, RunReader } from './records/run.js';
import type { ExchangeTopic, MixedLane, RouterRole } from './roles.js';

/** Who takes the messages of a lane. */
export interface MessageSink<T extends ExchangeTopic> {
  onMessages(topic: T, message: MessageView): void;
  /** Message `index` of the run, for one member of a queue group. */
  onQueueMessage(topic: T, queue: string, message: MessageView, index: number): void;
  /** Missing where no images come: on publish lanes. */
  readonly images?: ImageSink;
  /**
   * A message for whoever takes the address, or for a member of a group there; missing where none come. `sender` wants to know if nobody
   * does, unless it is 0. Returns false, and nothing has happened, when it waits for the topic that it shows to be planned.
   */
  onAddressed?(address: T, queue: string | null, sender: number, message: MessageView): boolean;
  /** A run of messages for all who take the address; false, and nothing has happened, when each is to come by itself. */
  onShownRun?(address: T, run: ShownRun): boolean;
  /** What takes mixed runs; null or missing where their messages are taken one by one. */
  readonly mixed?: MixedLane<T> | null;
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

/** A record with fewer messages is not worth the copy into the kernel's memory. */
const shownRunMessagesMin = 2;

/** The reading side of a publish or deliver lane: the inverse of `MessageWriter`. */
export class MessageReader<T extends ExchangeTopic> implements PacedReader {
  readonly lane: LaneReader;
  readonly pace: Pace;
  /** What had been published when this turn began. */
  limit = 0;
  /** Number of the last change of an owner before which nothing is left in the lane. */
  handoverMark = 0;
  readonly #names: RouterRole<T>;
  readonly #sink: MessageSink<T>;
  /** Topics and queue groups by the writer's numbers. */
  readonly #topics: (T | null)[] = [];
  readonly #queues: string[] = [];
  readonly #runs: RunReader;
  readonly #mixed: MixedRunReader;
  readonly #addressed: AddressedReader;
  readonly #shownRun = new ShownRun();
  readonly #work: Work;
  /** The kind of a record that waits until its topic is planned; else 0. */
  #waiting = 0;

  constructor(memory: SharedArrayBuffer, bell: Bell, names: RouterRole<T>, sink: MessageSink<T>, work = new Work()) {
    this.#work = work;
    this.lane = new LaneReader(memory, bell);
    this.pace = new Pace(this);
    this.#runs = new RunReader(this.lane, work);
    this.#mixed = new MixedRunReader(this.lane, work);
    this.#addressed = new AddressedReader(this.lane);
    this.#names = names;
    this.#sink = sink;
  }

  /** Whether the next record waits for its topic to be planned: what stands behind it waits, too. */
  get waits(): boolean {
    return this.#waiting !== 0;
  }

  get progress(): number {
    const { lane } = this;
    if (this.#runs.kind !== 0) return lane.progressAt(this.#runs.position);
    if (this.#mixed.left !== 0) return lane.progressAt(this.#mixed.position);
    return this.#addressed.left === 0 ? lane.position : lane.progressAt(this.#addressed.position);
  }

  /** Looks how far its writer has come: records beyond are left to the next turn. */
  look(): void {
    this.limit = this.lane.snapshot();
  }

  /**
   * Takes the next record before `limit`; returns false when there is none, or it `waits`. Of a run whose messages cost much it takes as
   * many as the share of work lasts for, one at least, and the others when it is called again.
   */
  takeOne(): boolean {
    const kind = this.#next();
    this.#waiting = 0;
    switch (kind & kindMask) {
      case 0:
        return false;
      case recordKind.defineTopic:
        this.#setTopic(
          this.#names.topicOf(this.lane.span, nameStart(this.lane), nameEnd(this.lane), accountOf(this.lane)),
        );
        break;
      case recordKind.forgetTopic:
        this.#setTopic(null);
        break;
      case recordKind.defineQueue:
        this.#queues[nameSlot(this.lane)] = latin1String(
          this.lane.span.bytes,
          nameStart(this.lane),
          nameEnd(this.lane),
        );
        break;
      case recordKind.run:
      case recordKind.queueRun:
        if (this.#topic(this.#runs.topic) === null) return this.#wait(kind);
        if (!this.#run(kind)) return true;
        break;
      case recordKind.mixedRun:
        if (!this.#takeMixed()) return !this.waits;
        break;
      case recordKind.imageBegin:
        this.#sink.images?.onBegin(imageToken(this.lane));
        break;
      case recordKind.imagePause:
        this.#sink.images?.onPause(imageToken(this.lane));
        break;
      case recordKind.imageEnd:
        this.#sink.images?.onEnd(imageToken(this.lane));
        break;
      case recordKind.addressed:
        if (!this.#takeAddressed()) return !this.waits;
        break;
      case recordKind.loss:
        readLoss(this.lane, this.#sink);
        break;
      case recordKind.fence:
        break;
      case recordKind.handoverMark:
        this.handoverMark = handoverNumber(this.lane);
        break;
      default:
        throw new Error(`a message lane has no record of kind ${kind & kindMask}`);
    }
    this.#work.units += cost.record;
    this.lane.advance();
    return true;
  }

  /** The kind of the next record, or of one that waits or of which some was taken. */
  #next(): number {
    if (this.#waiting !== 0) return this.#waiting;
    if (this.#mixed.left !== 0) return recordKind.mixedRun;
    if (this.#addressed.left !== 0) return recordKind.addressed;
    return this.#runs.kind === 0 ? this.lane.next(this.limit) : this.#runs.kind;
  }

  #wait(kind: number): false {
    this.#waiting = kind;
    return false;
  }

  #setTopic(topic: T | null): void {
    const slot = nameSlot(this.lane);
    this.#topics[slot] = topic;
    this.#sink.mixed?.forget(slot);
  }

  /** Returns whether all of a mixed run has been taken; if not, it may wait. */
  #takeMixed(): boolean {
    const mixed = this.#mixed;
    if (mixed.left === 0) mixed.begin();
    const kernel = this.#loadMixed();
    do {
      if (kernel !== null) this.#encodeMixed(kernel);
      if (mixed.left === 0) return true;
      const topic = this.#topic(mixed.topic);
      if (topic === null) return this.#wait(recordKind.mixedRun);
      const { message } = this.#runs;
      mixed.take(message, topic.unitsOf?.(mixed.payloadBytes, false) ?? 0);
      this.#sink.onMessages(topic, message);
    } while (mixed.left > 0 && !this.#work.spent);
    return mixed.left === 0;
  }

  /** What encodes the messages that are left; null when they are to be taken one by one. */
  #loadMixed(): MixedLane<T> | null {
    const kernel = this.#sink.mixed ?? null;
    if (kernel === null) return null;
    const { span, words, index } = this.lane;
    const { position, left } = this.#mixed;
    return kernel.load(span, position, index + words[index >> 2], left) ? kernel : null;
  }

  /** Has the kernel take what it can, up to the first message that it cannot. */
  #encodeMixed(kernel: MixedLane<T>): void {
    const mixed = this.#mixed;
    for (let prepared = false; ; prepared = true) {
      const position = kernel.encode(mixed.position, mixed.left);
      const stuck = prepared && kernel.encoded === 0;
      mixed.skip(kernel.encoded, position);
      if (mixed.left === 0 || stuck) return;
      const topic = this.#topic(mixed.topic);
      if (topic === null || !kernel.prepare(topic, mixed.topic, mixed.payloadBytes)) return;
    }
  }

  /** Returns whether all of the run, whose topic is fresh, has been taken. */
  #run(kind: number): boolean {
    const topic = this.#topics[this.#runs.topic] as T;
    const queue = isQueueRun(kind) ? this.#queues[this.#runs.queue] : null;
    const whole = this.#runs.take(kind, topic.unitsOf?.(this.#runs.messageBytes, hasHeaders(kind)) ?? 0);
    const { message } = this.#runs;
    if (queue === null) this.#sink.onMessages(topic, message);
    else for (let i = 0; i < message.count; i++) this.#sink.onQueueMessage(topic, queue, message, i);
    return whole;
  }

  /** Returns whether all of a record for an address has been taken; if not, it may wait. */
  #takeAddressed(): boolean {
    const addressed = this.#addressed;
    if (addressed.left === 0) {
      addressed.begin();
      if (this.#takeShownRun()) return true;
    }
    do {
      addressed.view(this.#runs.message);
      const taken = addressed.isForSubscription ? this.#takeImage() : this.#takeOneAddressed();
      this.#runs.message.shown = null;
      if (!taken) return this.#wait(recordKind.addressed);
      addressed.skip();
    } while (addressed.left > 0 && !this.#work.spent);
    return addressed.left === 0;
  }

  /** Has the whole record taken at once, where that can be. */
  #takeShownRun(): boolean {
    const addressed = this.#addressed;
    const { onShownRun } = this.#sink;
    if (onShownRun === undefined || addressed.left < shownRunMessagesMin || !addressed.isForAll) return false;
    const address = this.#topic(addressed.to);
    if (address === null) return false;
    addressed.run(this.#shownRun);
    if (!onShownRun(address, this.#shownRun)) return false;
    addressed.left = 0;
    return true;
  }

  #takeImage(): true {
    this.#sink.images?.onMessage(this.#addressed.to, this.#runs.message);
    return true;
  }

  /** Returns false when it waits. */
  #takeOneAddressed(): boolean {
    const addressed = this.#addressed;
    const queue = addressed.isForMember ? this.#queues[addressed.queue] : null;
    const { onAddressed } = this.#sink;
    assert(onAddressed !== undefined, 'addresses are known here');
    const address = this.#topic(addressed.to);
    return address !== null && onAddressed(address, queue, addressed.sender, this.#runs.message);
  }

  /** The topic of a run: known to be fresh, since interest changes only between records; null when it is not yet. */
  #topic(slot: number): T | null {
    let topic = this.#topics[slot] as T;
    if (!topic.live) {
      topic = this.#names.topicOf(topic.span, topic.start, topic.end, topic.account);
      this.#topics[slot] = topic;
    }
    return this.#names.freshen(topic) ? topic : null;
  }
}
