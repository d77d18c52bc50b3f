import { consumerInFlightMax } from '../../base/limits.js';
import { NumberList } from '../../base/numberList.js';
import { ApiError } from '../api/apiError.js';
import type { ConsumerConfig } from '../consumerConfig.js';
import { filtersOf, sameFilters } from '../consumerRules.js';
import type { Stream } from '../stream.js';
import type { Clock } from '../times.js';
import {
  addEntry,
  type ConsumerChange,
  type ConsumerState,
  type KeptDelivery,
  type Progress,
} from './consumerState.js';
import { type Delivered, InFlight, noDelivered } from './inFlight.js';
import { Redeliveries } from './redeliveries.js';
import { Touched } from './touched.js';
import { Upcoming } from './upcoming.js';

/** A pair of sequences: of the stream, and of the consumer's deliveries. */
export interface Floor {
  readonly sequence: number;
  readonly delivery: number;
}

/** Who hears what becomes of messages. */
export interface ConsumerEvents {
  /** A message needs nobody's attention any more: this consumer's part in it is done. */
  onSettled(sequence: number): void;
  /** It was delivered as often as it may be, in vain. */
  onGivenUp(sequence: number, deliveries: number): void;
  /** It is gone from the stream while it was in flight. */
  onLost(sequence: number, delivery: number, deliveries: number): void;
}

/** When a consumer was used, in microseconds since 1970; 0 when it was not. */
export interface Used {
  deliveredUs: number;
  acknowledgedUs: number;
}

/** Messages that were given up are remembered up to so many, as delivered more than once. */
const givenUpMax = 10_000;
const nanosecondsInMs = 1e6;
const microsecondsInMs = 1000;

/** Where changes are laid out; one for all consumers of a thread, which are noted one behind the other. */
const entries = new NumberList();
const givenUp = new NumberList();
const removed = new NumberList();

/** A consumer of a stream: what comes next, what is in flight, and what is acknowledged. */
export class Consumer {
  readonly name: string;
  readonly createdUs: number;
  readonly stream: Stream;
  readonly inFlight = new InFlight();
  readonly upcoming: Upcoming;
  readonly used: Used = { deliveredUs: 0, acknowledgedUs: 0 };
  /** How many were delivered, messages that came more than once as often. */
  deliveries = 0;
  /** Messages of which is to be noted what they are now; null where nothing is kept. */
  #touched: Touched | null = null;
  #config: ConsumerConfig;
  /** How many messages may be in flight, and for how long, by how often one was delivered. */
  #inFlightMax = 0;
  #waitsMs: readonly number[] = [];
  #ackFloor: Floor;
  /** Before this message it may have passed over what it takes by now. */
  #since: number;
  readonly #redeliveries = new Redeliveries();
  /** Messages whose first delivery did not take place. */
  readonly #uncounted = new Set<number>();
  readonly #givenUp = new Set<number>();
  readonly #nowMs: () => number;
  readonly #clock: Clock;
  readonly #events: ConsumerEvents;
  readonly #shown = noDelivered();
  /** Whether the stream is being purged: what is in flight of it is looked at behind that. */
  #isPurging = false;

  /**
   * @param next the first message that may be one of its own
   * @param lasts the last messages of subjects to begin with; null for none
   */
  constructor(
    config: ConsumerConfig,
    name: string,
    createdUs: number,
    stream: Stream,
    next: number,
    lasts: readonly number[] | null,
    nowMs: () => number,
    clock: Clock,
    events: ConsumerEvents,
  ) {
    this.#config = config;
    this.#configure(config);
    this.name = name;
    this.createdUs = createdUs;
    this.stream = stream;
    this.upcoming = new Upcoming(stream, filtersOf(config), next, lasts);
    this.#ackFloor = { sequence: next - 1, delivery: 0 };
    this.#since = next;
    this.#nowMs = nowMs;
    this.#clock = clock;
    this.#events = events;
  }

  get config(): ConsumerConfig {
    return this.#config;
  }

  /** All that was delivered, or passed over. */
  get delivered(): Floor {
    return { sequence: this.upcoming.next - 1, delivery: this.deliveries };
  }

  /** All up to there are done. */
  get ackFloor(): Floor {
    return this.#ackFloor;
  }

  /** Whether messages that are delivered are in flight until they are acknowledged. */
  get acks(): boolean {
    return this.#config.ack_policy !== 'none';
  }

