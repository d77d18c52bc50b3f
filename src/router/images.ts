import { imagesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import type { Exchange } from '../exchange/exchange.js';
import type { ImageRole } from '../exchange/roles.js';
import type { LocalSubscription } from './interest.js';
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

export interface ImagesHost<S> {
  /** Delivers a message of an image to the subscription, as a message of that subject is. */
  deliverImage(subscription: S, subject: string, message: MessageView): void;
  /** A subscription's image is whole, or wanted no more: who found no room for one may ask again. */
  onImageDone(subscription: S): void;
}

/**
 * The images that subscriptions of a gateway ask for. A shard marks in its deliver lane where the image was taken: of
 * what lies before the mark a new subscription gets nothing of topics that keep their last message, since the image
 * contains it; all that lies behind it is live. The shard sends a topic's part of the image before any later message of
 * the topic. So nothing is lost and nothing comes twice.
 */
export class Images<S extends ImageSubscription> implements ImageRole {
  readonly #router: Router;
  readonly #exchange: Exchange<Topic>;
  readonly #host: ImagesHost<S>;
  readonly #byToken = new Map<number, S>();
  /** Subscriptions that are there already and wait for room. */
  readonly #queued = new Set<S>();
  #token = 0;

  constructor(router: Router, exchange: Exchange<Topic>, host: ImagesHost<S>) {
    this.#router = router;
    this.#exchange = exchange;
    this.#host = host;
  }

  /** Images that are not whole yet. */
  get size(): number {
    return this.#byToken.size + this.#queued.size;
  }

  /** Whether one more image may be asked for; if not, there may be after the next `onImageDone`. */
  get hasRoom(): boolean {
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
    if (this.#queued.has(subscription)) return false;
    if (this.hasRoom) return this.#request(subscription, false);
    if (!this.#isServed(subscription)) return false;
    this.#queued.add(subscription);
    return true;
  }

  #isServed({ queue, image, subject }: S): boolean {
    return queue === '' && image === null && this.#router.imageShards(subject).length > 0;
  }

  #request(subscription: S, fresh: boolean): boolean {
    if (!this.#isServed(subscription)) return false;
    const shards = this.#router.imageShards(subscription.subject);
    const token = this.#nextToken();
    subscription.image = new ImageWait(token, fresh, shards);
    this.#byToken.set(token, subscription);
    // a shard of this thread answers at once, and that may be all the subscription wants
    for (const shard of shards)
      if (this.#byToken.has(token)) this.#exchange.shards[shard].requestImage(token, subscription.subject);
    return true;
  }

  /** The subscription has ended. */
  cancel(subscription: S): void {
    if (this.#queued.delete(subscription)) this.#host.onImageDone(subscription);
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

  onImage(token: number, subject: string, message: MessageView): void {
    const subscription = this.#byToken.get(token);
    if (subscription !== undefined) this.#host.deliverImage(subscription, subject, message);
  }

  onImageEnd(shard: number, token: number): void {
    const subscription = this.#byToken.get(token);
    if (subscription === undefined) return;
    const wait = subscription.image as ImageWait;
    wait.owing.delete(shard);
    if (wait.owing.size === 0) this.#done(subscription, wait);
  }

  #done(subscription: S, wait: ImageWait): void {
    subscription.image = null;
    this.#byToken.delete(wait.token);
    this.#host.onImageDone(subscription);
    for (const next of this.#queued) {
      if (!this.hasRoom) return;
      this.#queued.delete(next);
      this.#request(next, false);
    }
  }

  /** Numbers go round; one that is under way is not given out again. */
  #nextToken(): number {
    do this.#token = (this.#token + 1) & 0x7fffffff;
    while (this.#byToken.has(this.#token));
    return this.#token;
  }
}
