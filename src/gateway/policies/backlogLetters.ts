import type { MessageView } from '../../base/messageView.js';
import type { PolicyName } from '../../base/policy.js';
import type { LetterLines } from '../../router/letterLines.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage, HeldMessages } from '../../subscriber/heldMessages.js';
import type { Subscription } from '../subscription.js';

type Held = HeldMessage<Topic>;

/** Dropped messages of this gateway that become dead letters. */
export type GatewayLetters = LetterLines<Subscription, Held>;

/**
 * The messages of a backlog whose subscription has named a subject for what is dropped: its deliveries are ready for the wire, from which
 * no message can be made again. Told of each step that the backlog takes. Dead letters stand for nothing: they do not become one again.
 */
export class BacklogLetters {
  readonly #subscription: Subscription;
  readonly #policy: PolicyName;
  readonly #held: HeldMessages<Topic>;
  readonly #lines: GatewayLetters;
  /** What waits, oldest first, by its key, or by its number where each is its own; null for what there is no letter of. */
  readonly #waiting = new Map<string | number, Held | null>();
  #last = 0;
  /** Of the message that is offered. */
  #topic: Topic | null = null;
  #message: MessageView | null = null;
  #index = 0;

  constructor(subscription: Subscription, policy: PolicyName, held: HeldMessages<Topic>, lines: GatewayLetters) {
    this.#subscription = subscription;
    this.#policy = policy;
    this.#held = held;
    this.#lines = lines;
  }

  /** Message `index` of a run is offered next. */
  offer(topic: Topic, message: MessageView, index: number): void {
    this.#topic = topic;
    this.#message = message;
    this.#index = index;
  }

  /** What is offered waits. */
  keep(): void {
    this.#waiting.set(++this.#last, this.#copy());
  }

  /** What is offered waits, in place of what waited under its key. */
  keepLatest(key: string): void {
    const before = this.#waiting.get(key) ?? null;
    if (before !== null) this.#held.release(before);
    this.#waiting.set(key, this.#copy());
  }

  /** What is offered is dropped. */
  drop(): void {
    if (this.#message?.dead !== false || !this.#hasRoom) return;
    const copy = this.#copy();
    if (copy !== null) this.#lines.add(this.#subscription, this.#policy, copy);
  }

  /** The oldest is dropped. */
  dropOldest(): void {
    const oldest = this.#takeOldest();
    if (oldest === null) return;
    if (this.#hasRoom) this.#lines.add(this.#subscription, this.#policy, oldest);
    else this.#held.release(oldest);
  }

  /** The oldest is delivered. */
  deliverOldest(): void {
    const oldest = this.#takeOldest();
    if (oldest !== null) this.#held.release(oldest);
  }

  clear(): void {
    for (const held of this.#waiting.values()) if (held !== null) this.#held.release(held);
    this.#waiting.clear();
  }

  get #hasRoom(): boolean {
    return this.#lines.hasRoom(this.#subscription, this.#held.exhausted);
  }

  #takeOldest(): Held | null {
    for (const [key, held] of this.#waiting) {
      this.#waiting.delete(key);
      return held;
    }
    return null;
  }

  #copy(): Held | null {
    if (this.#topic === null || this.#message === null || this.#message.dead || this.#held.exhausted) return null;
    const held = this.#held.keep(this.#topic, this.#message, this.#index);
    held.syncToken = 0;
    return held;
  }
}
