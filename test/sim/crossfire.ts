import { addEndpoint, createExchangeMemory } from '../../src/exchange/memory.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import type { Orderly } from '../../src/router/settling.js';
import { randomFrom } from './random.js';
import { type SimOptions, SimThread } from './simThread.js';

const laneBytes = 4096;
const payloadBytesMax = 64 * 1024;
const publishesEach = 60;
/** Far more turns than any run takes: a run that needs them waits for something that never comes. */
const turnsMax = 200_000;
const topics = Array.from({ length: 8 }, (_, i) => `all.${i}`);
const group = 'workers';

/** A message as its publisher's thread accepted it. */
export interface Accepted {
  publisher: number;
  number: number;
  subject: string;
  /** The turn in which it was accepted. */
  turn: number;
}

/** A subscription that came while messages flew. */
export interface Guest {
  gateway: number;
  subscription: LocalSubscription;
  /** The turn after which every thread must know of it. */
  announcedTurn: number;
  /** The turn in which it asked to leave; infinite while it has not. What its own thread published before is its group's. */
  leftTurn: number;
  /** What its leaving waits for. */
  party: Orderly;
  gone: boolean;
}

/** What a run leaves for judgement. Messages are named `publisher.number`. */
export interface CrossfireResult {
  accepted: Map<string, Accepted>;
  /** By gateway, in order of arrival: `subject publisher.number`. */
  received: string[][];
  /** How often a member of the group got each message. */
  taken: Map<string, number>;
  guests: Guest[];
  /** Most bytes that were under way at any time: accepted, and not yet at every gateway. */
  underWayBytesMax: number;
  pending: number;
  turns: number;
  damaged: string[];
}

/** Four threads and more, some of them clients without a shard: everybody publishes to everybody as fast as the lanes take it, interest comes and goes. */
export class Crossfire {
  readonly #random: (bound: number) => number;
  readonly #threads: SimThread[] = [];
  readonly #next: { number: number; parked: boolean; subject: string; payload: Uint8Array | null }[] = [];
  readonly #result: CrossfireResult;
  #underWayBytes = 0;

