import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalQueue } from '../../src/gateway/fanoutPlan.js';
import { Prefetching } from '../../src/gateway/prefetch/prefetching.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { subjectMatches } from '../../src/protocol/subject.js';
import type { Topic } from '../../src/router/topic.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, subscribed } from './connections.js';
import { headOf, messageOf } from './messages.js';

// Invariant 23 of docs/INVARIANTS.md.

const group = 'g';

/** One gateway's members of a group, and the plain truth beside them. */
class World {
  readonly under = new RouterUnderTest(0, 2);
  readonly members: Subscription[] = [];
  /** By member: what it has in hand, by delivery. */
  readonly hands = new Map<Subscription, Map<number, string>>();
  readonly givenBack: string[] = [];
  readonly had = new Set<string>();
  readonly held = new HeldMessages<Topic>();
  readonly prefetching = new Prefetching(this.under.router, this.held, {
    deliverTo: (_topic, { members }, index, message) => {
      const member = members[index]!;
      const text = textOf(message);
      this.had.add(text);
      if (member.hand !== null) this.hands.get(member)!.set(member.hand.delivery, text);
    },
    giveBack: (_topic, _queue, message) => {
      expect([message.work, message.redelivered]).toEqual([true, this.had.has(textOf(message))]);
      this.givenBack.push(textOf(message));
    },
    onBusy: () => {},
  });
  sent = 0;
  acknowledged = 0;

  join(prefetch: number, subject: string): void {
    const member = subscribed(idleConnection(this.hands.size + 1), subject, '1', group);
    member.hand = this.prefetching.handFor(prefetch);
    this.members.push(member);
    this.hands.set(member, new Map());
    this.under.router.interest.addLocal(member);
  }

  leave(which: number): void {
    const [member] = this.members.splice(which % this.members.length, 1);
    if (member === undefined) return;
    const left = [...this.hands.get(member)!.values()];
    this.hands.get(member)!.clear();
    this.under.router.interest.removeLocal(member);
    const before = this.givenBack.length;
    this.prefetching.ended(member);
    expect(this.givenBack.slice(before)).toEqual(left);
  }

  change(which: number, prefetch: number): void {
    const member = this.members[which % Math.max(1, this.members.length)];
    if (member !== undefined) this.prefetching.change(member, prefetch);
  }

  /** A message comes: a member with room takes it, and only when there is none it is given back. */
  message(subject: string): void {
    const topic = this.under.topic(subject);
    const queue = new LocalQueue(group);
    for (const member of topic.entries.flatMap((entry) => entry.local) as Subscription[])
      queue.add(member, headOf(subject, '1'));
    if (queue.members.length === 0) return;
    const room = queue.members.some((member) => member.workRoom! > 0);
    const taken = this.prefetching.take(topic, group, queue, messageOf(`${this.sent++}`), 0);
    expect(taken).toBe(room);
    // who sent it knows now
    if (!taken) expect(this.told(subject).every((told) => told === 0)).toBe(true);
  }

  /** What the shards were told last of the members that take a subject. */
  told(subject: string): number[] {
    const last = new Map<string, number>();
    for (const each of this.under.announced)
      if ('room' in each && subjectMatches(each.subject, subject)) last.set(each.subject, each.room);
    return [...last.values()];
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
      expect(new Set(member.connection.handedOut.deliveries)).toEqual(new Set(mine.keys()));
    }
    expect(inHand + this.acknowledged + this.givenBack.length).toBe(this.sent);
    expect([this.held.count, this.held.heldBytes > 0]).toEqual([inHand, inHand > 0]);
  }
}

function textOf(message: { bytes: Uint8Array; starts: Int32Array; ends: Int32Array }): string {
  return Buffer.from(message.bytes.subarray(message.starts[0], message.ends[0])).toString();
}

const subjects = ['a', 'a.b', 'b'];
const prefetch = fc.integer({ min: 1, max: 4 });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ message: fc.constantFrom(...subjects) }) },
    { weight: 5, arbitrary: fc.record({ acknowledge: fc.tuple(fc.nat(9), fc.nat(9)) }) },
    { weight: 1, arbitrary: fc.record({ join: prefetch, to: fc.constantFrom('a', 'a.*', '>') }) },
    { weight: 1, arbitrary: fc.record({ leave: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ change: fc.tuple(fc.nat(9), prefetch) }) },
    { weight: 2, arbitrary: fc.record({ turn: fc.constant(true) }) },
  ),
  { maxLength: 120 },
);

test('every message is in one hand, was acknowledged or given back; who has room takes what comes, and is known to', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const world = new World();
      world.join(2, '>');
      for (const step of all) {
        if ('message' in step) world.message(step.message);
        else if ('acknowledge' in step) world.acknowledge(...step.acknowledge);
        else if ('join' in step) world.join(step.join, step.to);
        else if ('leave' in step) world.leave(step.leave);
        else if ('change' in step) world.change(...step.change);
        else world.prefetching.doWork();
        world.check();
      }
      world.prefetching.doWork();
      // a shard that has nothing under way may send something wherever there is room
      for (const { part } of world.members) if (part!.localRoom > 0) expect(part!.told - part!.came).toBeGreaterThan(0);
      while (world.members.length > 0) world.leave(0);
      world.check();
    }),
    { numRuns: 300 },
  );
});

test('room is told again once as much has come as was told of, and the end of it at once', () => {
  const world = new World();
  world.join(2, 'a');
  world.message('a');
  world.acknowledge(0, 0);
  world.prefetching.doWork();
  expect(world.told('a')).toEqual([2]);
  expect(world.under.announced).toHaveLength(1);
  world.message('a');
  world.acknowledge(0, 0);
  world.prefetching.doWork();
  expect(world.under.announced).toHaveLength(2);
  for (let i = 0; i < 3; i++) world.message('a');
  expect([world.told('a'), world.givenBack]).toEqual([[0], ['4']]);
});
