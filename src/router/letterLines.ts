import { deadLetterBytesMax, deadLetterMessagesMax, workMovedPerTurn } from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import type { PolicyName } from '../base/policy.js';
import type { DeadLetters, LetterSender } from './deadLetters.js';

/** A subscription whose policy drops messages, for which it has named a subject. */
export interface LosingSubscription {
  readonly queue: string;
  /** Messages that its policy has dropped. */
  readonly dropped: number;
  /** As whom its letters are published. */
  readonly letters: LetterSender;
}

/** What is done with messages that are kept by themselves. */
export interface KeptMessages<M> {
  show(message: M, view: MessageView): void;
  bytesOf(message: M): number;
  /** What it was published to. */
  subjectOf(message: M): string;
  release(message: M): void;
}

interface Line<M> {
  readonly messages: M[];
  bytes: number;
  policy: PolicyName;
}

/**
 * Messages that policies have dropped and that become dead letters, a line for each subscription. A line is bounded: who loses more than
 * can be published loses that for good. One a thread.
 */
export class LetterLines<S extends LosingSubscription, M> {
  /** Messages for which there was no room, since the start. */
  lost = 0;
  readonly #letters: DeadLetters;
  readonly #kept: KeptMessages<M>;
  readonly #lines = new Map<S, Line<M>>();
  readonly #view = new MessageView();

  constructor(letters: DeadLetters, kept: KeptMessages<M>) {
    this.#letters = letters;
    this.#kept = kept;
  }

  /** Whether something waits. */
  get any(): boolean {
    return this.#lines.size > 0;
  }

  /** Whether another message of a subscription may wait; where none may, it is lost. */
  hasRoom(subscription: S, isShort: boolean): boolean {
    const line = this.#lines.get(subscription);
    const has =
      !isShort &&
      (line === undefined || (line.messages.length < deadLetterMessagesMax && line.bytes < deadLetterBytesMax));
    if (!has) this.lost++;
    return has;
  }

  /** Adds a message, for which there is room. */
  add(subscription: S, policy: PolicyName, message: M): void {
    let line = this.#lines.get(subscription);
    if (line === undefined) {
      line = { messages: [], bytes: 0, policy };
      this.#lines.set(subscription, line);
    }
    line.policy = policy;
    line.messages.push(message);
    line.bytes += this.#kept.bytesOf(message);
  }

  /** Publishes a turn's part of what waits, from all lines alike; returns whether more could be. */
  doWork(): boolean {
    let left = workMovedPerTurn;
    let visits = Math.min(this.#lines.size, workMovedPerTurn);
    const share = Math.ceil(left / Math.max(1, visits));
    for (const [subscription, line] of this.#lines) {
      if (left <= 0 || visits-- <= 0) break;
      left -= this.#post(subscription, line, Math.min(left, share));
      // who was visited stands behind the others
      this.#lines.delete(subscription);
      if (line.messages.length > 0) this.#lines.set(subscription, line);
    }
    return left < workMovedPerTurn && this.any;
  }

  /** Publishes the first of a line, as far as there is room; returns how many. */
  #post(subscription: S, line: Line<M>, most: number): number {
    const { messages, policy } = line;
    let moved = 0;
    for (; moved < most && moved < messages.length; moved++) {
      const message = messages[moved];
      this.#kept.show(message, this.#view);
      const { queue, dropped, letters } = subscription;
      const subject = this.#kept.subjectOf(message);
      const notes = { reason: policy, subject, group: queue, deliveries: 0, dropped };
      if (this.#letters.post(letters, this.#view, notes) === 'waits') break;
      line.bytes -= this.#kept.bytesOf(message);
      this.#kept.release(message);
    }
    messages.splice(0, moved);
    return moved;
  }

  /** Nobody is left to publish anything: what waits is lost. */
  clear(): void {
    for (const { messages } of this.#lines.values()) {
      this.lost += messages.length;
      for (const message of messages) this.#kept.release(message);
    }
    this.#lines.clear();
  }
}
