import { describe, expect, test } from 'vitest';
import { addEndpoint, createExchangeMemory } from '../../src/exchange/memory.js';
import { subjectMatches } from '../../src/protocol/subject.js';
import { type AnswersResult, AnswersRun, subscriptionTo } from '../sim/answersRun.js';
import { SimThread } from '../sim/simThread.js';

// Invariant 43 of docs/INVARIANTS.md. Replay a failure with `SIM_SEED=17 npx vitest run test/exchange/answers`; more seeds with `SIM_SEEDS=500`.
const firstSeed = Number(process.env.SIM_SEED ?? 1);
const seedCount = Number(process.env.SIM_SEEDS ?? (process.env.SIM_SEED === undefined ? 7 : 1));
const seeds = Array.from({ length: seedCount }, (_, i) => firstSeed + i);
const threads = 4;
const clients = 2;

const homeOf = (subject: string): number => Number(subject.split('.')[1]);

/** Who awaits an answer gets it once, whole; so does who was known to listen before it was published; nobody gets it twice. */
function expectComplete({ accepted, received, spies, damaged, finished }: AnswersResult): void {
  expect(finished, 'no deadlock').toBe(true);
  expect(damaged).toEqual([]);
  for (const log of received) expect(new Set(log).size).toBe(log.length);
  const sets = received.map((log) => new Set(log));
  const plain = spies.filter(({ subscription }) => subscription.queue === '');
  for (const { id, subject, turn } of accepted) {
    expect(sets[homeOf(subject)], `${subject} ${id}`).toContain(`${subject} ${id}`);
    for (const { gateway, subscription, announcedTurn } of plain)
      if (turn > announcedTurn && subjectMatches(subscription.subject, subject))
        expect(sets[gateway], `${subject} ${id} for ${subscription.subject}`).toContain(`${subject} ${id}`);
  }
}

/** Of each group one member gets it, if one was known before. */
function expectOneMember({ accepted, taken, spies }: AnswersResult): void {
  const groups = spies.filter(({ subscription }) => subscription.queue !== '');
  for (const times of taken.values()) expect(times).toBe(1);
  for (const { id, subject, turn } of accepted)
    if (
      groups.some(
        ({ subscription, announcedTurn }) => turn > announcedTurn && subjectMatches(subscription.subject, subject),
      )
    )
      expect(taken.get(`group ${subject} ${id}`), `${subject} ${id}`).toBe(1);
}

/** One publisher's messages on a subject come in its order. */
function expectRising(log: string[]): void {
  const last = new Map<string, number>();
  for (const entry of log) {
    const [subject, id] = entry.split(' ');
    const [publisher, number] = id.split('.');
    const key = `${subject} ${publisher}`;
    expect(Number(number), entry).toBeGreaterThan(last.get(key) ?? -1);
    last.set(key, Number(number));
  }
}

/** What two gateways both got of what a broker's own thread awaits, they got in one order. */
function expectOneOrder(received: string[][]): void {
  const awaited = received.map((log) => log.filter((entry) => homeOf(entry.split(' ')[0]) < threads));
  for (const one of awaited)
    for (const other of awaited) expect(bySubject(both(one, other))).toEqual(bySubject(both(other, one)));
}

function both(one: string[], other: string[]): string[] {
  const there = new Set(other);
  return one.filter((entry) => there.has(entry));
}

function bySubject(log: string[]): string[] {
  // sorting keeps the order of what is equal
  return [...log].sort((a, b) => (a.split(' ')[0] < b.split(' ')[0] ? -1 : a.split(' ')[0] > b.split(' ')[0] ? 1 : 0));
}

describe.each(seeds)('seed %i', (seed) => {
  test.each(['topic', 'publisher'] as const)('answers, and others who take them; order by %s', (order) => {
    const result = new AnswersRun({ threads, clients, order, seed }).run();
    expectComplete(result);
    expectOneMember(result);
    for (const log of result.received) expectRising(log);
    if (order === 'topic') expectOneOrder(result.received);
    expect(result.answers).toBeGreaterThan(0);
  });
});

test("who answers waits for a user's thread that takes answers, too, and is behind, as whoever publishes to a topic does", () => {
  const memory = createExchangeMemory(1, 4096, 1);
  addEndpoint(memory, 1);
  const options = { threads: 1, clients: 1, order: 'topic', seed: 1 } as const;
  const held = new Set<string>();
  const home = new SimThread(memory, 0, options, () => {}, null, {
    lossySubjects: () => null,
    nameOf: ({ text }) => text,
    hold: ({ text }) => held.add(text),
    release: () => held.clear(),
  });
  const received: string[] = [];
  const user = new SimThread(memory, 1, options, (_gateway, _subject, _queue, _id, payload) =>
    received.push(Buffer.from(payload).toString('latin1').trimEnd()),
  );
  home.subscribe(subscriptionTo('in.*'));
  home.claim('in.*');
  user.subscribe(subscriptionTo('>'));
  user.exchange.publish();
  home.exchange.drainControl();
  const published: string[] = [];
  while (held.size === 0) {
    expect(published.length, 'its publisher waits').toBeLessThan(1000);
    home.answer(`in.${published.length}`, `${published.length}`, new Uint8Array(0));
    published.push(`${published.length}`);
  }
  expect(home.answers).toBeGreaterThan(10);
  while (held.size > 0) {
    home.exchange.publish();
    user.exchange.doWork();
    user.exchange.publish();
  }
  home.exchange.publish();
  user.exchange.doWork();
  expect(received).toEqual(published);
});
