import {
  imageGraceMs,
  imageHoldMs,
  imagePatienceMs,
  imagesMax,
  imagesPerConnectionMax,
  imageWindowBytes,
  imageWindowMessages,
} from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import type { SlowPolicy } from '../base/policy.js';
import type { Exchange } from '../exchange/exchange.js';
import type { ImageRole } from '../exchange/roles.js';
import type { LocalSubscription } from './interestEntry.js';
import type { Router } from './router.js';
import type { Topic } from './topic.js';

/** An image that a subscription has asked for and not got whole yet. */
export class ImageWait {
  readonly token: number;
  /** Whether the subscription has just begun: what was sequenced before its image is no business of its. */
  readonly fresh: boolean;
  /** Shards whose part is not whole yet, and those whose part has not begun. */
  readonly owing: Set<number>;
  readonly unbegun: Set<number>;
  /** The shard that sends its part now: one after the other, so that no more than one of them may send is under way. */
  sending = -1;
  /** When it was first looked at, and since when its next window is held back, by the clock of `goOn`; -1 before. */
  beganMs = -1;
  heldSinceMs = -1;
  /** When it was last sent a little all the same. */
  forcedMs = -1;

  constructor(token: number, fresh: boolean, shards: number[]) {
    this.token = token;
    this.fresh = fresh;
    this.owing = new Set(shards);
    this.unbegun = new Set(shards);
  }

  /** Whether the subscription does not get a topic's messages yet: they are part of the image that is to come. */
  hides(topic: Topic): boolean {
    return this.fresh && topic.keepsLast && this.unbegun.has(topic.owner);
  }
}

/** A subscription that may ask for the last values of what it takes. */
export interface ImageSubscription extends LocalSubscription {
  image: ImageWait | null;
}

/** What may be sent of an image at a time: up to so many messages, none behind the one that reaches so many bytes. */
export interface ImageWindow {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * The window for a subscription for which so much waits: what its policy keeps beside that, but one message at least.
 *
 * @param bytesMax what else bounds it
 */
export function imageWindow(
  policy: SlowPolicy | null,
  waiting: { readonly count: number; readonly bytes: number } | null,
  bytesMax = imageWindowBytes,
): ImageWindow {
  if (policy === null) return { messages: imageWindowMessages, bytes: bytesMax };
  const messages = policy.maxMessages - (waiting?.count ?? 0);
  // the last message may go beyond that: with half of what is left one of ordinary length still fits
  const bytes = (policy.maxBytes - (waiting?.bytes ?? 0)) / 2;
  return {
    messages: Math.max(1, Math.min(imageWindowMessages, messages)),
    bytes: Math.max(1, Math.min(bytesMax, Math.floor(bytes))),
  };
}

/** For an image that gives way: `max_pending`, or its policy, decides what becomes of it. */
const wholeWindow = imageWindow(null, null);

export interface ImagesHost<S> {
  /** Whose subscription it is: each has a share of what may be under way. */
  ownerOf(subscription: S): object;
  /** What the subscription can be sent of its image now; null while it does not keep up. */
  roomOf(subscription: S): ImageWindow | null;
  /** The same for one that has not kept up for a while. */
  leastRoomOf(subscription: S): ImageWindow;
  /** Delivers a message of an image to the subscription, as a message of the subject is that it shows. */
  deliverImage(subscription: S, message: MessageView): void;
  /** A subscription's image is whole, or wanted no more: who found no room for one may ask again. */
  onImageDone(subscription: S): void;
}

/**
 * The images that subscriptions of a gateway ask for. A shard marks in its deliver lane where the image was taken: of
 * what lies before the mark a new subscription gets nothing of topics that keep their last message, since the image
 * contains it; all that lies behind it is live. The shard sends a topic's part of the image before any later message of
 * the topic. So nothing is lost and nothing comes twice. An image is sent in windows, each when the subscriber has taken
 * the one before: however large it is and however slowly it is read, little of it is in memory twice.
 */
export class Images<S extends ImageSubscription> implements ImageRole {
  readonly #router: Router;
  readonly #exchange: Exchange<Topic>;
  readonly #host: ImagesHost<S>;
  readonly #byToken = new Map<number, S>();
  /** Images under way, by the subscription's owner. */
  readonly #byOwner = new Map<object, number>();
  /** Subscriptions that are there already and wait for room, by owner: who is served goes to the end. */
  readonly #queued = new Map<object, Set<S>>();
  /** Subscriptions that may be sent more of their image when there is room for it. */
  readonly #held = new Set<S>();
  /** Whether somebody has found no room since an image last came to its end. */
  #crowded = false;
  /** The image that gives way to who waits for room: it is sent whether its subscriber takes it or not. */
  #yielding: ImageWait | null = null;
  #token = 0;

