import { noOwner } from '../../src/router/routes.js';
import { randomFrom } from '../sim/random.js';
import { SimThread } from '../sim/simThread.js';
import { check, type Scenario, type Thread } from './scenario.js';
import { listOfShards, memoryOfShards } from './twoShards.js';

const changes = 3;
const publishesEach = 12;
const decider = 0;
/** Turns in which a thread that has everything still serves the other. */
const lastTurns = 20;
const planted = 'publishers go on while the owner changes';

/** One of two shards: publishes, and checks that what each of them published comes in its order and once. */
class Party {
  readonly thread: SimThread;
  readonly #self: number;
  readonly #random: (bound: number) => number;
  readonly #received = [0, 0];
  #published = 0;
  /** Whether the decider has said that there are no more changes. */
  #ended = false;
  #changing = false;
  #changed = 0;

  constructor(memory: SharedArrayBuffer[], self: number, seed: number, plant: string) {
    this.#self = self;
    this.#random = randomFrom(seed * 2 + self);
    const options = { threads: 2, clients: 0, order: 'topic', seed: 1 } as const;
    this.thread = new SimThread(memoryOfShards(memory), self, options, (_gateway, _subject, _queue, id) =>
      this.#take(id),
    );
    if (plant !== '') this.thread.router.holds.park = () => {};
    this.thread.subscribe({ subject: 'moved.*', queue: '', index: 0, lossy: false, retired: false, heldBytes: 0 });
    this.thread.exchange.publish();
  }

  get done(): boolean {
    return this.#ended && this.#received.every((count) => count === publishesEach) && !this.thread.exchange.congested;
  }

  async turn(): Promise<void> {
    const { exchange, handover } = this.thread;
    exchange.drainControl();
    if (this.#random(2) === 0) this.#publish();
    exchange.doWork();
    exchange.takeRelief();
    handover.doWork();
    if (this.#self === decider) this.#change();
    exchange.publish();
    // who asked for a change hears of it
    await null;
  }

  /** Not before the other is there to get it. */
  #publish(): void {
    const { interest } = this.thread.router;
    if (this.#published === publishesEach || interest.find('moved.*')?.gateways.length !== 2) return;
    if (this.thread.publish('moved.a', `${this.#self}.${this.#published}`, new Uint8Array(0))) this.#published++;
  }

  #change(): void {
    if (this.#changing) return;
    if (this.#changed < changes) {
      this.#changing = true;
      const owner = this.#changed === changes - 1 ? noOwner : this.#changed % 2;
      void this.thread.ownerChanges.change('moved.*', owner).then(() => {
        this.#changed++;
        this.#changing = false;
      });
    } else if (!this.#ended && this.#published === publishesEach)
      this.#changing = this.thread.publish('moved.a', 'end', new Uint8Array(0));
  }

  #take(id: string): void {
    if (id === 'end') {
      this.#ended = true;
      return;
    }
    const [publisher, number] = id.split('.').map(Number) as [number, number];
    check(number === this.#received[publisher], `${id} comes when ${this.#received[publisher]} is due`);
    this.#received[publisher]++;
  }
}

function party(self: number): Thread {
  return async (memory, seed, plant) => {
    const one = new Party(memory, self, seed, plant);
    while (!one.done) await one.turn();
    for (let i = 0; i < lastTurns; i++) await one.turn();
  };
}

/** Two shards publish to what both take while it gets one owner, the other, and none again. */
export const handover: Scenario = {
  planted: [planted],
  memory: listOfShards,
  threads: [party(0), party(1)],
};
