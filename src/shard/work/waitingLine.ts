import type { QueueInterest } from '../../router/queueInterest.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage } from '../../subscriber/heldMessages.js';

type Held = HeldMessage<Topic>;

/** Messages of one topic for which no member of one group has room, in order: first those that have been with a gateway already. */
export class WaitingLine {
  readonly queue: string;
  /** By what its group finds it. */
  readonly name: string;
  topic: Topic;
  /** The connection that must not get them, or 0, and the gateway that gave them back for that reason, or -1. */
  readonly exceptConnection: number;
  avoid = -1;
  /** The subjects by which the group's members take the topic, as far as the line has been seen by them. */
  readonly parts = new Set<QueueInterest>();
  readonly #returned = new List();
  readonly #fresh = new List();

  constructor(queue: string, name: string, topic: Topic, exceptConnection: number) {
    this.queue = queue;
    this.name = name;
    this.topic = topic;
    this.exceptConnection = exceptConnection;
  }

  get first(): Held | null {
    return this.#returned.first ?? this.#fresh.first;
  }

  /** @param returned whether a gateway has had it: it is older than all that have not been with any */
  push(held: Held, returned: boolean): void {
    if (returned) this.#returned.push(held);
    else this.#fresh.push(held);
  }

  /** Takes the first away; there must be one. */
  shift(): void {
    if (this.#returned.first !== null) this.#returned.shift();
    else this.#fresh.shift();
  }
}

/** First in, first out. */
class List {
  first: Held | null = null;
  #last: Held | null = null;

  push(held: Held): void {
    if (this.#last === null) this.first = held;
    else this.#last.next = held;
    this.#last = held;
  }

  shift(): void {
    const { next } = this.first as Held;
    (this.first as Held).next = null;
    this.first = next;
    if (next === null) this.#last = null;
  }
}
