import type { MessageView } from '../base/messageView.js';
import type { PublishedSubject } from '../base/publishedSubject.js';
import type { ShownRun } from '../base/shownRun.js';
import type { ControlWriter } from './controlLane.js';
import { CrowdWindow } from './crowdWindow.js';
import type { LaneOverflow } from './laneOverflow.js';
import type { MessageWriter } from './messageWriter.js';
import { recordKind } from './records/kinds.js';
import { Reservation } from './reservation.js';
import type { ExchangeQueue, ExchangeTopic, GatewayRole, ShardRole, Taken } from './roles.js';

/** Whether there is room for what follows from a message, which is asked before a shard sequences anything. */
export interface SequencingRoom {
  /** Whether what this thread publishes may be put in order here now. */
  readonly takesOwn: boolean;
  /** Who waited on this thread and is tried again; null when nobody is. */
  readonly retried: object | null;
  /** Somebody on this thread has to wait until that is so. */
  onRefused(): void;
}

/** What became of a message for an address: nothing when there is no room, or when it has to be published as to a topic. */
export type Answered = 'taken' | 'no-room' | 'as-topic';

/** A shard as gateways call it: directly when it is of their thread, else over a publish lane. */
export class ShardProxy<T extends ExchangeTopic> {
  readonly #self: number;
  readonly #local: ShardRole<T> | null;
  readonly #writer: MessageWriter | null;
  readonly #room: SequencingRoom;
  readonly reservation = new Reservation();
  readonly #crowd: CrowdWindow;
  readonly #control: ControlWriter | null;

  constructor(
    self: number,
    local: ShardRole<T> | null,
    writer: MessageWriter | null,
    room: SequencingRoom,
    control: ControlWriter | null,
  ) {
    this.#self = self;
    this.#local = local;
    this.#writer = writer;
    this.#crowd = new CrowdWindow(writer);
    this.#room = room;
    this.#control = control;
  }