  /** Messages that were delivered more than once and are not done. */
  get redelivered(): number {
    return this.#config.max_deliver === 1n ? 0 : this.inFlight.redelivered + this.#givenUp.size;
  }

  /** Messages that are to be delivered again. */
  get again(): number {
    return this.#redeliveries.size;
  }

  /** It becomes another one, which goes on where it is. */
  update(config: ConsumerConfig): void {
    const isSame = sameFilters(config, this.#config);
    const waitsLess = config.ack_wait < this.#config.ack_wait;
    this.#configure(config);
    if (!isSame) {
      this.upcoming.filterBy(filtersOf(config));
      this.#since = this.upcoming.next;
    }
    if (waitsLess) this.#shortenWaits();
  }

  #configure(config: ConsumerConfig): void {
    const { ack_policy, ack_wait, backoff, max_ack_pending } = config;
    this.#config = config;
    const waits = ack_policy === 'flow_control' ? [] : backoff.length > 0 ? backoff : [ack_wait];
    this.#waitsMs =
      waits.length > 0 ? waits.map((wait) => Number(wait) / nanosecondsInMs + 1) : [Number.POSITIVE_INFINITY];
    const max = max_ack_pending > 0n ? Number(max_ack_pending) : Number.POSITIVE_INFINITY;
    this.#inFlightMax = ack_policy === 'none' ? Number.POSITIVE_INFINITY : Math.min(max, consumerInFlightMax);
  }

