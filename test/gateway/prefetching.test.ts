import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalQueue } from '../../src/gateway/fanoutPlan.js';
import { Prefetching } from '../../src/gateway/prefetch/prefetching.js';
import type { Subscription } from '../../src/gateway/subscription.js';
import { subjectMatches } from '../../src/protocol/subject.js';
import { DeadLetters } from '../../src/router/deadLetters.js';
import type { Router } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';
import { HeldMessages } from '../../src/subscriber/heldMessages.js';
import type { WorkAnswer } from '../../src/subscriber/workState.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, subscribed } from './connections.js';
import { headOf, messageOf } from './messages.js';

// Invariant 23 of docs/INVARIANTS.md.

const group = 'g';
const ackWaitMs = 1000;
const terms = { ackWaitMs, maxDeliver: 0, deadLetter: '' };
const answers: WorkAnswer[] = ['ack', 'nack', 'nackLater', 'working', 'terminate'];

const noLetters = (router: Router) => new DeadLetters(router, { ready: () => true, publish: () => false });

/** One gateway's members of a group, and the plain truth beside them. */
class World {
  readonly under = new RouterUnderTest(0, 2);
  readonly members: Subscription[] = [];
  /** By member: what it has in flight, by delivery. */
  readonly hands = new Map<Subscription, Map<number, string>>();
  readonly givenBack: string[] = [];
  /** How often each message has come back. */
  readonly returns = new Map<string, number>();
  nowMs = 1000;
  turnAsked = false;
  /** By member and delivery: what is held back, and until when; and since when a member gave no sign of what it works on. */
  readonly pauses = new Map<Subscription, Map<number, number>>();
  readonly since = new Map<Subscription, Map<number, number>>();
  readonly signs = new Map<Subscription, number>();
  readonly held = new HeldMessages<Topic>();
  readonly prefetching = new Prefetching(this.under.router, this.held, noLetters(this.under.router), {
    deliverTo: (_topic, { members }, index, message) => {
      const member = members[index]!;
      const text = textOf(message);
      if (member.inFlight === null) return;
      expect(member.inFlight.deliveries).toBe((this.returns.get(text) ?? 0) + 1);
      this.hands.get(member)!.set(member.inFlight.delivery, text);
      this.since.get(member)!.set(member.inFlight.delivery, this.nowMs);
    },
    giveBack: (_topic, _queue, message) => {
      const text = textOf(message);
      if (message.returns > 0) this.returns.set(text, (this.returns.get(text) ?? 0) + 1);
      expect([message.work, message.returns]).toEqual([true, this.returns.get(text) ?? 0]);
      this.givenBack.push(text);
    },
    onBusy: () => {},
    requestTurn: () => {
      this.turnAsked = true;
    },
    nowMs: () => this.nowMs,
  });
  sent = 0;
  acknowledged = 0;

  join(prefetch: number, subject: string): void {
    const member = subscribed(idleConnection(this.hands.size + 1), subject, '1', group);
    member.inFlight = this.prefetching.inFlightFor(prefetch, terms);
    this.members.push(member);
    for (const map of [this.hands, this.since, this.pauses]) (map as Map<Subscription, unknown>).set(member, new Map());
    this.under.router.interest.addLocal(member);
  }

  leave(which: number): void {
    const [member] = this.members.splice(which % this.members.length, 1);
    if (member === undefined) return;
    const pauses = this.pauses.get(member)!;
    const hand = [...this.hands.get(member)!];
    const left = hand.map(([, text]) => text);
    for (const map of [this.hands, this.since, this.pauses]) map.get(member)!.clear();
    expect(pauses.size).toBe(0);
    this.under.router.interest.removeLocal(member);
    const before = this.givenBack.length;
    this.prefetching.ended(member);
    expect(this.givenBack.slice(before).sort()).toEqual(left.sort());
  }

