import { latin1Bytes } from '../../base/bytes.js';
import { fullness } from '../../base/fullness.js';
import { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { Span } from '../../base/span.js';
import { type DeadReason, writeDeadLetterBlock } from '../../protocol/deadLetter.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage, HeldMessages } from '../../subscriber/heldMessages.js';
import type { Subscription } from '../subscription.js';

/** Publishes; false when there is no room. */
export type PublishDead = (topic: Topic, message: MessageView) => boolean;

/** Publishes what nobody is to have again to the subject that the member has named who had it last, with what that member may do. */
export class DeadLetters {
  readonly #router: Router;
  readonly #held: HeldMessages<Topic>;
  readonly #publish: PublishDead;
  readonly #shown = new MessageView();
  readonly #view = new MessageView();

  constructor(router: Router, held: HeldMessages<Topic>, publish: PublishDead) {
    this.#router = router;
    this.#held = held;
    this.#publish = publish;
  }

  /** The topic of a subject that somebody names for dead letters. */
  topicOf(subject: string, account: number): Topic {
    const bytes = latin1Bytes(subject);
    return this.#router.topics.obtain(new Span(bytes), 0, bytes.length, account);
  }

  /** Publishes a message; false when it is to be tried again. What may not be published, and what nobody wants, is gone. */
  bury(
    { hand, queue, connection }: Subscription,
    held: HeldMessage<Topic>,
    reason: DeadReason,
    deliveries: number,
  ): boolean {
    const topic = this.topicOf(hand === null ? '' : hand.terms.deadLetter, connection.account);
    if (connection.rights?.mayPublish(topic) === false || !topic.allowed || topic.endpoint !== null) return true;
    if (!this.#router.ready(topic)) return false;
    if (!topic.goes) return true;
    if (topic.fullness > fullness.dropping || this.#router.holds.isParked(topic)) return false;
    return this.#publish(topic, this.#letter(held, reason, queue, deliveries));
  }

  #letter(held: HeldMessage<Topic>, reason: DeadReason, group: string, deliveries: number): MessageView {
    const shown = this.#shown;
    this.#held.show(held, shown);
    shown.work = false;
    const payloadStart = shown.payloadStart(0);
    const notes = { reason, subject: held.topic.text, group, deliveries };
    const block = writeDeadLetterBlock(shown.bytes.subarray(shown.starts[0], payloadStart), notes);
    const bytes = Buffer.concat([block, shown.bytes.subarray(payloadStart, shown.ends[0] + lineEndBytes)]);
    this.#view.set(new Span(bytes), 0, bytes.length - lineEndBytes);
    this.#view.setHeaders(block.length);
    this.#view.dead = true;
    return this.#view;
  }
}
