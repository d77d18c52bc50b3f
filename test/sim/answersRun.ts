import { addEndpoint, createExchangeMemory } from '../../src/exchange/memory.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import { randomFrom } from './random.js';
import { type SimOptions, SimThread } from './simThread.js';

const laneBytes = 4096;
const publishesEach = 120;
const turnsMax = 200_000;
/** Addresses of an inbox that come again and again; others are used once. */
const repeated = 3;

/** Somebody else who takes addresses. */
export interface Spy {
  gateway: number;
  subscription: LocalSubscription;
  /** The turn after which every thread knows of it; infinite while it has not been told. */
  announcedTurn: number;
}

/** A message as its publisher's thread accepted it; its id is `publisher.number`. */
export interface Answer {
  id: string;
  publisher: number;
  subject: string;
  turn: number;
}

export interface AnswersResult {
  accepted: Answer[];
  /** By gateway, in order of arrival: `subject id`, once for each message that came for plain subscriptions. */
  received: string[][];
  /** How often a member of a group got each: by `group subject id`. */
  taken: Map<string, number>;
  spies: Spy[];
  damaged: string[];
  /** Messages that went without a topic of their own. */
  answers: number;
  finished: boolean;
}

/** Threads that answer each other, with and without a shard, while others who take some of the same subjects come and stay. */
export class AnswersRun {
  readonly #random: (bound: number) => number;
  readonly #threads: SimThread[] = [];
  readonly #next: { number: number; subject: string; payload: Uint8Array | null }[] = [];
  readonly #result: AnswersResult;
  #turns = 0;

  constructor(options: SimOptions) {
    this.#random = randomFrom(options.seed);
    const endpoints = options.threads + options.clients;
    const memory = createExchangeMemory(options.threads, laneBytes, options.clients);
    for (let client = options.threads; client < endpoints; client++) addEndpoint(memory, client);
    this.#result = {
      accepted: [],
      received: Array.from({ length: endpoints }, () => []),
      taken: new Map(),
      spies: [],
      damaged: [],
      answers: 0,
      finished: false,
    };
    for (let self = 0; self < endpoints; self++) {
      this.#threads.push(new SimThread(memory, self, options, (...received) => this.#onReceived(...received)));
      this.#next.push({ number: 0, subject: '', payload: null });
    }
  }

  run(): AnswersResult {
    const result = this.#result;
    for (const [self, thread] of this.#threads.entries()) {
      const pattern = self % 2 === 0 ? `in.${self}.*` : `in.${self}.>`;
      thread.subscribe(subscriptionTo(pattern));
      thread.claim(pattern);
    }
    for (const thread of this.#threads) {
      thread.isPlanned = () => this.#random(3) === 0;
      thread.exchange.publish();
    }
    for (; this.#turns < turnsMax && !result.finished; this.#turns++) {
      this.#turn(this.#random(this.#threads.length));
      result.finished = this.#done;
    }
    for (const { answers } of this.#threads) result.answers += answers;
    return result;
  }

  get #done(): boolean {
    return (
      this.#next.every(({ number }) => number === publishesEach) &&
      this.#threads.every(({ exchange }) => exchange.quiet)
    );
  }

  #turn(self: number): void {
    const { exchange, router } = this.#threads[self];
    if (this.#random(2) === 0) {
      exchange.drainControl();
      this.#publishSome(self);
    }
    if (this.#random(120) === 0) this.#spy(self);
    exchange.doWork(1 + this.#random(200));
    exchange.takeRelief();
    if (this.#random(10) === 0) router.topics.sweepStep(() => {});
    exchange.publish();
    if (!exchange.controlClear) return;
    for (const spy of this.#result.spies)
      if (spy.gateway === self && spy.announcedTurn === Number.POSITIVE_INFINITY) spy.announcedTurn = this.#turns;
  }

  #publishSome(self: number): void {
    const next = this.#next[self];
    for (let burst = 1 + this.#random(12); burst > 0 && next.number < publishesEach; burst--) {
      const id = `${self}.${next.number}`;
      if (next.payload === null) {
        const home = this.#random(this.#threads.length);
        const token = this.#random(2) === 0 ? `x${this.#random(repeated)}` : `u${self}-${next.number}`;
        next.subject = `in.${home}.${token}`;
        next.payload = this.#payload(next.number);
      }
      if (!this.#threads[self].answer(next.subject, id, next.payload)) return;
      this.#result.accepted.push({ id, publisher: self, subject: next.subject, turn: this.#turns });
      next.number++;
      next.payload = null;
    }
  }

  /** Somebody who takes all, those of one inbox, one address, the same one of every inbox, or shares an inbox's in a group. */
  #spy(self: number): void {
    const inbox = this.#random(this.#threads.length);
    const [subject, queue] = [
      ['>', ''],
      [`in.${inbox}.*`, ''],
      [`in.${inbox}.x${this.#random(repeated)}`, ''],
      [`in.*.x${this.#random(repeated)}`, ''],
      [`in.${inbox}.>`, 'group'],
      [`in.${inbox}.x0`, 'group'],
    ][this.#random(6)];
    const subscription = subscriptionTo(subject, queue);
    if (this.#threads[self].subscribe(subscription))
      this.#result.spies.push({ gateway: self, subscription, announcedTurn: Number.POSITIVE_INFINITY });
  }

  #payload(number: number): Uint8Array {
    const sizes = [0, 1 + this.#random(100), this.#random(1500), this.#random(8000)];
    return new Uint8Array(sizes[this.#random(sizes.length)]).fill(97 + (number % 26));
  }

  #onReceived(gateway: number, subject: string, queue: string, _id: string, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString('latin1');
    const id = text.slice(0, text.indexOf(' '));
    const letter = String.fromCharCode(97 + (Number(id.split('.')[1]) % 26));
    if (text.slice(id.length + 1) !== letter.repeat(text.length - id.length - 1)) this.#result.damaged.push(id);
    if (queue === '') {
      this.#result.received[gateway].push(`${subject} ${id}`);
      return;
    }
    const key = `${queue} ${subject} ${id}`;
    this.#result.taken.set(key, (this.#result.taken.get(key) ?? 0) + 1);
  }
}

export function subscriptionTo(subject: string, queue = ''): LocalSubscription {
  return { subject, queue, lossy: false, index: 0, retired: false, heldBytes: 0 };
}
