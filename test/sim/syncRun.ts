import { SyncPublishes } from '../../src/client/syncPublishes.js';
import { addEndpoint, createExchangeMemory, type ExchangeMemory, removeEndpoint } from '../../src/exchange/memory.js';
import type { Order } from '../../src/options/brokerOptions.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import { randomFrom } from './random.js';
import { SimThread } from './simThread.js';

const threads = 3;
const clients = 3;
const laneBytes = 4096;
const publishesEach = 40;
const turnsMax = 100_000;
const topics = Array.from({ length: 5 }, (_, i) => `all.${i}`);

export interface SyncResult {
  /** Synchronous publishes that were begun by clients that stayed, and of those, how many resolved. */
  begun: number;
  resolved: number;
  /** Deliveries that were not done when their publish resolved, or that came after it: there must be none. */
  early: string[];
  deliveries: number;
  /** Whether everything came to rest. */
  done: boolean;
}

/** A publish that its lane has not taken yet. */
interface Pending {
  subject: string;
  token: number;
  taken: (wanted: boolean) => void;
}

/** Clients publish synchronously to threads and clients that take their time, groups change, and one client goes. */
export class SyncRun {
  readonly #random: (bound: number) => number;
  readonly #memory: ExchangeMemory;
  readonly #threads: SimThread[] = [];
  readonly #syncs = new Map<number, SyncPublishes>();
  readonly #pending = new Map<number, Pending | null>();
  readonly #begun = new Map<number, number>();
  readonly #guests: { thread: number; subscription: LocalSubscription }[] = [];
  readonly #resolved = new Set<number>();
  readonly #result: SyncResult = { begun: 0, resolved: 0, early: [], deliveries: 0, done: false };
  readonly #leaver = threads + clients - 1;
  /** Threads that have not heard yet that the leaver has gone; null before it goes. */
  #unaware: Set<number> | null = null;

  constructor(order: Order, seed: number) {
    this.#random = randomFrom(seed);
    this.#memory = createExchangeMemory(threads, laneBytes, clients);
    for (let client = threads; client < threads + clients; client++) addEndpoint(this.#memory, client);
    for (let self = 0; self < threads + clients; self++) {
      const look = (): void => this.#threads[self].exchange.drainControl();
      const sync = self < threads ? null : new SyncPublishes(self, threads, self, look);
      const options = { threads, clients, order, seed };
      const onReceived = (): void => this.#onReceived(self);
      this.#threads.push(new SimThread(this.#memory, self, options, onReceived, sync));
      if (sync !== null) this.#syncs.set(self, sync);
    }
  }

  async run(): Promise<SyncResult> {
    for (const [self, thread] of this.#threads.entries()) {
      if (self % 2 === 0)
        thread.subscribe({ subject: 'all.*', queue: '', index: 0, lossy: false, retired: false, heldBytes: 0 });
      thread.exchange.publish();
    }
    for (let turns = 0; turns < turnsMax && !this.#done; turns++) {
      this.#turn(this.#random(this.#threads.length));
      // what has been settled is told
      await null;
    }
    this.#result.done = this.#done;
    return this.#result;
  }

  get #done(): boolean {
    const there = [...this.#threads.keys()].filter((self) => !this.#isGone(self));
    return (
      this.#unaware?.size === 0 &&
      this.#result.resolved === this.#result.begun &&
      there.every((self) => self < threads || this.#begun.get(self) === publishesEach) &&
      there.every((self) => this.#threads[self].holding.length === 0 && this.#threads[self].exchange.quiet)
    );
  }

  #isGone(self: number): boolean {
    return self === this.#leaver && this.#unaware !== null;
  }

  #turn(self: number): void {
    if (this.#isGone(self)) return;
    if (self === this.#leaver && this.#random(300) === 0) {
      this.#unaware = new Set([...this.#threads.keys()].filter((other) => other !== self));
      removeEndpoint(this.#memory, self);
      return;
    }
    this.#hearOfLeaver(self);
    const { exchange, router, holding } = this.#threads[self];
    exchange.drainControl();
    if (self >= threads) this.#publish(self);
    if (this.#random(8) === 0) this.#changeGroups(self);
    exchange.doWork();
    while (holding.length > 0 && this.#random(3) !== 0) {
      const [token] = holding.splice(this.#random(holding.length), 1) as [number];
      exchange.syncTaken(token);
    }
    exchange.takeRelief();
    if (this.#random(10) === 0) router.topics.sweepStep(() => {});
    exchange.publish();
  }

  /** As `src/broker/clientHub.ts` has it: first all shards, then the clients. */
  #hearOfLeaver(self: number): void {
    const unaware = this.#unaware;
    if (unaware === null || !unaware.has(self)) return;
    if (self >= threads && [...unaware].some((other) => other < threads)) return;
    const { exchange, router, shard } = this.#threads[self];
    if (self < threads) exchange.doWork();
    else exchange.drainControl();
    router.dropGateway(this.#leaver);
    shard.forgetGateway(this.#leaver);
    exchange.leave(this.#leaver);
    this.#syncs.get(self)?.leave(this.#leaver);
    exchange.publish();
    unaware.delete(self);
  }

  #publish(self: number): void {
    const pending = this.#pending.get(self) ?? null;
    if (pending === null) {
      const begun = this.#begun.get(self) ?? 0;
      if (begun < publishesEach && this.#random(2) === 0) this.#begin(self, begun);
      return;
    }
    const payload = new Uint8Array([0, 10, 2_000, 9_000][this.#random(4)]);
    if (!this.#threads[self].publish(pending.subject, 'x', payload, pending.token)) return;
    this.#pending.set(self, null);
    pending.taken(true);
  }

  #begin(self: number, begun: number): void {
    const subject = topics[this.#random(topics.length)];
    this.#begun.set(self, begun + 1);
    // the leaver's are not waited for
    const counts = self === this.#leaver ? 0 : 1;
    this.#result.begun += counts;
    let token = 0;
    const published = this.#syncs.get(self)!.publish(subject, undefined, (given) => {
      token = given;
      return new Promise((taken) => this.#pending.set(self, { subject, token, taken }));
    });
    published.then(() => {
      this.#result.resolved += counts;
      this.#resolved.add(token);
      for (const [thread, { holding }] of this.#threads.entries())
        if (!this.#isGone(thread) && holding.includes(token)) this.#result.early.push(`${token} is held by ${thread}`);
    });
  }

  #onReceived(self: number): void {
    this.#result.deliveries++;
    const token = this.#threads[self].holding.at(-1)!;
    if (this.#resolved.has(token) && !this.#isGone(self)) this.#result.early.push(`${token} came late to ${self}`);
  }

  #changeGroups(self: number): void {
    const thread = this.#threads[self];
    const own = this.#guests.filter((guest) => guest.thread === self);
    if (own.length > 0 && this.#random(2) === 0) {
      const guest = own[this.#random(own.length)];
      this.#guests.splice(this.#guests.indexOf(guest), 1);
      thread.drop(guest.subscription);
      return;
    }
    const subscription = {
      subject: topics[this.#random(topics.length)],
      queue: `g${this.#random(2)}`,
      index: 0,
      lossy: false,
      retired: false,
      heldBytes: 0,
    };
    if (thread.subscribe(subscription)) this.#guests.push({ thread: self, subscription });
  }
}