  #shortenWaits(): void {
    const latest = this.#dueMs(1);
    for (const sequence of this.inFlight.sequences)
      if (this.inFlight.firstFrom(sequence, this.#shown) && this.#shown.dueMs > latest)
        this.inFlight.postpone(sequence, latest);
  }

  /** From now on it is known what changes: `takeChange`. */
  keepChanges(): void {
    this.#touched = new Touched();
  }

  /** All that is to be found again. */
  get state(): ConsumerState {
    const inFlight = new Map<number, KeptDelivery>();
    for (const sequence of this.inFlight.sequences) inFlight.set(sequence, this.#kept(sequence));
    const { config, name, createdUs } = this;
    const { lasts } = this.upcoming;
    return {
      config,
      name,
      createdUs,
      lasts,
      progress: this.#progress,
      inFlight,
      givenUp: new Set(this.#givenUp),
      since: this.#since,
    };
  }

  get #progress(): Progress {
    const { deliveredUs, acknowledgedUs } = this.used;
    const { next, lasts } = this.upcoming;
    const { deliveries, ackFloor } = this;
    const [nextLast = Number.POSITIVE_INFINITY] = lasts;
    return { next, deliveries, ackFloor, deliveredUs, acknowledgedUs, nextLast };
  }

  /** What has changed since the last time, or since `state` was asked for. */
  takeChange(): ConsumerChange {
    for (const list of [entries, givenUp, removed]) list.clear();
    const touched = this.#touched;
    if (touched !== null) {
      this.#laySet(touched);
      const offsetMs = this.#wallOffsetMs;
      if (touched.deliveredFrom < Number.POSITIVE_INFINITY)
        this.inFlight.forEach((each) => {
          addEntry(entries, each, this.#keptDueMs(each, offsetMs));
        }, touched.deliveredFrom);
      for (const sequence of touched.done.values)
        if (sequence < touched.deliveredFrom || !this.inFlight.has(sequence)) removed.add(sequence);
      touched.clear();
    }
    return { progress: this.#progress, entries: entries.values, givenUp: givenUp.values, removed: removed.values };
  }

  /** Lays out what became of messages beside that they were delivered for the first time, or are done. */
  #laySet({ others, deliveredFrom }: Touched): void {
    if (others.size === 0) return;
    const offsetMs = this.#wallOffsetMs;
    for (const sequence of others)
      if (!this.inFlight.has(sequence)) (this.#givenUp.has(sequence) ? givenUp : removed).add(sequence);
      else if (sequence < deliveredFrom) {
        const shown = this.#show(sequence);
        addEntry(entries, shown, this.#keptDueMs(shown, offsetMs));
      }
  }

  #kept(sequence: number): KeptDelivery {
    const shown = this.#show(sequence);
    return { ...shown, dueMs: this.#keptDueMs(shown, this.#wallOffsetMs) };
  }

  /** When a message in flight is due again, as it is kept. */
  #keptDueMs({ sequence, dueMs }: Delivered, offsetMs: number): number {
    return this.#redeliveries.has(sequence) ? 0 : dueMs + offsetMs;
  }

  /** What is to be added to its milliseconds so that they are those since 1970. */
  get #wallOffsetMs(): number {
    return this.#clock.nowUs() / microsecondsInMs - this.#nowMs();
  }

  /** Goes on where another one was, of which nothing else is left. */
  resume({ progress, inFlight, givenUp, since }: ConsumerState): void {
    this.#since = since;
    const kept = [...inFlight.values()].sort((one, other) => one.sequence - other.sequence);
    this.deliveries = progress.deliveries;
    this.#ackFloor = progress.ackFloor;
    this.used.deliveredUs = progress.deliveredUs;
    this.used.acknowledgedUs = progress.acknowledgedUs;
    const offsetMs = this.#wallOffsetMs;
    for (const { sequence, firstDelivery, lastDelivery, deliveries, dueMs } of kept)
      this.inFlight.add(sequence, firstDelivery, dueMs - offsetMs, deliveries, lastDelivery);
    for (const sequence of givenUp) this.#givenUp.add(sequence);
  }

  /** Whether new messages wait for acknowledgements. */
  get isStalled(): boolean {
    return this.inFlight.size >= this.#inFlightMax;
  }

  /** How many more may be in flight. */
  get inFlightRoom(): number {
    return this.#inFlightMax - this.inFlight.size;
  }

  /** Whether a message is to be delivered again. */
  isDueAgain(sequence: number): boolean {
    return this.#redeliveries.has(sequence);
  }

  /** The message that is due again first; 0 when none is. What was delivered often enough is given up. */
  nextAgain(): number {
    for (let sequence = this.#redeliveries.first; sequence !== 0; sequence = this.#redeliveries.first) {
      const deliveries = this.deliveriesOf(sequence);
      if (deliveries === 0) this.#redeliveries.remove(sequence);
      else if (this.#isSpent(sequence, deliveries)) this.#giveUp(sequence, deliveries);
      else return sequence;
    }
    return 0;
  }

  #isSpent(sequence: number, deliveries: number): boolean {
    const max = this.#config.max_deliver;
    return max > 0n && deliveries >= max && !this.#uncounted.has(sequence);
  }

  #giveUp(sequence: number, deliveries: number): void {
    this.#touched?.others.add(sequence);
    this.inFlight.remove(sequence);
    this.#redeliveries.remove(sequence);
    if (this.#givenUp.size >= givenUpMax)
      for (const oldest of this.#givenUp) {
        this.#givenUp.delete(oldest);
        break;
      }
    this.#givenUp.add(sequence);
    this.#events.onGivenUp(sequence, deliveries);
  }

  /** A message that was to be delivered is not there any more. */
  pass(sequence: number, isAgain: boolean): void {
    if (!isAgain) this.upcoming.skipTo(sequence + 1);
    else this.#lose(sequence);
  }

  /** How often a message that is due again will have been delivered, with the next time. */
  countOf(sequence: number): number {
    const { deliveries } = this.#show(sequence);
    return this.#uncounted.has(sequence) ? deliveries : deliveries + 1;
  }

  #show(sequence: number) {
    this.inFlight.firstFrom(sequence, this.#shown);
    return this.#shown;
  }

  /** A message is on its way, for the `count`th time. */
  sent(sequence: number, isAgain: boolean, count: number): void {
    const delivery = ++this.deliveries;
    this.used.deliveredUs = this.#clock.nowUs();
    if (isAgain) {
      this.#redeliveries.remove(sequence);
      const isCounted = !this.#uncounted.delete(sequence);
      this.inFlight.again(sequence, delivery, this.#dueMs(count), isCounted);
      this.#touched?.others.add(sequence);
      return;
    }
    this.upcoming.took(sequence);
    if (this.acks) {
      this.inFlight.add(sequence, delivery, this.#dueMs(1));
      this.#touched?.deliver(sequence);
      return;
    }
    this.#ackFloor = this.delivered;
    this.#events.onSettled(sequence);
  }

  /** So many messages that follow each other are on their way, for the first time. */
  sentRun(first: number, count: number): void {
    this.used.deliveredUs = this.#clock.nowUs();
    const before = this.deliveries;
    this.deliveries += count;
    this.upcoming.tookRun(first, count);
    if (this.acks) {
      this.inFlight.addRun(first, count, before + 1, this.#dueMs(1));
      this.#touched?.deliver(first);
      return;
    }
    this.#ackFloor = this.delivered;
    for (let i = 0; i < count; i++) this.#events.onSettled(first + i);
  }

  #dueMs(deliveries: number): number {
    const waits = this.#waitsMs;
    return this.#nowMs() + waits[Math.min(deliveries, waits.length) - 1];
  }

  /** Whether a message was ever delivered. */
  knows(sequence: number): boolean {
    return sequence < this.upcoming.next || this.inFlight.has(sequence);
  }

  /**
   * A message is acknowledged, or is not to be delivered any more.
   *
   * @param delivery that it was, as whoever acknowledges it says
   * @returns whether whoever wants to know is told
   */
  acknowledge(sequence: number, delivery: number): boolean {
    if (!this.acks || !this.knows(sequence)) return false;
    this.used.acknowledgedUs = this.#clock.nowUs();
    // one of the last messages of subjects, which lie behind where they are counted
    if (sequence >= this.upcoming.next) this.upcoming.passTo(sequence + 1);
    if (this.#config.ack_policy === 'explicit') this.#settle(sequence, delivery);
    else this.#settleUpTo(sequence, delivery);
    return true;
  }

  #settle(sequence: number, delivery: number): void {
    const firstDelivery = this.inFlight.remove(sequence);
    this.#forget(sequence);
    this.#moveFloor(sequence, firstDelivery || delivery);
    this.#events.onSettled(sequence);
  }

  #moveFloor(sequence: number, delivery: number): void {
    if (this.inFlight.size === 0) this.#ackFloor = this.delivered;
    else if (delivery === this.#ackFloor.delivery + 1) {
      const hasNext = this.inFlight.firstFrom(sequence + 1, this.#shown);
      const { sequence: next, firstDelivery } = this.#shown;
      this.#ackFloor = hasNext ? { sequence: next - 1, delivery: firstDelivery - 1 } : { sequence, delivery };
    }
  }

  #settleUpTo(sequence: number, delivery: number): void {
    if (delivery <= this.#ackFloor.delivery || sequence <= this.#ackFloor.sequence) return;
    // whoever acknowledges may say anything
    this.#ackFloor = { sequence, delivery: Math.min(delivery, this.deliveries) };
    this.inFlight.removeUpTo(sequence, (each) => {
      this.#forget(each);
      this.#events.onSettled(each);
    });
  }

  /** Neither is it delivered again, nor did it count as given up. */
  #forget(sequence: number): void {
    this.#touched?.done.add(sequence);
    // mostly there are none
    if (this.#redeliveries.size > 0) this.#redeliveries.remove(sequence);
    if (this.#uncounted.size > 0) this.#uncounted.delete(sequence);
    if (this.#givenUp.size > 0) this.#givenUp.delete(sequence);
  }

  /** For how long a message is in flight since it was delivered last, in milliseconds; 0 for one that is not. */
  sinceDelivery(sequence: number): number {
    if (!this.inFlight.has(sequence)) return 0;
    const { deliveries, dueMs } = this.#show(sequence);
    return Math.max(0, this.#dueMs(deliveries) - dueMs);
  }

  /** How often a message was delivered that is in flight; 0 for one that is not. */
  deliveriesOf(sequence: number): number {
    return this.inFlight.has(sequence) ? this.#show(sequence).deliveries : 0;
  }

  /**
   * A message is to be delivered again.
   *
   * @param delayMs after how long; null for at once
   * @returns whether it is in flight
   */
  refuse(sequence: number, delivery: number, delayMs: number | null): boolean {
    if (delivery <= this.#ackFloor.delivery || delivery > this.deliveries + 1) return false;
    if (!this.inFlight.has(sequence)) return false;
    this.#touched?.others.add(sequence);
    if (delayMs === null) this.#redeliveries.add(sequence);
    else {
      this.#redeliveries.remove(sequence);
      this.inFlight.postpone(sequence, this.#nowMs() + delayMs);
    }
    return true;
  }

  /** Somebody is at work on a message: its time begins anew. */
  prolong(sequence: number): void {
    if (!this.inFlight.has(sequence)) return;
    this.#touched?.others.add(sequence);
    this.inFlight.postpone(sequence, this.#dueMs(this.#show(sequence).deliveries));
  }

  /** A delivery did not take place: whoever was to have it had left. */
  takeBack(delivery: number): void {
    const sequence = this.inFlight.deliveredAs(delivery);
    if (sequence === 0) return;
    this.#touched?.others.add(sequence);
    if (!this.inFlight.uncount(sequence)) this.#uncounted.add(sequence);
    this.#redeliveries.add(sequence);
  }

  /** What is due is to be delivered again. @returns whether there was something */
  expire(nowMs: number): boolean {
    if (nowMs < this.inFlight.earliestMs) return false;
    const due = this.inFlight.due(nowMs);
    for (const sequence of due) {
      const { deliveries } = this.#show(sequence);
      if (this.#redeliveries.has(sequence)) this.inFlight.postpone(sequence, this.#dueMs(deliveries));
      else if (this.#isSpent(sequence, deliveries)) this.#giveUp(sequence, deliveries);
      else {
        this.#redeliveries.add(sequence);
        this.inFlight.postpone(sequence, this.#dueMs(deliveries));
      }
    }
    return due.length > 0;
  }

  /** All that is in flight is due at once: somebody else takes it. */
  redeliverAll(): void {
    for (const sequence of this.inFlight.sequences) this.#redeliveries.add(sequence);
  }

  /** A message is being removed from the stream. */
  onRemoved(sequence: number, subject: () => string): void {
    this.upcoming.onRemoved(sequence, () => this.upcoming.takes(subject()));
    this.#givenUp.delete(sequence);
    if (this.inFlight.size > 0 && !this.#isPurging && this.inFlight.has(sequence)) this.#lose(sequence);
  }

  #lose(sequence: number): void {
    const { firstDelivery, deliveries } = this.#show(sequence);
    if (!this.inFlight.has(sequence)) {
      this.#redeliveries.remove(sequence);
      return;
    }
    this.acknowledge(sequence, firstDelivery);
    this.#events.onLost(sequence, firstDelivery, deliveries);
  }

  /** Messages of the stream are about to be purged, or have been: what was in flight of them is done then. */
  set isPurging(isPurging: boolean) {
    this.#isPurging = isPurging;
  }

  /**
   * Messages of the stream were purged.
   *
   * @param next before which there is none any more
   */
  onPurged(next: number): void {
    this.upcoming.skipTo(next);
    let { delivery } = this.#ackFloor;
    for (const sequence of this.inFlight.sequences) {
      if (this.stream.has(sequence)) continue;
      delivery = Math.max(delivery, this.#show(sequence).firstDelivery);
      this.inFlight.remove(sequence);
      this.#forget(sequence);
    }
    if (this.inFlight.size === 0) this.#ackFloor = this.delivered;
    else {
      // what is in flight may be none of what it takes by now
      const below = Math.min(next, this.#show(0).sequence);
      if (this.#ackFloor.sequence < below) this.#ackFloor = { sequence: below - 1, delivery };
    }
  }

  /** Begins anew at a message. @throws ApiError where it may not begin there */
  reset(sequence: number): number {
    const next = sequence === 0 ? this.#ackFloor.sequence + 1 : sequence;
    if (sequence !== 0) this.#checkReset(sequence);
    this.#since = next;
    this.upcoming.moveTo(next, filtersOf(this.#config));
    this.inFlight.clear();
    this.#redeliveries.clear();
    this.#uncounted.clear();
    this.#givenUp.clear();
    this.deliveries = this.used.deliveredUs = this.used.acknowledgedUs = 0;
    this.#ackFloor = { sequence: next - 1, delivery: 0 };
    return next;
  }

  #checkReset(sequence: number): void {
    const { deliver_policy, opt_start_seq, opt_start_time } = this.#config;
    const refuse = (why: string) => new ApiError(400, 10204, `invalid reset: ${why}`);
    if (deliver_policy === 'all') return;
    if (deliver_policy === 'by_start_sequence') {
      if (sequence < opt_start_seq) throw refuse('below start seq');
      return;
    }
    if (deliver_policy !== 'by_start_time') throw refuse('not allowed');
    const first = this.stream.search.firstSince(opt_start_time?.timeUs ?? 0) || this.stream.lastSequence + 1;
    if (sequence < first) throw refuse('below start time');
  }

  /** Whether somebody is done with a message whose subject it takes, and it was not merely passed over. */
  isDoneWith(sequence: number): boolean {
    return sequence >= this.#since && !this.needs(sequence) && !this.#givenUp.has(sequence);
  }

  /** Whether it is not done with a message whose subject it takes. */
  needs(sequence: number): boolean {
    if (sequence >= this.upcoming.next) return true;
    if (this.#config.ack_policy === 'explicit') return this.inFlight.has(sequence);
    return sequence > this.#ackFloor.sequence;
  }
}