  constructor(router: Router, exchange: Exchange<Topic>, host: ImagesHost<S>) {
    this.#router = router;
    this.#exchange = exchange;
    this.#host = host;
  }

  /** Images that are not whole yet. */
  get size(): number {
    let queued = 0;
    for (const waiting of this.#queued.values()) queued += waiting.size;
    return this.#byToken.size + queued;
  }

  /** Whether one more image may be asked for; if not, there may be after the next `onImageDone`. */
  hasRoom(owner: object): boolean {
    // who has its share waits for itself: nobody gives way to it
    if ((this.#byOwner.get(owner) ?? 0) >= imagesPerConnectionMax) return false;
    if (this.#byToken.size >= imagesMax) this.#crowded = true;
    return this.#byToken.size < imagesMax;
  }

  /**
   * Asks for the image of a subscription that has just begun, whose interest has been announced and to which nothing was
   * delivered yet: it gets each topic's image first, and behind it what is sequenced later. Whoever serves strangers asks
   * `hasRoom` before it begins the subscription. Members of queue groups get no image.
   *
   * @returns whether there is one to come, for which `onImageDone` will be called
   */
  requestFirst(subscription: S): boolean {
    return this.#request(subscription, true);
  }

  /**
   * Asks for the image of a subscription that is there already: it comes, when there is room for it, in between its
   * messages, as the values are then, and may say again what the subscription had got before.
   *
   * @returns as `requestFirst`; false also while another image is to come
   */
  requestAgain(subscription: S): boolean {
    const owner = this.#host.ownerOf(subscription);
    const queued = this.#queued.get(owner);
    if (queued?.has(subscription) || !this.#isServed(subscription)) return false;
    if (queued !== undefined) queued.add(subscription);
    else this.#queued.set(owner, new Set([subscription]));
    this.#serveQueued();
    return true;
  }

  /** Whether any image waits for its next window. */
  get waiting(): boolean {
    return this.#held.size > 0;
  }

  /**
   * Has the next window of every image sent whose subscription has taken the one before, or has not for a while. While
   * somebody waits for room, the image that was held back longest gives way.
   *
   * @returns whether anything was asked of shards
   */
  goOn(nowMs: number): boolean {
    let asked = false;
    for (const subscription of this.#held) asked = this.#sendIfTaken(subscription, nowMs) || asked;
    this.#yielding ??= this.#longestHeld(nowMs);
    for (const subscription of this.#held) {
      const wait = subscription.image as ImageWait;
      if (wait !== this.#yielding && !this.#isOverdue(wait, nowMs)) continue;
      this.#sendHeld(subscription, wait, wait === this.#yielding ? wholeWindow : this.#host.leastRoomOf(subscription));
      asked = true;
    }
    return asked;
  }

  /** Has the next window sent if the subscription has taken the one before; if not, notes since when it has not. */
  #sendIfTaken(subscription: S, nowMs: number): boolean {
    const wait = subscription.image as ImageWait;
    if (wait.beganMs < 0) wait.beganMs = nowMs;
    const room = this.#host.roomOf(subscription);
    if (room === null) {
      if (wait.heldSinceMs < 0) wait.heldSinceMs = nowMs;
      return false;
    }
    wait.heldSinceMs = -1;
    this.#sendHeld(subscription, wait, room);
    return true;
  }

  #sendHeld(subscription: S, wait: ImageWait, room: ImageWindow): void {
    this.#held.delete(subscription);
    this.#send(wait, room);
  }

  /** The image held back longest by a subscriber that others wait for; null while all of them take theirs. */
  #longestHeld(nowMs: number): ImageWait | null {
    let longest: ImageWait | null = null;
    for (const subscription of this.#held) {
      const wait = subscription.image as ImageWait;
      if (!this.#othersWait(subscription)) continue;
      if (nowMs - wait.heldSinceMs < imageGraceMs && nowMs - wait.beganMs < imageHoldMs) continue;
      if (longest === null || wait.heldSinceMs < longest.heldSinceMs) longest = wait;
    }
    return longest;
  }

  #othersWait(subscription: S): boolean {
    return this.#crowded || this.#queued.size > (this.#queued.has(this.#host.ownerOf(subscription)) ? 1 : 0);
  }

  /** Whether an image was held back for so long that a little of it is sent all the same. */
  #isOverdue(wait: ImageWait, nowMs: number): boolean {
    if (nowMs - Math.max(wait.heldSinceMs, wait.forcedMs) < imagePatienceMs) return false;
    wait.forcedMs = nowMs;
    return true;
  }

  #isServed({ queue, image, subject }: S): boolean {
    return queue === '' && image === null && this.#router.imageShards(subject).length > 0;
  }

  #request(subscription: S, fresh: boolean): boolean {
    if (!this.#isServed(subscription)) return false;
    const shards = this.#router.imageShards(subscription.subject);
    const token = this.#nextToken();
    const wait = new ImageWait(token, fresh, shards);
    subscription.image = wait;
    this.#byToken.set(token, subscription);
    const owner = this.#host.ownerOf(subscription);
    this.#byOwner.set(owner, (this.#byOwner.get(owner) ?? 0) + 1);
    for (const shard of shards) this.#exchange.shards[shard].requestImage(token, subscription.subject);
    const room = this.#host.roomOf(subscription);
    if (room === null) this.#held.add(subscription);
    else this.#send(wait, room);
    return true;
  }

  #send(wait: ImageWait, { messages, bytes }: ImageWindow): void {
    for (const shard of wait.owing) {
      wait.sending = shard;
      this.#exchange.shards[shard].moreImage(wait.token, messages, bytes);
      return;
    }
  }

  /** The subscription has ended. */
  cancel(subscription: S): void {
    if (this.#unqueue(subscription)) this.#host.onImageDone(subscription);
    const wait = subscription.image;
    if (wait === null) return;
    for (const shard of wait.owing) this.#exchange.shards[shard].cancelImage(wait.token);
    this.#done(subscription, wait);
  }

  onImageBegin(shard: number, token: number): void {
    const subscription = this.#byToken.get(token);
    if (subscription === undefined) return;
    const wait = subscription.image as ImageWait;
    wait.unbegun.delete(shard);
    // plans that left the subscription out are out of date
    if (wait.fresh) this.#router.interest.touchLocal(subscription);
  }

  onImage(token: number, message: MessageView): void {
    const subscription = this.#byToken.get(token);
    if (subscription !== undefined) this.#host.deliverImage(subscription, message);
  }

  onImagePause(token: number): void {
    const subscription = this.#byToken.get(token);
    if (subscription !== undefined) this.#held.add(subscription);
  }

  onImageEnd(shard: number, token: number): void {
    const subscription = this.#byToken.get(token);
    if (subscription === undefined) return;
    const wait = subscription.image as ImageWait;
    wait.owing.delete(shard);
    if (wait.owing.size === 0) this.#done(subscription, wait);
    // a shard whose values were all replaced meanwhile is done before its turn comes
    else if (wait.sending === shard) this.#held.add(subscription);
  }

  #done(subscription: S, wait: ImageWait): void {
    const owner = this.#host.ownerOf(subscription);
    subscription.image = null;
    this.#byToken.delete(wait.token);
    this.#held.delete(subscription);
    this.#crowded = false;
    if (this.#yielding === wait) this.#yielding = null;
    const others = (this.#byOwner.get(owner) as number) - 1;
    if (others === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, others);
    this.#host.onImageDone(subscription);
    this.#serveQueued();
  }

  /** Asks for images that were queued, from all owners in turn; half of the room is left to subscriptions to come. */
  #serveQueued(): void {
    for (const [owner, waiting] of this.#queued) {
      if (this.#byToken.size >= imagesMax / 2) return;
      for (const subscription of waiting) {
        if (!this.hasRoom(owner)) break;
        this.#unqueue(subscription);
        this.#request(subscription, false);
      }
    }
  }

  #unqueue(subscription: S): boolean {
    const owner = this.#host.ownerOf(subscription);
    const waiting = this.#queued.get(owner);
    if (waiting === undefined || !waiting.delete(subscription)) return false;
    this.#queued.delete(owner);
    if (waiting.size > 0) this.#queued.set(owner, waiting);
    return true;
  }

  /** Numbers go round; one that is under way is not given out again. */
  #nextToken(): number {
    do this.#token = (this.#token + 1) & 0x7fffffff;
    while (this.#byToken.has(this.#token));
    return this.#token;
  }
}
