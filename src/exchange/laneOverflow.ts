import { overflowBytesMax, overflowMessagesMax } from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import { OwnMessage, ownBytes } from '../base/ownMessage.js';
import { Span } from '../base/span.js';
import type { MessageWriter } from './messageWriter.js';
import type { AwayRole, ExchangeQueue, ExchangeTopic } from './roles.js';

/**
 * What finds no room in the deliver lane of a thread that is not the broker's own: its user may keep it from its event loop
 * for as long as they like, and nobody else must notice. Where all its subscriptions to a topic can do without some messages,
 * the latest is kept and those before it are counted as lost; else the topic's publishers wait (docs/decisions/0016).
 */
export class LaneOverflow<T extends ExchangeTopic> {
  readonly #writer: MessageWriter;
  readonly #endpoint: number;
  readonly #role: AwayRole<T>;
  /** By what they are the latest of, in the order in which the first of them found no room. */
  readonly #kept = new Map<string, Kept<T>>();
  #keptBytes = 0;
  /** Messages lost, by subscription subject, of which the endpoint has not been told. */
  readonly #lost = new Map<string, number>();
  /** Whether publishers wait. */
  #holding = false;
  readonly #view = new MessageView();

  constructor(writer: MessageWriter, endpoint: number, role: AwayRole<T>) {
    this.#writer = writer;
    this.#endpoint = endpoint;
    this.#role = role;
  }

  /** Whether the endpoint does not keep up: what it is given now has to wait. */
  get away(): boolean {
    return this.#kept.size > 0 || !this.#writer.lane.clear;
  }

  /** Whether nothing waits beside the lane. */
  get empty(): boolean {
    return this.#kept.size === 0 && this.#lost.size === 0;
  }

  deliver(topic: T, message: MessageView): void {
    const taken = this.#kept.size === 0 ? this.#writer.offer(topic, message) : 0;
    if (taken < message.count) this.#overflow(topic, message, taken);
  }

  deliverQueue(topic: T, queue: ExchangeQueue, message: MessageView, index: number): void {
    // whoever chose an endpoint that is away found no other; work is bounded by what its members may have in flight
    if (this.away && !message.work) this.#hold(topic);
    this.#writer.pushOne(topic, queue, message, index);
  }

  /** Has all that is kept go before whatever is written next. */
  settle(): void {
    for (const [name, kept] of this.#kept) {
      this.#writer.push(kept.topic, kept.show(this.#view));
      this.#remove(name, kept);
    }
  }

  /** Moves what is kept into the lane, as far as there is room, and has publishers go on when all is in it. */
  pump(): void {
    if (this.empty && !this.#holding) return;
    if (!this.#offerAll()) {
      this.#writer.lane.wantRoom();
      return;
    }
    this.#release();
  }

  /** The endpoint is gone. */
  abandon(): void {
    for (const [name, kept] of this.#kept) this.#remove(name, kept);
    this.#lost.clear();
    this.#release();
  }

  #overflow(topic: T, message: MessageView, from: number): void {
    // a synchronous publish is for everybody
    const subjects = message.syncToken !== 0 ? null : this.#role.lossySubjects(topic, this.#endpoint);
    if (subjects !== null) {
      this.#lose(subjects, message.count - from - 1);
      this.#keep(topic, message, subjects);
      return;
    }
    this.settle();
    this.#writer.push(topic, message, from);
    this.#hold(topic);
  }

  #hold(topic: T): void {
    this.#holding = true;
    this.#role.hold(topic, this.#endpoint);
  }

  #release(): void {
    if (!this.#holding) return;
    this.#holding = false;
    this.#role.release(this.#endpoint);
  }

  /** Keeps the last message of a run, in place of an earlier one that nobody needs any more. */
  #keep(topic: T, message: MessageView, subjects: readonly string[]): void {
    const index = message.count - 1;
    const name = this.#role.nameOf(topic, message, index);
    let kept = this.#kept.get(name);
    if (kept === undefined) {
      kept = new Kept(topic);
      this.#kept.set(name, kept);
    } else {
      this.#lose(kept.subjects, 1);
      this.#keptBytes -= kept.heldBytes;
    }
    kept.topic = topic;
    kept.subjects = subjects;
    kept.take(message, index);
    this.#keptBytes += kept.heldBytes;
    this.#bound();
  }

  /** Gives up what has waited longest; the latest message of all may always wait, however large it is. */
  #bound(): void {
    for (const [name, kept] of this.#kept) {
      if (this.#kept.size <= overflowMessagesMax && this.#keptBytes <= overflowBytesMax) return;
      if (this.#kept.size === 1) return;
      this.#lose(kept.subjects, 1);
      this.#remove(name, kept);
    }
  }

  #remove(name: string, kept: Kept<T>): void {
    this.#kept.delete(name);
    this.#keptBytes -= kept.heldBytes;
  }

  #lose(subjects: readonly string[], count: number): void {
    if (count === 0) return;
    for (const subject of subjects) this.#lost.set(subject, (this.#lost.get(subject) ?? 0) + count);
  }

  /** Writes losses, then what is kept; false when the lane has no room for all of it. */
  #offerAll(): boolean {
    if (!this.#writer.lane.clear) return false;
    for (const [subject, count] of this.#lost) {
      if (!this.#writer.offerLoss(subject, count)) return false;
      this.#lost.delete(subject);
    }
    for (const [name, kept] of this.#kept) {
      if (this.#writer.offer(kept.topic, kept.show(this.#view)) === 0) return false;
      this.#remove(name, kept);
    }
    return this.#writer.lane.clear;
  }
}

const noBytes = new Span(new Uint8Array(0));

/** One message in bytes of its own, which are used again for the next where it fits. */
class Kept<T> extends OwnMessage {
  topic: T;
  /** Subscription subjects of the endpoint that take it. */
  subjects: readonly string[] = [];
  #span = noBytes;

  constructor(topic: T) {
    super();
    this.topic = topic;
  }

  get heldBytes(): number {
    return this.#span.bytes.length;
  }

  take(message: MessageView, index: number): void {
    const needed = ownBytes(message, index);
    if (needed > this.heldBytes || needed * 2 < this.heldBytes) this.#span = new Span(new Uint8Array(needed));
    this.copy(message, index, this.#span, 0);
  }

  show(view: MessageView): MessageView {
    this.showAt(this.#span, 0, view);
    return view;
  }
}
