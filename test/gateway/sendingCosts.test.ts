import { expect, test } from 'vitest';
import { crowdDeliveriesMin, crowdShareUnits, pendingWriteBytes, shareUnits } from '../../src/base/limits.js';
import { Work, writeShift } from '../../src/base/work.js';
import { Audiences } from '../../src/gateway/audience.js';
import { Egress } from '../../src/gateway/egress.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { idleConnection, Loopback, planOf, quietEvents, roomyLimits, subscribed } from './connections.js';
import { headOf, messageOf, runOf } from './messages.js';

// Invariant 25 of docs/INVARIANTS.md.

const payload = 'x'.repeat(64 * 1024);

test('what has to be copied for everybody who is behind is counted when it is published, and once', async () => {
  const loopback = await Loopback.open(8);
  const work = new Work();
  const egress = new Egress(roomyLimits, quietEvents, work);
  const audience = new Audiences().intern(loopback.pairs.map(({ connection }) => connection));
  // a little shorter than what eight share
  const copied = payload.slice(0, 60 * 1024);
  const deliver = () => egress.deliver(audience, headOf('a', '1'), messageOf(copied), 0, true);
  // the kernel takes little of it
  for (let i = 0; i < 8; i++) deliver();
  const keepingUpUnits = work.units;
  egress.flush();
  expect(loopback.pairs.every(({ connection }) => connection.pendingBytes > 0)).toBe(true);
  work.nextTurn();
  for (let i = 0; i < 8; i++) deliver();
  // memory that was never used before is taken for it
  expect(work.units).toBeGreaterThan(4 * keepingUpUnits);
  expect(work.units).toBeGreaterThan(shareUnits);
  const published = work.units;
  egress.flush();
  expect(work.units).toBe(published);
  loopback.close();
});

test('what is sent is counted to whoever published it, in one piece or many', () => {
  const counts = [1, 16].map((pieces) => {
    const work = new Work();
    const egress = new Egress(roomyLimits, quietEvents, work);
    const audience = new Audiences().intern([1, 2, 3, 4].map((id) => idleConnection(id)));
    const piece = runOf([payload.slice(0, payload.length / pieces)]);
    for (let i = 0; i < pieces; i++) egress.deliverRun(audience, [headOf('a', '1')], piece, true);
    return work.units;
  });
  expect(counts[0]).toBeGreaterThanOrEqual((4 * payload.length) >> writeShift);
  expect(counts[1]! / counts[0]!).toBeCloseTo(1, 0);
});

test('of a run of large messages as many are delivered at a time as the share of work lasts for', () => {
  const under = new RouterUnderTest(0, 1);
  for (let id = 1; id <= 100; id++) under.router.interest.addLocal(subscribed(idleConnection(id), 'a', '1'));
  const topic = under.topic('a');
  const plan = planOf(topic);
  topic.plan = plan;
  topic.units = plan.units;
  expect(topic.unitsOf(16, false)).toBe(plan.units);
  expect(topic.unitsOf(payload.length, false)).toBeGreaterThanOrEqual((100 * payload.length) >> writeShift);
  const work = new Work();
  work.limit = shareUnits;
  expect(work.affordable(topic.unitsOf(16, false), 256)).toBe(256);
  expect(work.affordable(topic.unitsOf(payload.length, false), 256)).toBeLessThan(5);
});

test('of a run of short messages to very many as many go at a time as the share lasts for, and all of one to few', () => {
  const affordable = (readers: number): number => {
    const under = new RouterUnderTest(0, 1);
    for (let id = 1; id <= readers; id++) under.router.interest.addLocal(subscribed(idleConnection(id), 'a', '1'));
    const topic = under.topic('a');
    under.router.setPlan(topic, planOf(topic));
    const work = new Work();
    work.limit = shareUnits;
    return work.affordable(topic.unitsOf(16, false), 256);
  };
  expect(affordable(crowdDeliveriesMin - 1)).toBe(256);
  expect(affordable(1000)).toBeLessThan(50);
});

test('behind the end of a share little is begun, and one message at least', () => {
  const work = new Work();
  work.limit = 0;
  expect(work.affordable(1, 256)).toBe(256);
  expect(work.affordable(10, 256)).toBe(crowdShareUnits / 10);
  expect(work.affordable(10_000, 256)).toBe(1);
  work.limit = 2 * crowdShareUnits;
  expect(work.affordable(10, 256)).toBe((2 * crowdShareUnits) / 10);
  expect(work.part(1, 1_000, 256)).toBe(shareUnits / 1_000);
  expect(work.part(4, 1_000, 256)).toBe(shareUnits / 4_000);
  expect(work.part(1_000, 10, 256)).toBe(crowdShareUnits / 10);
});

test('one that reads as fast as it is written to has some at a time of what waits for it', () => {
  const connection = idleConnection(1);
  const egress = new Egress(roomyLimits, quietEvents);
  for (let i = 0; i < 100; i++) egress.deliver(connection.solo, headOf('a', '1'), messageOf(payload), 0, true);
  // nothing is taken at once, and everything after that
  let takes = false;
  let written: (() => void) | null = null;
  Object.assign(connection, {
    socket: { destroyed: false },
    transport: {
      offer: (_: unknown, start: number, end: number) => (takes ? end - start : 0),
      write: (_chunk: unknown, _start: number, _end: number, onWritten: () => void) => {
        written = onWritten;
      },
    },
  });
  egress.flush();
  takes = true;
  for (let callbacks = 0; connection.pendingBytes > 0; callbacks++) {
    expect(callbacks).toBeLessThan(100);
    const before = connection.pendingBytes;
    const go = written as unknown as () => void;
    written = null;
    go();
    // a turn that has sent enough leaves the rest to the next
    egress.flush();
    expect(before - connection.pendingBytes).toBeLessThan(2 * pendingWriteBytes);
    expect(connection.pendingBytes === 0 || written !== null).toBe(true);
  }
});
