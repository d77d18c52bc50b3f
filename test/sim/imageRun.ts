import { imagePatienceMs } from '../../src/base/limits.js';
import { createExchangeMemory } from '../../src/exchange/memory.js';
import type { Order } from '../../src/options/brokerOptions.js';
import type { ImageWindow } from '../../src/router/images.js';
import type { LastValueBounds } from '../../src/shard/lastValues.js';
import { ImageTaker, ImageThread } from './imageThread.js';
import { randomFrom } from './random.js';

export interface ImageRunOptions {
  threads: number;
  order: Order;
  seed: number;
  bounds: LastValueBounds;
}

/** A subscription that came while messages flew. */
export interface Came {
  thread: number;
  taker: ImageTaker;
  /** Whether it asked for an image as it came. */
  fresh: boolean;
  /** Whether it asked later, and then may have got a second image. */
  asked: boolean;
  /** The turn after which every thread must know of it; -1 before. */
  announcedTurn: number;
  gone: boolean;
}

export interface ImageRunResult {
  /** All that was accepted, by subject: the turn of each number. Numbers begin at 0 and rise in the order of acceptance. */
  accepted: Map<string, number[]>;
  came: Came[];
  /** What a subscriber got that was there before everything: the order of every topic. */
  witness: ImageTaker;
  evicted: number;
  turns: number;
  done: boolean;
}

const laneBytes = 4096;
const publishesMax = 400;
const turnsMax = 100_000;
/** What a turn takes of the time for which an image is held back. */
const turnMs = imagePatienceMs / 100;
/** Topics that keep their last message, and others that do not. */
export const keptTopics = Array.from({ length: 12 }, (_, i) => `all.kept.${i}`);
const otherTopics = Array.from({ length: 4 }, (_, i) => `all.other.${i}`);
const patterns = ['all.>', 'all.kept.*', 'all.*.3', keptTopics[0], keptTopics[5], otherTopics[0]];

/** Threads whose clients publish and subscribe, asking for images, over lanes that hold a message or two. */
export class ImageRun {
  readonly #random: (bound: number) => number;
  readonly #threads: ImageThread[] = [];
  readonly #parked: { subject: string; lengthBytes: number }[] = [];
  readonly #result: ImageRunResult;
  readonly #publisherOf = new Map<string, number>();
  #published = 0;

  constructor({ threads, order, seed, bounds }: ImageRunOptions) {
    this.#random = randomFrom(seed);
    const memory = createExchangeMemory(threads, laneBytes);
    const lastValue = ['all.kept.>'];
    const routing = { shards: threads, endpoints: threads, order, hashSeed: seed, lastValue };
    for (let self = 0; self < threads; self++)
      this.#threads.push(new ImageThread(memory, { self, ...routing }, bounds, () => this.#roomForImages()));
    // a topic has one publisher, so that its numbers are in order
    for (const subject of [...keptTopics, ...otherTopics]) this.#publisherOf.set(subject, this.#random(threads));
    const witness = new ImageTaker('all.>');
    this.#result = { accepted: new Map(), came: [], witness, evicted: 0, turns: 0, done: false };
  }

  run(): ImageRunResult {
    const result = this.#result;
    this.#threads[0].subscribe(result.witness, false);
    for (const thread of this.#threads) thread.exchange.publish();
    for (; result.turns < turnsMax && !result.done; result.turns++) {
      this.#turn(this.#random(this.#threads.length));
      result.done = this.#published >= publishesMax && this.#parked.every((parked) => !parked) && this.#quiet;
    }
    for (const { shard } of this.#threads) result.evicted += shard.lastValues.evicted;
    return result;
  }

  #roomForImages(): ImageWindow | null {
    const messages = this.#random(4);
    return messages === 0 ? null : { messages, bytes: 1 + this.#random(10_000) };
  }

  get #quiet(): boolean {
    return this.#threads.every(({ exchange, shard, images }) => exchange.quiet && shard.quiet && images.size === 0);
  }

  #turn(self: number): void {
    const { exchange, shard, router, images } = this.#threads[self];
    if (this.#random(3) !== 0) exchange.drainControl();
    if (this.#random(2) === 0) this.#publishSome(self);
    if (this.#random(10) === 0 && this.#published < publishesMax) this.#changeInterest(self);
    exchange.doWork();
    if (exchange.takeRelief()) this.#publishSome(self);
    shard.doWork();
    images.goOn(this.#result.turns * turnMs);
    if (this.#random(10) === 0) router.topics.sweepStep(() => {});
    exchange.publish();
    if (!exchange.controlClear) return;
    for (const came of this.#result.came)
      if (came.thread === self && came.announcedTurn < 0) came.announcedTurn = this.#result.turns;
  }

  #publishSome(self: number): void {
    const own = [...this.#publisherOf].flatMap(([subject, publisher]) => (publisher === self ? [subject] : []));
    if (own.length === 0) return;
    for (let burst = 1 + this.#random(8); burst > 0; burst--) {
      const sizes = [4, 4, 200, 1500, 5000, 20_000];
      const next = this.#parked[self] ?? {
        subject: own[this.#random(own.length)],
        lengthBytes: sizes[this.#random(sizes.length)],
      };
      if (this.#parked[self] === undefined && this.#published >= publishesMax) return;
      const numbers = this.#result.accepted.get(next.subject) ?? [];
      this.#threads[self].exchange.drainControl();
      if (!this.#threads[self].publish(next.subject, numbers.length, next.lengthBytes)) {
        this.#parked[self] = next;
        return;
      }
      delete this.#parked[self];
      this.#published++;
      numbers.push(this.#result.turns);
      this.#result.accepted.set(next.subject, numbers);
    }
  }

  #changeInterest(self: number): void {
    const thread = this.#threads[self];
    const { came } = this.#result;
    const own = came.filter((each) => each.thread === self && !each.gone);
    if (own.length > 0 && this.#random(3) === 0) {
      const leaving = own[this.#random(own.length)];
      leaving.gone = true;
      thread.unsubscribe(leaving.taker);
      return;
    }
    if (!thread.exchange.controlClear) return;
    if (own.length > 0 && this.#random(3) === 0) {
      // one that is there already asks, once more or for the first time
      const asking = own[this.#random(own.length)];
      asking.asked = true;
      thread.images.requestAgain(asking.taker);
      return;
    }
    const taker = new ImageTaker(patterns[this.#random(patterns.length)]);
    const fresh = thread.images.hasRoom(thread) && this.#random(4) !== 0;
    came.push({ thread: self, taker, fresh, asked: false, announcedTurn: -1, gone: false });
    thread.subscribe(taker, fresh);
  }
}
