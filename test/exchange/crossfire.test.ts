import { describe, expect, test } from 'vitest';
import { Crossfire, type CrossfireResult, underWayBytesBound } from '../sim/crossfire.js';

/** Replay a failure with `SIM_SEED=17 npx vitest run test/exchange/crossfire`; more seeds with `SIM_SEEDS=500`. */
const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 10 : 1));
const seeds = Array.from({ length: seedCount }, (_, i) => firstSeed + i);
const threads = 3;
const clients = 2;
const endpoints = threads + clients;

const byTopic = (log: string[]): Map<string, string[]> => {
  const logs = new Map<string, string[]>();
  for (const entry of log) {
    const topic = entry.split(' ')[0];
    logs.set(topic, [...(logs.get(topic) ?? []), entry]);
  }
  return logs;
};

/** Invariant 9: in bounded turns everything accepted is at every gateway, once, whole. */
function expectComplete(result: CrossfireResult): void {
  expect(result.pending, 'no deadlock').toBe(0);
  expect(result.damaged).toEqual([]);
  const all = [...result.accepted].map(([id, { subject }]) => `${subject} ${id}`).sort();
  expect(all).toHaveLength(endpoints * 60);
  for (const log of result.received) expect([...log].sort()).toEqual(all);
}

/** Invariant 8: a member of the group that is never without members takes each message once; other groups, at most once. */
function expectOneMember(result: CrossfireResult): void {
  for (const id of result.accepted.keys()) expect(result.taken.get(`workers ${id}`), id).toBe(1);
  for (const [key, times] of result.taken) expect(times, key).toBe(1);
}

/** Invariant 5: what was accepted after a subscription had been announced finds it, as long as it stays. */
function expectCausality(result: CrossfireResult): void {
  for (const { subscription, announcedTurn, leftTurn } of result.guests) {
    if (leftTurn !== Number.POSITIVE_INFINITY || announcedTurn < 0) continue;
    for (const [id, { subject, turn }] of result.accepted) {
      if (subject === subscription.subject && turn > announcedTurn)
        expect(result.taken.get(`${subscription.queue} ${id}`), `${id} for ${subscription.queue}`).toBe(1);
    }
  }
}

/** Invariant 28: what a member's own thread published while it was a member is its group's, however soon the last ones leave. */
function expectNothingLostAtLeaves(result: CrossfireResult): void {
  for (const { gateway, subscription, announcedTurn, leftTurn } of result.guests) {
    if (announcedTurn < 0) continue;
    for (const [id, { publisher, subject, turn }] of result.accepted)
      if (publisher === gateway && subject === subscription.subject && turn > announcedTurn && turn < leftTurn)
        expect(result.taken.get(`${subscription.queue} ${id}`), `${id} for ${subscription.queue}`).toBe(1);
  }
}

/** Every publisher's numbers rise. */
function expectRising(log: string[]): void {
  const last = new Map<string, number>();
  for (const entry of log) {
    const [publisher, number] = entry.split(' ')[1].split('.');
    expect(Number(number), entry).toBeGreaterThan(last.get(publisher) ?? -1);
    last.set(publisher, Number(number));
  }
}

describe.each(seeds)('seed %i', (seed) => {
  test('invariants 5, 6, 8, 9, 10: order by topic', () => {
    const result = new Crossfire({ threads, clients, order: 'topic', seed }).run();
    expectComplete(result);
    expectOneMember(result);
    expectCausality(result);
    expectNothingLostAtLeaves(result);
    const orders = result.received.map(byTopic);
    for (const [topic, log] of orders[0]) {
      for (const order of orders) expect(order.get(topic)).toEqual(log);
      expectRising(log);
    }
    expect(result.underWayBytesMax).toBeLessThan(underWayBytesBound(endpoints));
  });

  test('invariants 5, 7, 8, 9, 10: order by publisher', () => {
    const result = new Crossfire({ threads, clients, order: 'publisher', seed }).run();
    expectComplete(result);
    expectOneMember(result);
    expectCausality(result);
    expectNothingLostAtLeaves(result);
    for (const log of result.received) expectRising(log);
    expect(result.underWayBytesMax).toBeLessThan(underWayBytesBound(endpoints));
  });
});
