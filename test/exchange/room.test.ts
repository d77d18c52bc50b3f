import { expect, test } from 'vitest';
import { laneUnits, reachUnits } from '../../src/base/limits.js';
import { createExchangeMemory, type ExchangeMemory } from '../../src/exchange/memory.js';
import { Router } from '../../src/router/router.js';
import { SimThread } from '../sim/simThread.js';

// Invariant 51 of docs/INVARIANTS.md.

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

  /** Publishes on the shard's own thread until it has to wait; returns how many messages. */
  fill(nextSubject: () => string): number {
    let count = 0;
    while (this.shard.publish(nextSubject(), '', payload)) count++;
    this.shard.exchange.publish();
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
