import type { AckTerms } from '../../base/ackTerms.js';
import { assert } from '../../base/assert.js';
import type { Due } from '../../base/dueList.js';
import { inFlightBytesMax } from '../../base/limits.js';
import type { DeadReason } from '../../protocol/deadLetter.js';
import type { DeliveryMark } from '../../protocol/deliveryHead.js';
import type { Topic } from '../../router/topic.js';
import type { HeldMessage, HeldMessages } from '../../subscriber/heldMessages.js';
import { InFlight } from '../../subscriber/inFlight.js';
import type { WorkEvent, WorkOutcome } from '../../subscriber/workState.js';
import type { Subscription } from '../subscription.js';

type Held = HeldMessage<Topic>;

const heldBytesOf = (held: Held): number => held.heldBytes;

/** When something is to be done about what is in flight: a delivery is held back until then, or, without a number, the member is to have given a sign. */
export class InFlightDue implements Due {
  dueTick = 0;
  readonly subscription: Subscription;
  readonly delivery: number;
  /** Of a delivery that becomes a dead letter: why, and how often it was handed out; it is tried until there is room. */
  reason: DeadReason | null = null;
  /** What its member said of it. */
  detail = '';
  deliveries = 0;

  constructor(subscription: Subscription, delivery: number) {
    this.subscription = subscription;
    this.delivery = delivery;
  }
}

/** What a subscription with `prefetch` has in flight, by the numbers of its deliveries, in copies that its thread keeps. */
export class WorkInFlight implements DeliveryMark {
  /** Of the delivery that is being written: see `DeliveryMark`. */
  delivery = 0;
  deliveries = 1;
  readonly sequence = 0;
  /** When its member is to have given a sign; null while it never had anything. */
  deadline: InFlightDue | null = null;
  /** Whether what is in it stays there when its member leaves the group and its connection does not: a NATS client that drains answers yet. */
  readonly outlives: boolean;
  #terms: AckTerms;
  readonly #memory: HeldMessages<Topic>;
  readonly #inFlight: InFlight<number, Held>;
  /** Deliveries that are held back. */
  readonly #pauses = new Map<number, InFlightDue>();

  constructor(prefetch: number, terms: AckTerms, memory: HeldMessages<Topic>, outlives = false) {
    this.outlives = outlives;
    this.#memory = memory;
    this.#terms = terms;
    this.#inFlight = new InFlight(prefetch, terms.ackWaitMs, heldBytesOf);
  }

  /** Most messages that may be in it. */
  get prefetch(): number {
    return this.#inFlight.prefetch;
  }

  set prefetch(prefetch: number) {
    this.#inFlight.prefetch = prefetch;
  }

  get terms(): AckTerms {
    return this.#terms;
  }

  set terms(terms: AckTerms) {
    this.#terms = terms;
    this.#inFlight.ackWaitMs = terms.ackWaitMs;
  }

  /** Whether a message that was handed out so often is handed out no more. */
  isLast(deliveries: number): boolean {
    return this.#terms.maxDeliver !== 0 && deliveries >= this.#terms.maxDeliver;
  }

  /** Memory that what is in it takes, in bytes. */
  get heldBytes(): number {
    return this.#inFlight.bytes;
  }

  get count(): number {
    return this.#inFlight.count;
  }

  /** How many messages it takes more now. */
  get room(): number {
    return this.#inFlight.room(0, this.#inFlight.bytes >= inFlightBytesMax || this.#memory.exhausted);
  }

  /** Numbers of its deliveries, first those that are worked on, oldest first. */
  get deliveryNumbers(): number[] {
    return this.#inFlight.keys;
  }

  /** The delivery that has been worked on for longest, and when it is to be given up. */
  get oldest(): number | undefined {
    return this.#inFlight.oldest;
  }

  get dueMs(): number {
    return this.#inFlight.dueMs;
  }

  /** Takes a message; its delivery is to be written next. */
  give(delivery: number, message: Held, nowMs: number): void {
    this.#inFlight.add(delivery, message, nowMs);
    this.#memory.inFlight++;
    this.delivery = delivery;
    this.deliveries = message.returns + 1;
  }

  /** Its client has said something. */
  sign(nowMs: number): void {
    this.#inFlight.sign(nowMs);
  }

  /** Something happens to a delivery; one that does not stay is to be taken. */
  on(delivery: number, event: WorkEvent, nowMs: number): WorkOutcome {
    return this.#inFlight.on(delivery, event, nowMs);
  }

  /** A message that is in it. */
  get(delivery: number): Held {
    const message = this.#inFlight.get(delivery);
    assert(message !== undefined, 'what is looked at is in flight');
    return message;
  }

  /** Takes a message away: the caller releases it, or gives it back. */
  take(delivery: number): Held {
    const message = this.#inFlight.take(delivery);
    assert(message !== undefined, 'a delivery that its connection knows is in flight');
    this.#memory.inFlight--;
    return message;
  }

  /** Takes everything away, oldest first: the caller releases it. */
  takeAll(): Held[] {
    const messages = this.#inFlight.takeAll();
    this.#memory.inFlight -= messages.length;
    return messages;
  }

  /** Until when a delivery is held back, as listed; made when it is held back for the first time. */
  pause(subscription: Subscription, delivery: number): InFlightDue {
    let pause = this.#pauses.get(delivery);
    if (pause === undefined) {
      pause = new InFlightDue(subscription, delivery);
      this.#pauses.set(delivery, pause);
      this.#memory.pausing++;
    }
    return pause;
  }

  /** A delivery is held back no longer; returns what was listed, undefined when it was not. */
  endPause(delivery: number): InFlightDue | undefined {
    if (this.#pauses.size === 0) return undefined;
    const pause = this.#pauses.get(delivery);
    if (this.#pauses.delete(delivery)) this.#memory.pausing--;
    return pause;
  }

  /** Of all that is listed for it nothing is left to be done. */
  endDues(): InFlightDue[] {
    const dues = [...this.#pauses.values()];
    this.#memory.pausing -= dues.length;
    this.#pauses.clear();
    if (this.deadline !== null) dues.push(this.deadline);
    this.deadline = null;
    return dues;
  }
}
