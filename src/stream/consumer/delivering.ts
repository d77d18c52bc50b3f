import type { RecordRun, RecordView } from '../../log/storage.js';
import type { Steps } from '../steps.js';
import type { Consumer } from './consumer.js';

/** A message as a consumer delivers it. Valid until the call that shows it returns. */
export interface Delivery {
  record: RecordView;
  /** How often it was delivered, with this time. */
  count: number;
  /** Of the consumer's deliveries. */
  sequence: number;
  /** What is left for the consumer behind it. */
  pending: number;
}

/** What becomes of a message that is offered: it is on its way, nobody takes it any more, or there is no room now. */
export type Offered = 'sent' | 'nobody' | 'no-room';

/** Who takes what a consumer delivers. */
export interface Taker {
  /** Whether there is somebody for the next message. */
  readonly isReady: boolean;
  /** What was offered may be on its way only when `flush` was called, in the same turn. */
  offer(delivery: Delivery): Offered;
  /**
   * The same of messages that follow each other and are delivered for the first time: the first ones of a run, `count` at most, as long as
   * their bytes are not more than so many.
   *
   * @param delivery the first one's sequence of the consumer's deliveries
   * @param pending what is left for the consumer behind the first one
   * @returns how many are on their way; 0 where each is to be offered by itself
   */
  offerRun(records: RecordRun, count: number, bytesMax: number, delivery: number, pending: number): number;
  flush(): void;
}

/** Why no more is delivered: there is nothing, too much is in flight, there is no room for one, or nobody takes any. */
export type Rest = 'empty' | 'stalled' | 'no-room' | 'no-taker';

const deliveriesAStep = 256;
/** Bytes of long messages that are as much of a step as another message: as a shift. */
const longShift = 12;

/** Reads what a consumer delivers next and offers it to whoever takes it, in steps. What becomes of it is the consumer's own account. */
export class Delivering {
  readonly #consumer: Consumer;
  readonly #delivery: Delivery = { record: null as never, count: 0, sequence: 0, pending: 0 };
  /** Deliveries that are left of a step. */
  #left = 0;

  constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  /** Delivers messages, those that are due again first, as long as somebody takes them. */
  *deliver(taker: Taker): Steps<Rest> {
    this.#left = deliveriesAStep;
    for (;;) {
      if (!taker.isReady) return 'no-taker';
      const again = this.#consumer.nextAgain();
      if (again === 0 && this.#consumer.isStalled) return 'stalled';
      if (this.#consumer.upcoming.mayHaveMore) yield* this.#consumer.upcoming.recount();
      const sequence = again || (yield* this.#consumer.upcoming.find());
      if (sequence === 0) return 'empty';
      const outcome = yield* again === 0 ? this.#deliverFrom(sequence, taker) : this.#deliverAgain(sequence, taker);
      if (outcome === 'no-room') return 'no-room';
      if (outcome === null) this.#consumer.pass(sequence, again !== 0);
      if (this.#left > 0) continue;
      this.#left = deliveriesAStep;
      yield;
    }
  }

  *#deliverAgain(sequence: number, taker: Taker): Steps<Offered | null> {
    let outcome: Offered | null = null;
    const show = (records: RecordRun | null): boolean => {
      const record = records === null ? null : records.view(0);
      // who was ready may have gone while it was read
      if (record !== null) outcome = taker.isReady ? this.#offer(taker, record, true) : 'nobody';
      this.#left -= record === null ? 1 : stepsOf(record);
      return false;
    };
    yield* this.#consumer.stream.readOn(sequence, sequence, show, () => taker.flush());
    return outcome;
  }

  /** Delivers messages that lie behind each other, up to a step of them. */
  *#deliverFrom(sequence: number, taker: Taker): Steps<Offered | null> {
    let outcome: Offered | null = null;
    let next = sequence;
    const show = (records: RecordRun | null): boolean => {
      // others may lie between, which are not its business
      if (records === null || records.first !== next) return false;
      outcome = this.#offerRun(taker, records);
      if (outcome !== 'sent' || !this.#goesOn(taker)) return false;
      next = this.#consumer.upcoming.found;
      return next > 0;
    };
    const end = Math.min(this.#consumer.upcoming.foundEnd, sequence + this.#left);
    yield* this.#consumer.stream.readOn(sequence, end, show, () => taker.flush());
    return outcome;
  }

  /** Offers messages that come next and are all there, one behind the other. */
  #offerRun(taker: Taker, records: RecordRun): Offered {
    const count = this.#consumer.upcoming.countFound(records.first, records.count);
    if (!this.#goesOn(taker)) return 'nobody';
    const room = Math.min(count, this.#left, this.#consumer.inFlightRoom);
    const { deliveries, upcoming } = this.#consumer;
    const sent = taker.offerRun(records, room, this.#left << longShift, deliveries + 1, upcoming.count - 1);
    if (sent > 0) {
      this.#consumer.sentRun(records.first, sent);
      this.#left -= sent + ((records.view(sent - 1).end - records.view(0).start) >> longShift);
      return 'sent';
    }
    let outcome: Offered = 'nobody';
    for (let i = 0; i < count && this.#goesOn(taker); i++) {
      const record = records.view(i);
      outcome = this.#offer(taker, record, false);
      this.#left -= stepsOf(record);
      if (outcome !== 'sent') break;
    }
    return outcome;
  }

  /** Whether the next message may be delivered as part of the same step. */
  #goesOn(taker: Taker): boolean {
    return this.#left > 0 && this.#consumer.again === 0 && !this.#consumer.isStalled && taker.isReady;
  }

  #offer(taker: Taker, record: RecordView, isAgain: boolean): Offered {
    const { sequence } = record;
    // it may have been acknowledged while it was read; what has gone from the stream is not read
    if (isAgain && !this.#consumer.isDueAgain(sequence)) return 'nobody';
    const delivery = this.#delivery;
    delivery.record = record;
    delivery.count = isAgain ? this.#consumer.countOf(sequence) : 1;
    delivery.sequence = this.#consumer.deliveries + 1;
    delivery.pending = this.#consumer.upcoming.count - (isAgain ? 0 : 1);
    const offered = taker.offer(delivery);
    if (offered === 'sent') this.#consumer.sent(sequence, isAgain, delivery.count);
    return offered;
  }
}

/** How much of a step a message is. */
function stepsOf({ start, end }: RecordView): number {
  return 1 + ((end - start) >> longShift);
}
