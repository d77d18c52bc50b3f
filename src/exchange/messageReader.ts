import { assert } from '../base/assert.js';
import { latin1String } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { cost, Work } from '../base/work.js';
import type { Bell } from '../ring/bell.js';
import { LaneReader } from './laneReader.js';
import { AddressedReader } from './records/addressed.js';
import { handoverNumber } from './records/handover.js';
import { imageToken } from './records/imageMark.js';
import { kindMask, recordKind } from './records/kinds.js';
import { readLoss } from './records/loss.js';
import { nameAccount, nameEnd, nameSlot, nameStart } from './records/name.js';
import { isQueueRun, RunReader } from './records/run.js';
import type { ExchangeTopic, RouterRole } from './roles.js';

/** Who takes the messages of a lane. */
export interface MessageSink<T> {
  onMessages(topic: T, message: MessageView): void;
  /** Message `index` of the run, for one member of a queue group. */
  onQueueMessage(topic: T, queue: string, message: MessageView, index: number): void;
  /** Missing where no images come: on publish lanes. */
  readonly images?: ImageSink;
  /**
   * A message for whoever takes the address, or for a member of a group there; missing where none come. `sender` wants to know if nobody
   * does, unless it is 0.
   */
  onAddressed?(address: T, queue: string | null, sender: number, message: MessageView): void;
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
  /** Number of the last change of an owner before which nothing is left in the lane. */
  handoverMark = 0;
  readonly #names: RouterRole<T>;
  readonly #sink: MessageSink<T>;
  /** Topics and queue groups by the writer's numbers. */
  readonly #topics: (T | null)[] = [];
  readonly #queues: string[] = [];
  readonly #runs: RunReader;
  readonly #addressed: AddressedReader;
  readonly #work: Work;

  constructor(memory: SharedArrayBuffer, bell: Bell, names: RouterRole<T>, sink: MessageSink<T>, work = new Work()) {
    this.#work = work;
    this.lane = new LaneReader(memory, bell);
    this.#runs = new RunReader(this.lane, work);
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
    const kind = this.#runs.kind === 0 ? this.lane.next(this.limit) : this.#runs.kind;
    switch (kind & kindMask) {
      case 0:
        return false;
      case recordKind.defineTopic:
        this.#topics[nameSlot(this.lane)] = this.#names.topicOf(
          this.lane.span,
          nameStart(this.lane),
          nameEnd(this.lane),
          nameAccount(this.lane),
        );
        break;
      case recordKind.forgetTopic:
        this.#topics[nameSlot(this.lane)] = null;
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
        if (!this.#run(kind)) return true;
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
        this.#takeAddressed(kind);
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
    this.#work.units += cost.line;
    this.lane.advance();
    return true;
  }

  /** Returns whether all of the run has been taken. */
  #run(kind: number): boolean {
    const topic = this.#topic(this.#runs.topic);
    const queue = isQueueRun(kind) ? this.#queues[this.#runs.queue] : null;
    const whole = this.#runs.take(kind, topic.units ?? 0);
    const { message } = this.#runs;
    if (queue === null) this.#sink.onMessages(topic, message);
    else for (let i = 0; i < message.count; i++) this.#sink.onQueueMessage(topic, queue, message, i);
    return whole;
  }

  #takeAddressed(kind: number): void {
    const addressed = this.#addressed;
    const { message } = this.#runs;
    addressed.view(kind, message);
    if (addressed.isForSubscription(kind)) this.#sink.images?.onMessage(addressed.to, message);
    else {
      const queue = addressed.isForMember(kind) ? this.#queues[addressed.queue] : null;
      const { onAddressed } = this.#sink;
      assert(onAddressed !== undefined, 'only shards send to addresses');
      onAddressed(this.#topic(addressed.to), queue, addressed.sender, message);
    }
    message.shown = null;
  }

  /** The topic of a run: known to be fresh, since interest changes only between records. */
  #topic(slot: number): T {
    let topic = this.#topics[slot] as T;
    if (!topic.live) {
      topic = this.#names.topicOf(topic.span, topic.start, topic.end, topic.account);
      this.#topics[slot] = topic;
    }
    this.#names.freshen(topic);
    return topic;
  }
}