  /**
   * Hands a run of messages to the shard that sequences its topic. Returns how many it took: fewer than all when there is
   * no room and the publisher has to wait.
   */
  publish(topic: T, message: MessageView): number {
    if (this.#local !== null) {
      if (!this.#isRoom()) return 0;
      this.#local.onPublish(topic, message);
      return message.count;
    }
    if (!this.#admits()) return 0;
    const isForCrowd = topic.crowdUnits !== undefined && topic.crowdUnits !== 0;
    if (isForCrowd && !this.#crowd.mayGoOn) {
      // others have room for what costs less
      this.#writer!.lane.wantRoom();
      return 0;
    }
    const taken = this.#writer!.offer(topic, message);
    if (taken < message.count) this.#onNoRoom(taken > 0);
    if (isForCrowd && taken > 0) this.#crowd.note(unitsEachOf(topic, message) * taken);
    return taken;
  }

  /** So many messages were put in order beside it, on its own thread. */
  onSequenced(messages: number): void {
    this.#local?.onSequenced?.(messages);
  }

  /** Whether messages of two topics, both fresh, may be handed over together: to the shard of this thread alone. */
  takesTogether(one: T, other: T): boolean {
    return this.#local?.takesTogether?.(one, other) ?? false;
  }

  /** Hands over messages that may go together with a topic's, each with its subject; false when there is no room and the publisher has to wait. */
  publishTogether(topic: T, subjects: readonly PublishedSubject[], messages: MessageView): boolean {
    if (!this.#admits() || !this.#room.takesOwn) return false;
    this.#local!.onPublishTogether!(topic, subjects, messages);
    return true;
  }

  /**
   * Hands a message for an address, which it shows, to the shard that puts it in order.
   *
   * @param inbox stands for all addresses of an inbox
   */
  answer(inbox: T, message: MessageView): Answered {
    if (this.#local !== null) {
      if (!this.#isRoom()) return 'no-room';
      return this.#local.onAnswer(inbox, message) ? 'taken' : 'as-topic';
    }
    if (!this.#admits()) return 'no-room';
    if (this.#writer!.offerAddressed(inbox, message)) return 'taken';
    this.#onNoRoom(false);
    return 'no-room';
  }

  #isRoom(): boolean {
    if (!this.#admits()) return false;
    const { takesOwn, retried } = this.#room;
    if (takesOwn) return true;
    this.#room.onRefused();
    if (retried !== null) this.reservation.onRefused(retried);
    return false;
  }

  #admits(): boolean {
    return this.reservation.admits(this.#room.retried);
  }

  /** @param some whether there was room for some of it: then others are next */
  #onNoRoom(some: boolean): void {
    this.#writer!.lane.wantRoom();
    const { retried } = this.#room;
    if (retried !== null && !some) this.reservation.onRefused(retried);
  }

  /** Hands on a run that another thread sent to its topic's owner of before, whatever the lane's state. */
  forward(topic: T, message: MessageView): void {
    this.#writer!.push(topic, message);
  }

  /** Gives back a message of a queue group for another member. */
  requeue(topic: T, queue: ExchangeQueue, message: MessageView, index: number): void {
    if (this.#local !== null) this.#local.onRequeue(topic, queue.text, message, index, this.#self);
    else this.#writer!.pushOne(topic, queue, message, index);
  }

  /** Asks for the last values of what a subscription takes; they come to the gateway's `ImageRole`. */
  requestImage(token: number, subject: string): void {
    if (this.#local !== null) this.#local.onImageRequest(this.#self, token, subject);
    else this.#control!.imageRequest(token, subject);
  }

  /** Takes a request back. */
  cancelImage(token: number): void {
    if (this.#local !== null) this.#local.onImageCancel(this.#self, token);
    else this.#control!.imageCancel(token);
  }

  /** Lets the shard send so much more of an image. */
  moreImage(token: number, messages: number, bytes: number): void {
    if (this.#local !== null) this.#local.onImageMore(this.#self, token, messages, bytes);
    else this.#control!.imageMore(token, messages, bytes);
  }
}

/** A gateway as shards call it: directly when it is of their thread, else over a deliver lane. */
export class GatewayProxy<T extends ExchangeTopic> {
  /** The shard that calls. */
  readonly #self: number;
  readonly #local: GatewayRole<T> | null;
  /** Null while the endpoint is not there: it wants nothing then, so nothing is delivered to it. */
  readonly #writer: MessageWriter | null;
  /** For what finds no room; null where the other thread is the broker's own and takes what comes. */
  readonly #overflow: LaneOverflow<T> | null;

  constructor(
    self: number,
    local: GatewayRole<T> | null,
    writer: MessageWriter | null,
    overflow: LaneOverflow<T> | null = null,
  ) {
    this.#self = self;
    this.#local = local;
    this.#writer = writer;
    this.#overflow = overflow;
  }

  /** Whether it is behind with what it was given: a member of a queue group there is not the one to choose. */
  get away(): boolean {
    return this.#overflow?.away === true;
  }

  deliver(topic: T, message: MessageView): void {
    if (this.#local !== null) this.#local.onDeliver(topic, message);
    else if (this.#overflow !== null) this.#overflow.deliver(topic, message);
    else this.#writer!.push(topic, message);
  }

  deliverQueue(topic: T, queue: ExchangeQueue, message: MessageView, index: number): void {
    if (this.#local !== null) this.#local.onDeliverQueue(topic, queue.text, message, index);
    else if (this.#overflow !== null) this.#overflow.deliverQueue(topic, queue, message, index);
    else this.#writer!.pushOne(topic, queue, message, index);
  }

  /** Whether what is put in order for an address goes there now as other deliveries do. */
  takesAddressed(address: T, message: MessageView): boolean {
    return this.#overflow === null || this.hasRoomFor(address, message);
  }

  /** Whether a message for an address would go at once; if not, relief will be given when it may. */
  hasRoomFor(address: T, message: MessageView): boolean {
    if (this.#writer === null) return true;
    if (!this.away && this.#writer.hasRoomFor(address, message)) return true;
    this.#writer.lane.wantRoom();
    return false;
  }

  /**
   * Sends a message for whoever takes the address there.
   *
   * @param queue null for all plain subscriptions, else the group for a member of which it is
   * @param sender the token of whoever is told by `onUndelivered` if nobody does; 0 for none
   * @returns 'nobody' when that is known at once: then it is not told
   */
  deliverAddressed(address: T, queue: ExchangeQueue | null, sender: number, message: MessageView): Taken {
    if (this.#local !== null) return this.#local.onAddressed(address, queue === null ? null : queue.text, message);
    this.#writer!.pushAddressed(address, queue, sender, message);
    return 'taken';
  }

  /** Whether messages for an address may be put together, and go there by `deliverShownRun`. */
  collects(address: T): boolean {
    if (this.#local !== null) return this.#local.takesShownRuns?.(address) ?? false;
    return this.#overflow === null && this.#writer?.hasRoomForRun(address) === true;
  }

  /**
   * Sends messages for whoever takes an address there, which `collects` them; `sender` as for `deliverAddressed`. False, and nothing has
   * happened, when each is to go by itself.
   */
  deliverShownRun(address: T, sender: number, run: ShownRun): boolean {
    if (this.#local !== null) return this.#local.onShownRun?.(address, run) ?? false;
    this.#writer!.pushShownRun(address, sender, run);
    return true;
  }

  /** Whether addressed runs go there as a whole: what a thread of the user's does not take may come apart. */
  get takesAnswers(): boolean {
    return this.#overflow === null;
  }

  /** Sends an addressed run for whoever takes the addresses there; false, and nothing has happened, when each message is to go by itself. */
  deliverAnswers(inbox: T, run: MessageView): boolean {
    if (this.#local !== null) return this.#local.onAnswers(inbox, run);
    this.#writer!.pushAnswers(inbox, run);
    return true;
  }

  /** What is delivered from now on is no part of the image that the token names. */
  imageBegin(token: number): void {
    if (this.#local !== null) this.#local.images.onImageBegin(this.#self, token);
    else {
      // what is kept is older than the image
      this.#overflow?.settle();
      this.#writer!.pushImageMark(recordKind.imageBegin, token);
    }
  }

  /** Sends a message of an image, which shows its subject; false when there is no room: relief will be given when there is. */
  offerImage(token: number, message: MessageView): boolean {
    if (this.#local !== null) this.#local.images.onImage(token, message);
    else if (!this.#writer!.offerImage(token, message)) {
      this.#writer!.lane.wantRoom();
      return false;
    }
    return true;
  }

  /** Sends a message of an image that cannot wait. */
  pushImage(token: number, message: MessageView): void {
    if (this.#local !== null) this.#local.images.onImage(token, message);
    else this.#writer!.pushImage(token, message);
  }

  /** All that the gateway had room for has been sent. */
  imagePause(token: number): void {
    if (this.#local !== null) this.#local.images.onImagePause(token);
    else this.#writer!.pushImageMark(recordKind.imagePause, token);
  }

  imageEnd(token: number): void {
    if (this.#local !== null) this.#local.images.onImageEnd(this.#self, token);
    else this.#writer!.pushImageMark(recordKind.imageEnd, token);
  }
}

function unitsEachOf(topic: ExchangeTopic, { count, lengthBytes, withHeaders }: MessageView): number {
  return topic.unitsOf?.(Math.floor(lengthBytes / count), withHeaders) ?? 0;
}
