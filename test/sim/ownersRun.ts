import { addEndpoint, createExchangeMemory } from '../../src/exchange/memory.js';
import type { Order } from '../../src/options/brokerOptions.js';
import { noOwner } from '../../src/router/routes.js';
import { randomFrom } from './random.js';
import { SimThread } from './simThread.js';

const laneBytes = 4096;
const turnsMax = 5_000_000;
const patterns = ['moved.*', 'also.>', 'one.2'];
const topics = ['moved.0', 'moved.1', 'also.a.b', 'also.c', 'one.1', 'one.2'];

export interface OwnersOptions {
  threads: number;
  clients: number;
  order: Order;
  seed: number;
  changes: number;
  publishesEach: number;
}

/** What a run leaves for judgement. Messages are named `publisher.number`. */
export interface OwnersResult {
  /** By gateway, in order of arrival: `subject publisher.number`. */
  received: string[][];
  /** The same of a group that is never without members. */
  taken: Map<string, number>;
  accepted: string[];
  changed: number;
  failed: string[];
  done: boolean;
}

/** Patterns get other owners, one after the other, while everybody publishes to what they take and to what they do not. */
export class OwnersRun {
  readonly #options: OwnersOptions;
  readonly #random: (bound: number) => number;
  readonly #threads: SimThread[] = [];
  readonly #next: { number: number; parked: boolean; subject: string }[] = [];
  readonly #result: OwnersResult;
  /** Patterns that have an owner when what has been asked for is done. */
  readonly #owned = new Set<string>();
  #begun = 0;
  #changing = 0;

  constructor(options: OwnersOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
    const { threads, clients } = options;
    const endpoints = threads + clients;
    const memory = createExchangeMemory(threads, laneBytes, clients);
    for (let client = threads; client < endpoints; client++) addEndpoint(memory, client);
    const received = Array.from({ length: endpoints }, () => [] as string[]);
    this.#result = { received, taken: new Map(), accepted: [], changed: 0, failed: [], done: false };
    for (let self = 0; self < endpoints; self++) {
      this.#threads.push(
        new SimThread(memory, self, options, (gateway, subject, queue, id) =>
          this.#onReceived(gateway, subject, queue, id),
        ),
      );
      this.#next.push({ number: 0, parked: false, subject: '' });
    }
  }

  async run(): Promise<OwnersResult> {
    const plain = { index: 0, lossy: false, retired: false, heldBytes: 0 };
    for (const thread of this.#threads) {
      thread.subscribe({ subject: '>', queue: '', ...plain });
      thread.subscribe({ subject: '>', queue: 'workers', ...plain });
      thread.exchange.publish();
    }
    for (let turns = 0; turns < turnsMax && !this.#done; turns++) {
      this.#turn(this.#random(this.#threads.length));
      if (turns % 16 === 0) await null;
    }
    this.#result.done = this.#done;
    return this.#result;
  }

  get #done(): boolean {
    const { changes, publishesEach } = this.#options;
    return (
      this.#result.changed + this.#result.failed.length === changes &&
      this.#next.every(({ number }) => number >= publishesEach) &&
      this.#threads.every(({ exchange, handover }) => exchange.quiet && !handover.doWork())
    );
  }

  #turn(self: number): void {
    const thread = this.#threads[self];
    const { exchange } = thread;
    const next = this.#next[self];
    if (!next.parked && this.#random(2) === 0) {
      exchange.drainControl();
      this.#publishSome(self);
    }
    exchange.doWork(1 + this.#random(200));
    if ((exchange.takeRelief() || thread.released) && next.parked) {
      thread.released = false;
      this.#publishSome(self);
    }
    thread.handover.doWork();
    if (self === 0) this.#change();
    if (this.#random(10) === 0) thread.router.topics.sweepStep(() => {});
    exchange.publish();
  }

  /** Some owner, another, or none again. */
  #ownerFor(pattern: string): number {
    if (this.#owned.has(pattern) && this.#random(4) === 0) {
      this.#owned.delete(pattern);
      return noOwner;
    }
    this.#owned.add(pattern);
    return this.#random(this.#options.threads);
  }

  /** The decider's thread asks for a change or two, sometimes before the one before is made. */
  #change(): void {
    const { changes } = this.#options;
    while (this.#begun < changes && this.#changing < 2 && this.#random(3) > 0) {
      this.#begun++;
      this.#changing++;
      const pattern = patterns[this.#random(patterns.length)];
      this.#threads[0].ownerChanges
        .change(pattern, this.#ownerFor(pattern))
        .then(
          () => this.#result.changed++,
          (error: Error) => this.#result.failed.push(error.message),
        )
        .finally(() => this.#changing--);
    }
  }

  /** As many as it takes until all changes are made, and no fewer than asked for. */
  #publishSome(self: number): void {
    const next = this.#next[self];
    const { changes, publishesEach } = this.#options;
    for (let burst = 1 + this.#random(12); burst > 0; burst--) {
      if (next.number >= publishesEach && this.#result.changed + this.#result.failed.length === changes) return;
      if (!next.parked) next.subject = topics[this.#random(topics.length)];
      const id = `${self}.${next.number}`;
      const payload = new Uint8Array(this.#random(40) === 0 ? 3000 : this.#random(100));
      next.parked = !this.#threads[self].publish(next.subject, id, payload);
      if (next.parked) return;
      this.#result.accepted.push(`${next.subject} ${id}`);
      next.number++;
    }
  }

  #onReceived(gateway: number, subject: string, queue: string, id: string): void {
    const message = `${subject} ${id}`;
    if (queue === '') this.#result.received[gateway].push(message);
    else this.#result.taken.set(message, (this.#result.taken.get(message) ?? 0) + 1);
  }
}
