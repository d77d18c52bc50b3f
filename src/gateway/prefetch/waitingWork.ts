import { waitingWorkBytesMax, waitingWorkMessagesMax } from '../../base/limits.js';
import type { HeldMessage } from './heldMessage.js';

/** Messages of a queue group for which no member has had room, by topic, each in order. */
export class WaitingWork {
  readonly queue: string;
  count = 0;
  bytes = 0;
  readonly #byTopic = new Map<string, Line>();

  constructor(queue: string) {
    this.queue = queue;
  }

  /** Whether with another message more would wait than may before publishers have to. */
  isOverWith(message: HeldMessage): boolean {
    return this.count >= waitingWorkMessagesMax || this.bytes + message.heldBytes > waitingWorkBytesMax;
  }

  /** Whether so little waits that publishers may go on. */
  get halfDone(): boolean {
    return this.count <= waitingWorkMessagesMax / 2 && this.bytes <= waitingWorkBytesMax / 2;
  }

  /** Subjects of the topics that something waits of. */
  get subjects(): Iterable<string> {
    return this.#byTopic.keys();
  }

  has(subject: string): boolean {
    return this.#byTopic.has(subject);
  }

  push(message: HeldMessage): void {
    const subject = message.topic.text;
    let line = this.#byTopic.get(subject);
    if (line === undefined) {
      line = new Line();
      this.#byTopic.set(subject, line);
    }
    line.push(message);
    this.count++;
    this.bytes += message.heldBytes;
  }

  /** The first message of a topic; null when none waits. */
  first(subject: string): HeldMessage | null {
    return this.#byTopic.get(subject)?.first ?? null;
  }

  /** Takes the first message of a topic away; there must be one. */
  shift(subject: string): void {
    const line = this.#byTopic.get(subject) as Line;
    this.count--;
    this.bytes -= line.first.heldBytes;
    line.shift();
    if (line.empty) this.#byTopic.delete(subject);
  }
}

/** First in, first out; what has gone from the front is cut off when it is half of the array. */
class Line {
  #messages: HeldMessage[] = [];
  #head = 0;

  get empty(): boolean {
    return this.#head === this.#messages.length;
  }

  get first(): HeldMessage {
    return this.#messages[this.#head];
  }

  push(message: HeldMessage): void {
    this.#messages.push(message);
  }

  shift(): void {
    this.#head++;
    if (this.#head * 2 < this.#messages.length) return;
    this.#messages = this.#messages.slice(this.#head);
    this.#head = 0;
  }
}
