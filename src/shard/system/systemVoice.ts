import { systemAccount } from '../../base/account.js';
import { latin1Bytes } from '../../base/bytes.js';
import { layMessage } from '../../base/laidMessage.js';
import { systemAnswersMax, systemEventsMax, systemRefusalsMax, systemSaidMax } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import type { Role } from '../../base/role.js';
import { Span } from '../../base/span.js';
import type { Router } from '../../router/router.js';
import type { Voice } from '../voice.js';

/** Something to be said, whose text is made when it is said. */
interface Saying {
  readonly subject: Uint8Array;
  text(): Uint8Array;
}

/**
 * What a thread says in the system account: events, which nobody makes while nobody listens, and answers. Both are bounded; events that are too many
 * at a time are counted and gone.
 */
export class SystemVoice implements Role {
  /** Events for which there was no room. */
  lost = 0;
  readonly #router: Router;
  readonly #voice: Voice;
  readonly #requestTurn: () => void;
  readonly #events: Saying[] = [];
  readonly #answers: Saying[] = [];
  readonly #message = new MessageView();

  /** @param voice its own: what it says takes nothing of others' share of a turn */
  constructor(router: Router, voice: Voice, requestTurn: () => void) {
    this.#router = router;
    this.#voice = voice;
    this.#requestTurn = requestTurn;
  }

  /** Whether all is said: a stop waits for that. */
  get quiet(): boolean {
    return this.#events.length === 0 && this.#answers.length === 0;
  }

  /** Whether somebody listens to a subject. */
  isHeard(subject: string): boolean {
    const bytes = latin1Bytes(subject);
    const topic = this.#router.topics.obtain(new Span(bytes), 0, bytes.length, systemAccount);
    this.#router.freshen(topic);
    return topic.wanted;
  }

  /** Tells what has happened, if somebody listens. @param fields are made when it is told */
  tell(subject: string, fields: () => object): void {
    if (!this.isHeard(subject)) return;
    if (this.#events.length >= systemEventsMax) {
      this.lost++;
      return;
    }
    this.#add(this.#events, latin1Bytes(subject), () => Buffer.from(JSON.stringify(fields())));
  }

  /** Answers a request. */
  answer(reply: Uint8Array, text: Uint8Array): void {
    if (this.#answers.length < systemAnswersMax + systemRefusalsMax) this.#add(this.#answers, reply, () => text);
  }

  /** Answers a request that is not carried out. Of a flood of them not all are told. */
  refuse(reply: Uint8Array, text: Uint8Array): void {
    if (this.#answers.length < systemRefusalsMax) this.#add(this.#answers, reply, () => text);
  }

  /** Says some of it; the rest in the next turns. */
  doWork(): boolean {
    if (this.#events.length === 0 && this.#answers.length === 0) return false;
    for (let said = 0; said < systemSaidMax; said++) {
      const queue = this.#answers.length > 0 ? this.#answers : this.#events;
      const next = queue[0];
      if (next === undefined) break;
      if (!this.#say(next)) break;
      queue.shift();
    }
    return this.#events.length > 0 || this.#answers.length > 0;
  }

  /** @returns false when there is no room */
  #say({ subject, text }: Saying): boolean {
    layMessage(this.#message, [text()]);
    return this.#voice.say(new Span(subject), 0, subject.length, this.#message, systemAccount) !== 'no-room';
  }

  #add(queue: Saying[], subject: Uint8Array, text: () => Uint8Array): void {
    queue.push({ subject, text });
    this.#requestTurn();
  }
}