  change(which: number, prefetch: number): void {
    const member = this.members[which % Math.max(1, this.members.length)];
    if (member !== undefined) this.prefetching.change(member, prefetch, terms);
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

  /** A member says something of a delivery; what leaves its hand so is done, or was given back. */
  answer(which: number, what: number, answer: WorkAnswer, delayMs: number): void {
    const member = this.members[which % Math.max(1, this.members.length)];
    if (member === undefined) return;
    const hand = this.hands.get(member)!;
    const delivery = [...hand.keys()][what % Math.max(1, hand.size)];
    expect(this.prefetching.answer(member.connection, -1, answer, delayMs)).toBe(false);
    if (delivery === undefined) return;
    const text = hand.get(delivery)!;
    const before = this.givenBack.length;
    this.signs.set(member, this.nowMs);
    expect(this.prefetching.answer(member.connection, delivery, answer, delayMs)).toBe(true);
    this.pauses.get(member)!.delete(delivery);
    if (answer === 'nackLater') {
      this.pauses.get(member)!.set(delivery, this.nowMs + delayMs);
      this.since.get(member)!.delete(delivery);
    } else if (answer === 'working') this.since.get(member)!.set(delivery, this.nowMs);
    else this.#forget(member, delivery);
    expect(this.givenBack.slice(before)).toEqual(answer === 'nack' ? [text] : []);
    if (answer === 'ack' || answer === 'terminate') this.acknowledged++;
  }

  #forget(member: Subscription, delivery: number): void {
    for (const map of [this.hands, this.since, this.pauses]) map.get(member)!.delete(delivery);
  }

  /** Time passes: what was held back for long enough, and what a member has given no sign of for too long, comes back, but nothing too early. */
  pass(ms: number): void {
    this.nowMs += ms;
    const before = this.givenBack.length;
    do {
      this.turnAsked = false;
      this.prefetching.doWork();
    } while (this.turnAsked);
    const back = new Set(this.givenBack.slice(before));
    expect(back.size).toBe(this.givenBack.length - before);
    for (const member of this.members)
      for (const [delivery, text] of [...this.hands.get(member)!]) {
        const since = Math.max(this.since.get(member)!.get(delivery) ?? 0, this.signs.get(member) ?? 0);
        const dueMs = this.pauses.get(member)!.get(delivery) ?? since + ackWaitMs;
        if (back.delete(text)) {
          expect(dueMs).toBeLessThanOrEqual(this.nowMs);
          this.#forget(member, delivery);
        } else expect(dueMs).toBeGreaterThan(this.nowMs - 200);
      }
    expect(back.size).toBe(0);
  }

  acknowledge(which: number, what: number): void {
    const member = this.members[which % Math.max(1, this.members.length)];
    if (member === undefined) return;
    const hand = this.hands.get(member)!;
    const delivery = [...hand.keys()][what % Math.max(1, hand.size)];
    expect(this.prefetching.acknowledge(member.connection, -1)).toBe(false);
    if (delivery === undefined) return;
    this.#forget(member, delivery);
    this.signs.set(member, this.nowMs);
    this.acknowledged++;
    expect(this.prefetching.acknowledge(member.connection, delivery)).toBe(true);
    expect(this.prefetching.acknowledge(member.connection, delivery)).toBe(false);
  }

  check(): void {
    let inFlight = 0;
    for (const member of this.members) {
      const mine = this.hands.get(member)!;
      inFlight += mine.size;
      expect(member.inFlight!.count).toBe(mine.size);
      expect(new Set(member.connection.unacknowledged.deliveries)).toEqual(new Set(mine.keys()));
    }
    expect(inFlight + this.acknowledged + this.givenBack.length).toBe(this.sent);
    expect([this.held.count, this.held.inFlight, this.held.heldBytes > 0]).toEqual([inFlight, inFlight, inFlight > 0]);
    expect(this.held.pausing).toBe([...this.pauses.values()].reduce((sum, { size }) => sum + size, 0));
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
    {
      weight: 5,
      arbitrary: fc.record({ answer: fc.tuple(fc.nat(9), fc.nat(9), fc.constantFrom(...answers), fc.nat(800)) }),
    },
    { weight: 3, arbitrary: fc.record({ passes: fc.nat(500) }) },
    { weight: 1, arbitrary: fc.record({ join: prefetch, to: fc.constantFrom('a', 'a.*', '>') }) },
    { weight: 1, arbitrary: fc.record({ leave: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ change: fc.tuple(fc.nat(9), prefetch) }) },
    { weight: 2, arbitrary: fc.record({ turn: fc.constant(true) }) },
  ),
  { maxLength: 120, size: 'max' },
);

test('every message is in one hand, was acknowledged or given back; who has room takes what comes, and is known to', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const world = new World();
      world.join(2, '>');
      for (const step of all) {
        if ('message' in step) world.message(step.message);
        else if ('acknowledge' in step) world.acknowledge(...step.acknowledge);
        else if ('answer' in step) world.answer(...step.answer);
        else if ('passes' in step) world.pass(step.passes);
        else if ('join' in step) world.join(step.join, step.to);
        else if ('leave' in step) world.leave(step.leave);
        else if ('change' in step) world.change(...step.change);
        else world.pass(0);
        world.check();
      }
      world.pass(0);
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
