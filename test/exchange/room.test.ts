import { expect, test } from 'vitest';
import { crowdDeliveriesMin, laneUnits, reachUnits } from '../../src/base/limits.js';
import { cost } from '../../src/base/work.js';
import { createExchangeMemory, type ExchangeMemory } from '../../src/exchange/memory.js';
import { Router } from '../../src/router/router.js';
import { SimThread } from '../sim/simThread.js';

// Invariants 25 and 51 of docs/INVARIANTS.md.

const options = { threads: 2, clients: 0, order: 'topic', seed: 1 } as const;
const payload = new Uint8Array(20);

/** A shard's thread, and a gateway's that has what the shard puts in order. */
class Two {
  readonly received: string[] = [];
  readonly shard: SimThread;
  readonly gateway: SimThread;
  #next = 0;

  constructor(memory: ExchangeMemory, pattern: string) {
    this.shard = new SimThread(memory, 0, options, () => {});
    this.gateway = new SimThread(memory, 1, options, (_gateway, _subject, _queue, id) => this.received.push(id));
    this.gateway.subscribe({ subject: pattern, queue: '', lossy: false, index: 0, retired: false, heldBytes: 0 });
    this.gateway.exchange.publish();
    this.shard.exchange.drainControl();
  }

  /** A subject of the shard's own that comes after those before it. */
  newSubject(): string {
    for (;;) {
      const subject = `t.${this.#next++}`;
      if (Router.ownerOf(Buffer.from(subject), options.threads) === 0) return subject;
    }
  }

  /** Publishes on the shard's own thread, or another one, until it has to wait; returns how many messages. */
  fill(nextSubject: () => string, thread = this.shard): number {
    let count = 0;
    while (thread.publish(nextSubject(), '', payload)) count++;
    thread.exchange.publish();
    return count;
  }

  /** A turn of the gateway's thread, and of the shard's. */
  turn(): boolean {
    const worked = this.gateway.exchange.doWork();
    this.gateway.exchange.publish();
    this.shard.exchange.publish();
    return worked;
  }

  /** Turns of the gateway until it has taken all that the shard has delivered. */
  turnsToEmpty(): number {
    let turns = 0;
    while (this.turn()) turns++;
    expect(this.shard.exchange.quiet).toBe(true);
    return turns;
  }
}

test('a lane whose messages cost its reader much holds no more than the reader does in some turns', () => {
  const two = new Two(createExchangeMemory(2, 256 * 1024), 't.>');
  // nobody knows what they cost yet
  const most = two.fill(() => two.newSubject());
  for (let i = 0; i < 30; i++) {
    two.turn();
    two.fill(() => two.newSubject());
  }
  // twice as much where the reader had just emptied it, and the turn in which there is nothing
  expect(two.turnsToEmpty()).toBeLessThanOrEqual(1 + 2 * Math.ceil(reachUnits / laneUnits));
  expect(two.received.length).toBeGreaterThan(most);
});

test('it holds as much as it can again once they cost little', () => {
  const two = new Two(createExchangeMemory(2, 256 * 1024), '>');
  let few = 0;
  for (let i = 0; i < 30; i++) {
    few = two.fill(() => two.newSubject());
    two.turn();
  }
  const subject = two.newSubject();
  for (let i = 0; i < 20; i++) {
    two.turnsToEmpty();
    two.fill(() => subject);
  }
  two.turnsToEmpty();
  const many = two.fill(() => subject);
  expect(many).toBeGreaterThan(4 * few);
  expect(many * payload.length).toBeGreaterThan(128 * 1024);
});

test('of a shard whose deliver lanes are always full who waits on its own thread and who waits in its lanes have the room in turn', () => {
  const two = new Two(createExchangeMemory(2, 4096), '>');
  const subject = two.newSubject();
  for (let i = 0; i < 400; i++) {
    // who is in the lane comes first in a turn
    while (two.gateway.publish(subject, 'lane', payload));
    two.gateway.exchange.doWork(40);
    two.gateway.exchange.publish();
    two.shard.exchange.doWork();
    if (two.shard.exchange.takeRelief() || i === 0) while (two.shard.publish(subject, 'own', payload));
    two.shard.exchange.publish();
  }
  const own = two.received.filter((id) => id === 'own').length;
  const lane = two.received.length - own;
  expect(Math.min(own, lane)).toBeGreaterThan(two.received.length / 5);
  expect(two.received.length).toBeGreaterThan(400);
});

