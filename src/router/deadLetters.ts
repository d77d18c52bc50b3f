import { latin1Bytes } from '../base/bytes.js';
import { fullness } from '../base/fullness.js';
import { MessageView } from '../base/messageView.js';
import { lineEndBytes } from '../base/ownMessage.js';
import { Span } from '../base/span.js';
import { type DeadLetterNotes, isInternal, writeDeadLetterBlock } from '../protocol/deadLetter.js';
import { errors, type ProtocolError, publishDenied } from '../protocol/errors.js';
import type { Rights } from './rights.js';
import type { Router } from './router.js';
import type { Topic } from './topic.js';

/** Who has named the subject where dead letters go, one character a byte: they are published with what that one may do. */
export interface LetterSender {
  readonly deadLetter: string;
  readonly account: number;
  readonly rights: Rights | null;
}

/** What became of a dead letter: it is published, or nobody takes it; it is to be tried again; it may not be published. */
export type Posted = 'gone' | 'waits' | 'denied';

/** What publishing dead letters needs of its thread. */
export interface PostOffice {
  /** Has it looked up who takes the topic; false when that takes longer. */
  ready(topic: Topic): boolean;
  /** Publishes; false when there is no room. */
  publish(topic: Topic, message: MessageView): boolean;
}

/** Publishes what nobody is to have, or to have again, to the subject that somebody has named for it. One a thread. */
export class DeadLetters {
  /** Published, and denied, since the start. */
  posted = 0;
  denied = 0;
  /** Where the last was to go that was denied. */
  deniedSubject = '';
  readonly #router: Router;
  readonly #office: PostOffice;
  readonly #view = new MessageView();

  constructor(router: Router, office: PostOffice) {
    this.#router = router;
    this.#office = office;
  }

  /** Why nobody's dead letters may go where the sender says; null when they may, for now. */
  whyNot(sender: LetterSender): ProtocolError | null {
    if (sender.deadLetter === '') return null;
    const topic = this.#topicOf(sender);
    if (!mayPost(topic, sender)) return publishDenied(topic.text);
    return topic.allowed ? null : errors.unknownTopic;
  }

  /**
   * Publishes one, unless it may not be: rights and subjects may have changed since they were asked for.
   *
   * @param shown the message, alone in its run and no dead letter
   */
  post(sender: LetterSender, shown: MessageView, notes: DeadLetterNotes): Posted {
    const topic = this.#topicOf(sender);
    if (!mayPost(topic, sender) || !topic.allowed) {
      this.denied++;
      this.deniedSubject = topic.text;
      return 'denied';
    }
    if (!this.#office.ready(topic)) return 'waits';
    if (!topic.goes) return 'gone';
    if (topic.fullness > fullness.dropping || this.#router.holds.isParked(topic)) return 'waits';
    if (!this.#office.publish(topic, this.#letter(shown, notes))) return 'waits';
    this.posted++;
    return 'gone';
  }

  #topicOf({ deadLetter, account }: LetterSender): Topic {
    const bytes = latin1Bytes(deadLetter);
    return this.#router.topics.obtain(new Span(bytes), 0, bytes.length, account);
  }

  #letter(shown: MessageView, notes: DeadLetterNotes): MessageView {
    const payloadStart = shown.payloadStart(0);
    const block = writeDeadLetterBlock(shown.bytes.subarray(shown.starts[0], payloadStart), notes);
    const bytes = Buffer.concat([block, shown.bytes.subarray(payloadStart, shown.ends[0] + lineEndBytes)]);
    this.#view.set(new Span(bytes), 0, bytes.length - lineEndBytes);
    this.#view.setHeaders(block.length);
    this.#view.dead = true;
    return this.#view;
  }
}

/** No rights let anybody speak to the broker by a dead letter. */
function mayPost(topic: Topic, { rights }: LetterSender): boolean {
  return topic.endpoint === null && !isInternal(topic.text) && rights?.mayPublish(topic) !== false;
}