  constructor(options: SimOptions) {
    this.#random = randomFrom(options.seed);
    const endpoints = options.threads + options.clients;
    const memory = createExchangeMemory(options.threads, laneBytes, options.clients);
    for (let client = options.threads; client < endpoints; client++) addEndpoint(memory, client);
    this.#result = {
      accepted: new Map(),
      received: Array.from({ length: endpoints }, () => []),
      taken: new Map(),
      guests: [],
      underWayBytesMax: 0,
      pending: 0,
      turns: 0,
      damaged: [],
    };
    for (let self = 0; self < endpoints; self++) {
      this.#threads.push(new SimThread(memory, self, options, (...received) => this.#onReceived(...received)));
      this.#next.push({ number: 0, parked: false, subject: '', payload: null });
    }
  }

  run(): CrossfireResult {
    const result = this.#result;
    for (const thread of this.#threads)
      thread.subscribe({ subject: 'all.*', queue: '', lossy: false, index: 0, retired: false, heldBytes: 0 });
    this.#threads[0].subscribe({
      subject: 'all.>',
      queue: group,
      lossy: false,
      index: 0,
      retired: false,
      heldBytes: 0,
    });
    for (const thread of this.#threads) thread.exchange.publish();
    for (; result.turns < turnsMax && !this.#done; result.turns++) this.#turn(this.#random(this.#threads.length));
    result.pending = this.#done ? 0 : result.accepted.size;
    return result;
  }

  get #done(): boolean {
    return (
      this.#next.every(({ number }) => number === publishesEach) &&
      this.#threads.every(({ exchange }) => exchange.quiet)
    );
  }

  /** A turn as a thread takes it: what sockets brought, what rings brought, who was parked, then all that was caused. */
  #turn(self: number): void {
    const { exchange, router } = this.#threads[self];
    const next = this.#next[self];
    if (!next.parked && this.#random(2) === 0) {
      exchange.drainControl();
      this.#publishSome(self);
    }
    if (this.#random(12) === 0) this.#changeInterest(self);
    for (const guest of this.#result.guests)
      if (guest.gateway === self && guest.leftTurn !== Number.POSITIVE_INFINITY && !guest.gone) this.#leave(guest);
    // a share of work that may not last for what there is
    exchange.doWork(1 + this.#random(200));
    if (exchange.takeRelief() && next.parked) this.#publishSome(self);
    if (this.#random(10) === 0) router.topics.sweepStep(() => {});
    exchange.publish();
    if (!exchange.controlClear) return;
    for (const guest of this.#result.guests)
      if (guest.gateway === self && guest.announcedTurn < 0) guest.announcedTurn = this.#result.turns;
  }

  #publishSome(self: number): void {
    const next = this.#next[self];
    for (let burst = 1 + this.#random(12); burst > 0 && next.number < publishesEach; burst--) {
      next.payload ??= this.#payload(self, next.number);
      if (!next.parked) next.subject = topics[this.#random(topics.length)];
      const id = `${self}.${next.number}`;
      // an own shard delivers before `publish` returns
      this.#underWayBytes += next.payload.length * this.#threads.length;
      next.parked = !this.#threads[self].publish(next.subject, id, next.payload);
      if (next.parked) {
        this.#underWayBytes -= next.payload.length * this.#threads.length;
        return;
      }
      this.#result.underWayBytesMax = Math.max(this.#result.underWayBytesMax, this.#underWayBytes);
      const { turns: turn } = this.#result;
      this.#result.accepted.set(id, { publisher: self, number: next.number, subject: next.subject, turn });
      next.number++;
      next.payload = null;
    }
  }

  /** Guests subscribe to what nobody else asks for by this subject, some as members of the group. */
  #changeInterest(self: number): void {
    const thread = this.#threads[self];
    const own = this.#result.guests.filter(
      (guest) => guest.gateway === self && guest.leftTurn === Number.POSITIVE_INFINITY,
    );
    if (own.length > 0 && this.#random(2) === 0) {
      const guest = own[this.#random(own.length)];
      guest.leftTurn = this.#result.turns;
      // as of a connection that has published
      guest.party.unsequenced = true;
      this.#leave(guest);
      return;
    }
    const subject = topics[this.#random(topics.length)];
    const subscription = {
      subject,
      queue: this.#random(2) === 0 ? group : `guests${this.#random(2)}`,
      lossy: false,
      retired: false,
      heldBytes: 0,
      index: 0,
    };
    if (thread.subscribe(subscription))
      this.#result.guests.push({
        gateway: self,
        subscription,
        announcedTurn: -1,
        leftTurn: Number.POSITIVE_INFINITY,
        party: { unsequenced: false, sequencedMarks: null, deliveriesAsked: 0, fenced: false },
        gone: false,
      });
  }

  #leave(guest: Guest): void {
    guest.gone = this.#threads[guest.gateway].unsubscribe(guest.subscription, guest.party);
  }

  #payload(self: number, number: number): Uint8Array {
    const sizes = [0, 1 + this.#random(100), this.#random(1500), this.#random(5000), this.#random(payloadBytesMax + 1)];
    return new Uint8Array(sizes[this.#random(sizes.length)]).fill(fillOf(self, number));
  }

  #onReceived(gateway: number, subject: string, queue: string, id: string, payload: Uint8Array): void {
    const [publisher, number] = id.split('.').map(Number);
    const expected = Buffer.alloc(payload.length, fillOf(publisher, number));
    if (!expected.equals(payload)) this.#result.damaged.push(id);
    if (queue === '') {
      this.#underWayBytes -= payload.length;
      this.#result.received[gateway].push(`${subject} ${id}`);
      return;
    }
    const key = `${queue} ${id}`;
    this.#result.taken.set(key, (this.#result.taken.get(key) ?? 0) + 1);
  }
}

function fillOf(publisher: number, number: number): number {
  return (publisher * 97 + number * 31 + 1) & 0xff;
}

/** What the lanes may hold together at any time, counted once for every gateway that has not got it yet. */
export function underWayBytesBound(threads: number): number {
  const pairs = threads * (threads - 1);
  const publishLane = laneBytes + payloadBytesMax;
  const runBytes = 16 * 1024;
  return pairs * threads * publishLane + pairs * (laneBytes + payloadBytesMax + runBytes);
}