/** One that has waited is tried again. */
function retry(thread: SimThread, who: object, publish: () => boolean): boolean {
  thread.exchange.beginRetry(who);
  const taken = publish();
  thread.exchange.endRetry();
  return taken;
}

// the one that floods is tried first in every turn: what is read, and those that are tried, come in any order
test.each([
  ['reads on', false],
  ['waits, too', true],
])(
  'who waits for a lane has it before another of its thread that fills it whenever it may, and %s',
  (_, floodWaits) => {
    const two = new Two(createExchangeMemory(2, 4096), '>');
    const subject = two.newSubject();
    const { gateway, shard } = two;
    const [flood, other] = [{}, {}];
    // longer than the lane is, so that it waits to leave and nothing goes meanwhile
    const long = new Uint8Array(6000);
    expect(gateway.publish(subject, 'flood', long)).toBe(true);
    expect(gateway.publish(subject, 'waits', payload)).toBe(false);
    let turns = 0;
    for (let waits = true; waits && turns < 100; turns++) {
      if (!floodWaits) gateway.publish(subject, 'flood', long);
      gateway.exchange.doWork();
      if (gateway.exchange.takeRelief()) {
        if (floodWaits) retry(gateway, flood, () => gateway.publish(subject, 'flood', long));
        waits = !retry(gateway, other, () => gateway.publish(subject, 'waits', payload));
      }
      gateway.exchange.publish();
      shard.exchange.doWork();
      shard.exchange.publish();
    }
    expect(turns).toBeLessThan(20);
  },
);

test('who waits for the shard of its own thread has it before another that fills it whenever it may', () => {
  const two = new Two(createExchangeMemory(2, 4096), '>');
  const subject = two.newSubject();
  const { gateway, shard } = two;
  const [flood, other] = [{}, {}];
  const long = new Uint8Array(6000);
  let turns = 0;
  for (let waits = true; waits && turns < 100; turns++) {
    shard.exchange.doWork();
    if (shard.exchange.takeRelief() || turns === 0) {
      retry(shard, flood, () => shard.publish(subject, 'flood', long));
      waits = !retry(shard, other, () => shard.publish(subject, 'waits', payload));
    }
    shard.exchange.publish();
    gateway.exchange.doWork();
    gateway.exchange.publish();
  }
  expect(turns).toBeLessThan(20);
});

test('whoever was turned away for another is tried again once that has had its room, or has gone', () => {
  const two = new Two(createExchangeMemory(2, 4096), '>');
  const subject = two.newSubject();
  const { gateway, shard } = two;
  const holder = {};
  const long = new Uint8Array(6000);
  gateway.publish(subject, 'long', long);
  retry(gateway, holder, () => gateway.publish(subject, 'waits', payload));
  for (let i = 0; i < 20; i++) {
    two.turn();
    shard.exchange.doWork();
  }
  while (gateway.exchange.takeRelief());
  expect(gateway.publish(subject, 'comes', payload)).toBe(false);
  // it has nothing to say any more
  retry(gateway, holder, () => true);
  expect(gateway.exchange.takeRelief()).toBe(true);
  expect(gateway.publish(subject, 'comes', payload)).toBe(true);
});

test('who waits in the lanes of a shard that always finds more on its own thread comes before that', () => {
  const two = new Two(createExchangeMemory(2, 4096), '>');
  const subject = two.newSubject();
  const { gateway, shard } = two;
  const long = new Uint8Array(6000);
  for (let i = 0; i < 100; i++) {
    if (i === 3) gateway.publish(subject, 'lane', payload);
    // whenever there is room, before the turn: so it is never told to wait
    if (shard.exchange.sequences) shard.publish(subject, 'own', long);
    shard.exchange.doWork();
    shard.exchange.takeRelief();
    shard.exchange.publish();
    gateway.exchange.doWork();
    gateway.exchange.publish();
  }
  expect(two.received.slice(0, 12)).toContain('lane');
  expect(two.received.length).toBeGreaterThan(10);
});

