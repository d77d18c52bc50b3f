import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { addEndpoint, createExchangeMemory } from '../../src/exchange/memory.js';
import type { Order } from '../../src/options/brokerOptions.js';
import { noOwner } from '../../src/router/routes.js';
import { Voice } from '../../src/shard/voice.js';
import { randomFrom } from './random.js';
import { SimThread } from './simThread.js';

const laneBytes = 4096;
const turnsMax = 5_000_000;
/** How long a thread that is late does nothing, and how much time every turn of any thread takes. */
const lateTurns = 400;
const turnMs = 20;
const patterns = ['one.2', 'moved.*', 'also.>'];
const topics = ['moved.0', 'moved.1', 'also.a.b', 'also.c', 'one.1', 'one.2'];

export interface OwnersOptions {
  threads: number;
  clients: number;
  order: Order;
  seed: number;
  changes: number;
  publishesEach: number;
  /** Whether threads do nothing for a while now and then, for longer than a change waits. */
  late?: boolean;
}

/** What a run leaves for judgement. Messages are named `publisher.number`, what a shard says itself has a `v` before that. */
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
  /** What each shard says next. */
  readonly #sayings: { number: number; subject: string }[] = [];
  readonly #voices: Voice[] = [];
  readonly #message = new MessageView();
  /** By thread: up to which turn it is late. */
  readonly #lateUntil: number[] = [];
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
      this.#lateUntil.push(0);
      if (self >= threads) continue;
      const { router, exchange, shard } = this.#threads[self]!;
      this.#voices.push(new Voice(router, exchange, shard));
      this.#sayings.push({ number: 0, subject: this.#topic() });
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
      const self = this.#random(this.#threads.length);
      if (!this.#isLate(self, turns)) this.#turn(self);
      if (turns % 16 === 0) await null;
    }
    this.#result.done = this.#done;
    return this.#result;
  }

  /** Whether a thread is late; now and then another one begins to be. */
  #isLate(self: number, turns: number): boolean {
    if (!this.#options.late) return false;
    this.#threads[0]!.nowMs += turnMs;
    if (!this.#changesDone && this.#random(lateTurns * 2) === 0)
      this.#lateUntil[this.#random(this.#threads.length)] = turns + lateTurns;
    return turns < (this.#lateUntil[self] as number);
  }

  get #changesDone(): boolean {
    return this.#result.changed + this.#result.failed.length === this.#options.changes;
  }

  get #done(): boolean {
    const { publishesEach } = this.#options;
    return (
      this.#changesDone &&
      this.#sayings.every(({ number }) => number >= publishesEach) &&
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
    thread.router.work.nextTurn();
    if (self < this.#options.threads) this.#saySome(self);
    if (self === 0) {
      thread.ownerChanges.doWork();
      this.#change();
    }
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
      // of few patterns the same one has to change again at once, more often
      const pattern = patterns[this.#random(this.#options.late ? 2 : patterns.length)] as string;
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
    const { publishesEach } = this.#options;
    for (let burst = 1 + this.#random(12); burst > 0; burst--) {
      if (next.number >= publishesEach && this.#changesDone) return;
      if (!next.parked) next.subject = this.#topic();
      const id = `${self}.${next.number}`;
      const payload = new Uint8Array(this.#random(40) === 0 ? 3000 : this.#random(100));
      next.parked = !this.#threads[self].publish(next.subject, id, payload);
      if (next.parked) return;
      this.#result.accepted.push(`${next.subject} ${id}`);
      next.number++;
    }
  }

  /** A shard says something of its own accord; what it cannot say yet it says again, before anything else. */
  #saySome(self: number): void {
    const saying = this.#sayings[self]!;
    for (let burst = this.#random(4); burst > 0; burst--) {
      if (saying.number >= this.#options.publishesEach && this.#changesDone) return;
      const id = `v${self}.${saying.number}`;
      const bytes = latin1Bytes(`${id}\r\n`);
      this.#message.set(new Span(bytes), id.length, id.length);
      this.#message.setReply(0, id.length);
      const { subject } = saying;
      if (this.#voices[self]!.say(new Span(latin1Bytes(subject)), 0, subject.length, this.#message) !== 'said') return;
      this.#result.accepted.push(`${subject} ${id}`);
      saying.number++;
      saying.subject = this.#topic();
    }
  }

  #topic(): string {
    return topics[this.#random(topics.length)] as string;
  }

  #onReceived(gateway: number, subject: string, queue: string, id: string): void {
    const message = `${subject} ${id}`;
    if (queue === '') this.#result.received[gateway].push(message);
    else this.#result.taken.set(message, (this.#result.taken.get(message) ?? 0) + 1);
  }
}
