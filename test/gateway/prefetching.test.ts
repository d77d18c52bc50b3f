import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalQueue } from '../../src/gateway/fanoutPlan.js';
import { Prefetching } from '../../src/gateway/prefetch/prefetching.js';
import type { WaitingWork } from '../../src/gateway/prefetch/waitingWork.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, subscribed } from './connections.js';
import { headOf, messageOf } from './messages.js';

// Invariant 23 of docs/INVARIANTS.md.

const group = 'g';

/** One gateway's groups, and the plain truth beside them. */
class World {
  readonly under = new RouterUnderTest(0, 2);
  readonly members: Subscription[] = [];
  /** By member: what it has in hand, by delivery. */
  readonly hands = new Map<Subscription, Map<number, string>>();
  readonly givenBack: string[] = [];
  readonly had = new Set<string>();
  readonly waitingFor = new Set<WaitingWork>();
  readonly prefetching = new Prefetching(this.under.router, {
    membersOf: (topic) => {
      const queue = new LocalQueue(group);
      const taking = topic.entries.flatMap((entry) => entry.local) as Subscription[];
      for (const member of taking) queue.add(member, headOf(topic.text, '1'));
      return taking.length === 0 ? undefined : queue;
    },
    deliverTo: (_topic, { members }, index, message) => {
      const member = members[index]!;
      const text = textOf(message);
      expect(message.redelivered).toBe(this.had.has(text));
      this.had.add(text);
      if (member.hand !== null) this.hands.get(member)!.set(member.hand.delivery, text);
    },
    giveBack: (_topic, _queue, message) => {
      this.givenBack.push(textOf(message));
    },
    onTooMuch: (_, work) => {
      this.waitingFor.add(work);
      return true;
    },
    onEnoughTaken: (work) => this.waitingFor.delete(work),
  });
  sent = 0;
  acknowledged = 0;

  join(prefetch: number, subject: string): void {
    const member = subscribed(idleConnection(this.hands.size + 1), subject, '1', group);
    member.hand = this.prefetching.handFor(prefetch);
    this.members.push(member);
    this.hands.set(member, new Map());
    this.under.router.interest.addLocal(member);
    this.prefetching.joined(member);
  }

  leave(which: number): void {
    const [member] = this.members.splice(which % this.members.length, 1);
    if (member === undefined) return;
    this.hands.get(member)!.clear();
    this.under.router.interest.removeLocal(member);
    this.prefetching.ended(member);
  }

  message(subject: string): void {
    const topic = this.under.topic(subject);
    const queue = new LocalQueue(group);
    for (const member of topic.entries.flatMap((entry) => entry.local) as Subscription[])
      queue.add(member, headOf(subject, '1'));
    if (queue.members.length === 0) return;
    this.prefetching.take(topic, group, queue, messageOf(`${this.sent++}`), 0);
  }

  acknowledge(which: number, what: number): void {
    const member = this.members[which % Math.max(1, this.members.length)];
    if (member === undefined) return;
    const hand = this.hands.get(member)!;
    const delivery = [...hand.keys()][what % Math.max(1, hand.size)];
    expect(this.prefetching.acknowledge(member.connection, -1)).toBe(false);
    if (delivery === undefined) return;
    hand.delete(delivery);
    this.acknowledged++;
    expect(this.prefetching.acknowledge(member.connection, delivery)).toBe(true);
    expect(this.prefetching.acknowledge(member.connection, delivery)).toBe(false);
  }

  check(): void {
    let inHand = 0;
    for (const member of this.members) {
      const mine = this.hands.get(member)!;
      inHand += mine.size;
      expect(member.hand!.count).toBe(mine.size);
      expect(mine.size).toBeLessThanOrEqual(member.hand!.prefetch);
      expect(new Set(member.connection.unacknowledged?.keys() ?? [])).toEqual(new Set(mine.keys()));
    }
    const { waiting, heldBytes } = this.prefetching;
    expect(inHand + waiting + this.acknowledged + this.givenBack.length).toBe(this.sent);
    if (inHand + waiting === 0) expect(heldBytes).toBe(0);
    else expect(heldBytes).toBeGreaterThan(0);
    // something waits only while all who take it are full
    if (waiting > 0) expect(this.members.some((member) => member.full)).toBe(true);
    if (waiting > 0 && this.members.every(({ subject }) => subject === '>'))
      expect(this.members.every((member) => member.full)).toBe(true);
  }
}

function textOf(message: { bytes: Uint8Array; starts: Int32Array; ends: Int32Array }): string {
  return Buffer.from(message.bytes.subarray(message.starts[0], message.ends[0])).toString();
}

const subjects = ['a', 'a.b', 'b'];
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ message: fc.constantFrom(...subjects) }) },
    { weight: 5, arbitrary: fc.record({ acknowledge: fc.tuple(fc.nat(9), fc.nat(9)) }) },
    { weight: 1, arbitrary: fc.record({ join: fc.integer({ min: 1, max: 4 }), to: fc.constantFrom('a', 'a.*', '>') }) },
    { weight: 1, arbitrary: fc.record({ leave: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ turn: fc.constant(true) }) },
  ),
  { maxLength: 120 },
);

test('every message is in one hand, waits, was acknowledged or given back; hands hold no more than they may', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const world = new World();
      world.join(2, '>');
      for (const step of all) {
        if ('message' in step) world.message(step.message);
        else if ('acknowledge' in step) world.acknowledge(...step.acknowledge);
        else if ('join' in step) world.join(step.join, step.to);
        else if ('leave' in step) world.leave(step.leave);
        else world.prefetching.doWork();
        world.check();
      }
      while (world.members.length > 0) world.leave(0);
      world.check();
      expect([world.prefetching.waiting, world.prefetching.heldBytes]).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});

test('the others hear that no member has room, and that one has again', () => {
  const world = new World();
  world.join(1, 'a');
  world.message('a');
  world.message('a');
  world.acknowledge(0, 0);
  world.prefetching.doWork();
  world.acknowledge(0, 0);
  world.prefetching.doWork();
  expect(world.under.announced).toEqual([1, -1, 1].map((members) => ({ subject: 'a', queue: group, members })));
});

test('what waits goes to another gateway as soon as a member of it has room', () => {
  const world = new World();
  world.join(1, 'a');
  const { interest } = world.under.router;
  interest.setQueue('a', group, 1, -1);
  for (let i = 0; i < 20; i++) world.message('a');
  world.prefetching.doWork();
  expect([world.givenBack.length, world.prefetching.waiting]).toEqual([0, 19]);
  interest.setQueue('a', group, 1, 1);
  world.prefetching.doWork();
  expect([world.givenBack.length, world.prefetching.waiting]).toEqual([16, 3]);
  // and what comes now goes there at once
  world.message('a');
  expect(world.givenBack.length).toBe(17);
});

test('too much that waits holds publishers up until half of it is done', () => {
  const world = new World();
  world.join(1, 'a');
  for (let i = 0; i < 16_385; i++) world.message('a');
  expect(world.waitingFor.size).toBe(0);
  world.message('a');
  expect(world.waitingFor.size).toBe(1);
  let done = 0;
  for (; world.waitingFor.size > 0; done++) world.acknowledge(0, 0);
  expect(done).toBe(16_385 - 8_192);
  world.check();
});