test('of lanes to a shard that has room for one message at a time each has it in turn', () => {
  const memory = createExchangeMemory(3, 4096);
  const three = { ...options, threads: 3 };
  const received: string[] = [];
  const shard = new SimThread(memory, 0, three, () => {});
  const others = [1, 2].map((self) => new SimThread(memory, self, three, (_g, _s, _q, id) => received.push(id)));
  others[0].subscribe({ subject: '>', queue: '', lossy: false, index: 0, retired: false, heldBytes: 0 });
  others[0].exchange.publish();
  let subject = 't';
  while (Router.ownerOf(Buffer.from(subject), 3) !== 0) subject += 't';
  for (const one of [shard, others[1]]) one.exchange.drainControl();
  const long = new Uint8Array(900);
  for (let i = 0; i < 400; i++) {
    others.forEach((one, k) => {
      while (one.publish(subject, `from ${k}`, k === 0 ? long : payload));
      // one message at a time, so that a lane that has had no room has some for one
      one.exchange.doWork(1);
      one.exchange.takeRelief();
      one.exchange.publish();
    });
    shard.exchange.doWork();
    shard.exchange.publish();
  }
  // its turn is always the same one: without a memory of who had nothing the first lane would have all from then on
  expect(received.length).toBeGreaterThan(200);
  expect(new Set(received.slice(-100)).size).toBe(2);
});

/** Subscriptions that are very many, and how many of their messages a thread takes in a turn. */
const crowd = 4 * crowdDeliveriesMin;
const messagesATurn = Math.ceil(laneUnits / (crowd * cost.crowdDelivery));

function subscribeCrowd(thread: SimThread, subject: string): void {
  for (let i = 0; i < crowd; i++)
    thread.subscribe({ subject, queue: '', lossy: false, index: 0, retired: false, heldBytes: 0 });
  thread.exchange.publish();
}

test('of messages that very many take elsewhere no more are put in order in a turn than their thread can take in one', () => {
  const two = new Two(createExchangeMemory(2, 256 * 1024), '>');
  const subject = two.newSubject();
  // they are on their way before anybody knows what they cost
  expect(two.fill(() => subject, two.gateway)).toBeGreaterThan(10 * messagesATurn);
  subscribeCrowd(two.gateway, subject);
  const { shard } = two.shard;
  for (let turn = 1; turn <= 5; turn++) {
    const before = shard.sequenced;
    two.shard.exchange.doWork();
    two.shard.exchange.publish();
    expect(shard.sequenced - before).toBeLessThanOrEqual(messagesATurn);
    expect(shard.sequenced).toBeGreaterThan(before);
    two.gateway.exchange.doWork();
    two.gateway.exchange.publish();
  }
});

test('a record of which some was taken counts by what was: the lane reaches no less far than its reader got', () => {
  const two = new Two(createExchangeMemory(2, 256 * 1024), '>');
  const [dear, cheap] = [two.newSubject(), two.newSubject()];
  for (let i = 0; i < 200; i++) expect(two.gateway.publish(dear, '', payload)).toBe(true);
  two.gateway.exchange.publish();
  subscribeCrowd(two.gateway, dear);
  two.shard.exchange.doWork();
  two.shard.exchange.publish();
  expect(two.shard.shard.sequenced).toBeLessThan(200);
  // looks how far it may be ahead
  two.gateway.exchange.publish();
  for (let i = 0; i < 30; i++) expect(two.gateway.publish(cheap, '', payload)).toBe(true);
});

test.each(['another thread', "the publisher's own"])(
  'who publishes what very many take on %s is no further ahead than that takes in a turn; what costs less has room',
  (whose) => {
    const two = new Two(createExchangeMemory(2, 256 * 1024), '>');
    const [dear, cheap] = [two.newSubject(), two.newSubject()];
    subscribeCrowd(whose === 'another thread' ? two.shard : two.gateway, dear);
    two.gateway.exchange.drainControl();
    expect(two.fill(() => dear, two.gateway)).toBeLessThanOrEqual(messagesATurn + 1);
    expect(two.gateway.publish(cheap, '', payload)).toBe(true);
    // and goes on when that has taken it
    two.shard.exchange.doWork();
    two.shard.exchange.publish();
    expect(two.gateway.exchange.takeRelief()).toBe(true);
    expect(two.gateway.publish(dear, '', payload)).toBe(true);
  },
);
