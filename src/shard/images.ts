import { imageTurnBytes } from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import { Shown } from '../base/shown.js';
import type { GatewayProxy } from '../exchange/proxies.js';
import { isWildcardSubject, subjectMatches } from '../protocol/subject.js';
import type { Topic } from '../router/topic.js';
import type { LastValue, LastValues } from './lastValues.js';

/** An image under way to one subscription of a gateway. */
class ImageWalk {
  /** The last change that belongs to the image: what changed later reaches the subscription as live messages. */
  readonly endStamp: number;
  readonly gateway: number;
  readonly token: number;
  readonly pattern: string;
  readonly wildcard: boolean;
  /** The value to look at next: none before it is still to be sent. */
  next: LastValue | null;
  /** What may be sent before the gateway says that there is room for more. */
  messagesLeft = 0;
  bytesLeft = 0;
  ended = false;

  constructor(gateway: number, token: number, pattern: string, values: LastValues) {
    this.gateway = gateway;
    this.token = token;
    this.pattern = pattern;
    this.wildcard = isWildcardSubject(pattern);
    this.endStamp = values.stamp;
    this.next = this.wildcard ? values.oldest : values.find(pattern);
  }

  /** Whether a value, as it is now, belongs to the image and was not sent yet. */
  lacks(value: LastValue): boolean {
    if (this.ended || this.next === null) return false;
    if (value.stamp > this.endStamp || value.stamp < this.next.stamp) return false;
    return this.wildcard ? subjectMatches(this.pattern, value.subject) : value === this.next;
  }

  /** The value to look at next goes elsewhere in the list, or is done with. */
  skip(value: LastValue): void {
    if (this.next === value) this.next = this.wildcard ? value.newer : null;
  }

  /** Counts a message that was sent; returns whether it was the last that may be for now. */
  spend(lengthBytes: number): boolean {
    this.messagesLeft--;
    this.bytesLeft -= lengthBytes;
    if (this.bytesLeft <= 0) this.messagesLeft = 0;
    return this.messagesLeft === 0;
  }

  get complete(): boolean {
    return this.next === null || this.next.stamp > this.endStamp;
  }
}

/** What looking at a value that is not sent counts for, in bytes. */
const lookBytes = 16;

/**
 * Sends the images that gateways ask for: the values as they were when the request was taken. They lie in the order of
 * their changes, so a walk goes from the oldest to the newest that there was then; a value that is about to be replaced
 * or dropped is sent before that to every walk that has not come by yet. So a gateway gets a subject's image before any
 * later message of it, and everything later as a live message.
 */
export class Images {
  readonly #gateways: readonly GatewayProxy<Topic>[];
  readonly #values: LastValues;
  readonly #message = new MessageView();
  readonly #shown = new Shown();
  #walks: ImageWalk[] = [];
  /** Walks that found no room in the lane or have to wait for their gateway. */
  #blocked = 0;

  constructor(gateways: readonly GatewayProxy<Topic>[], values: LastValues) {
    this.#gateways = gateways;
    this.#values = values;
    this.#message.shown = this.#shown;
  }

  /** Whether any image is not whole yet. */
  get any(): boolean {
    return this.#walks.length !== 0;
  }

  /** Takes a request: what is sequenced from now on is no part of the image. */
  request(gateway: number, token: number, pattern: string): void {
    this.#walks.push(new ImageWalk(gateway, token, pattern, this.#values));
    this.#gateways[gateway].imageBegin(token);
  }

  /** The gateway has room for so much more of an image. */
  allow(gateway: number, token: number, messages: number, bytes: number): void {
    const walk = this.#walks.find((candidate) => candidate.gateway === gateway && candidate.token === token);
    if (walk === undefined) return;
    walk.messagesLeft = messages;
    walk.bytesLeft = bytes;
  }

  /** Nobody waits for the image any more. */
  cancel(gateway: number, token: number): void {
    this.#end((walk) => walk.gateway === gateway && walk.token === token);
  }

  /** The gateway is gone, with all that it had asked for. */
  leave(gateway: number): void {
    this.#end((walk) => walk.gateway === gateway);
  }

  /** Called before a value is replaced or dropped. */
  beforeChange(value: LastValue): void {
    const walks = this.#walks;
    for (let i = 0; i < walks.length; i++) {
      const walk = walks[i];
      if (walk.lacks(value)) {
        this.#gateways[walk.gateway].pushImage(walk.token, this.#view(value));
      }
      walk.skip(value);
    }
  }

  /** Sends a turn's worth of images, as far as lanes have room. Returns whether there is more that could be sent at once. */
  doWork(): boolean {
    if (this.#walks.length === 0) return false;
    this.#blocked = 0;
    let budget = imageTurnBytes;
    // a gateway of this thread may ask for another image, or end one, while it takes this one
    const walks = this.#walks;
    for (let i = 0; i < walks.length && budget > 0; i++) budget = this.#advance(walks[i], budget);
    this.#end((walk) => walk.ended);
    // the next turn begins with another
    if (this.#walks.length > 1) this.#walks.push(this.#walks.shift() as ImageWalk);
    return this.#walks.length > this.#blocked;
  }

  /** The message of a value, which shows its subject. */
  #view(value: LastValue): MessageView {
    value.view(this.#message);
    this.#shown.setText(value.subject, '');
    return this.#message;
  }

  /** Ends walks. The list is a new one then, since somebody may be going over the one there was. */
  #end(which: (walk: ImageWalk) => boolean): void {
    if (!this.#walks.some(which)) return;
    for (const walk of this.#walks) walk.ended ||= which(walk);
    this.#walks = this.#walks.filter((walk) => !walk.ended);
  }

  /** Goes on with a walk; returns what is left of the budget. */
  #advance(walk: ImageWalk, budget: number): number {
    const gateway = this.#gateways[walk.gateway];
    let left = budget;
    while (!walk.ended && left > 0) {
      if (walk.complete) {
        walk.ended = true;
        gateway.imageEnd(walk.token);
        return left;
      }
      if (walk.messagesLeft === 0) {
        this.#blocked++;
        return left;
      }
      const value = walk.next as LastValue;
      left -= lookBytes;
      if (walk.lacks(value)) {
        if (!gateway.offerImage(walk.token, this.#view(value))) {
          this.#blocked++;
          return left;
        }
        left -= value.lengthBytes;
        if (walk.spend(value.lengthBytes)) gateway.imagePause(walk.token);
      }
      walk.skip(value);
    }
    return left;
  }
}
