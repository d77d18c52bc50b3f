import { expect, test } from 'vitest';
import { quantile } from '../../src/base/histogram.js';
import { timesWindowMs } from '../../src/base/limits.js';
import { readTimes } from '../../src/base/topicTimes.js';
import { TopicSamples } from '../../src/gateway/topicSamples.js';
import type { Topic } from '../../src/router/topic.js';
import { RouterUnderTest } from '../router/brokerModel.js';
import { randomFrom } from '../sim/random.js';

// Invariant 55 of docs/INVARIANTS.md.

const names = ['busy', 'steady', 'seldom', 'late'];

function timed(max = 16): { under: RouterUnderTest; samples: TopicSamples; topics: Topic[] } {
  const under = new RouterUnderTest(0, 1);
  under.router.counts.begin(under.router.topics, max);
  const samples = new TopicSamples(0, under.router.counts);
  samples.begin();
  return { under, samples, topics: names.map((name) => under.topic(name)) };
}

const timesOf = ({ router }: RouterUnderTest, { row }: Topic) => readTimes(router.counts.times!.memory, row!.slot);

/** Shapes of load: turns, how many runs a turn has at most, how long they are, how many the kernel publishes at most behind each, and how long a run and a write take, in microseconds. */
const loads = {
  'single messages, few a turn': { turns: 20_000, runs: 4, run: 1, together: 0, readUs: 20, writeUs: 60 },
  'runs of one publisher': { turns: 4_000, runs: 20, run: 500, together: 0, readUs: 40, writeUs: 300 },
  'long turns of a crowd': { turns: 2_400, runs: 2_000, run: 2, together: 0, readUs: 5, writeUs: 900 },
  'messages that the kernel publishes': { turns: 1_500, runs: 10, run: 3, together: 300, readUs: 20, writeUs: 200 },
};

test.each(Object.entries(loads))(
  '%s: what is told of each topic agrees with a probe that times every message by itself',
  (_, load) => {
    const pick = randomFrom(11);
    const { under, samples, topics } = timed();
    const probed = topics.map((): number[] => []);
    // of the first most, of the last least, and that one late in its turn
    const choose = (part: number): number => (part > 0.7 && pick(8) === 0 ? 3 : Math.min(pick(3), pick(3), pick(9)));
    let nowUs = 0;
    for (let turn = 0; turn < load.turns; turn++) {
      nowUs += pick(2_000);
      const waiting: [topic: number, readUs: number, messages: number][] = [];
      const runs = 1 + pick(load.runs);
      for (let i = 0; i < runs; i++) {
        nowUs += load.readUs * (0.5 + pick(100) / 100);
        const topic = choose(i / runs);
        const messages = 1 + pick(load.run);
        waiting.push([topic, nowUs, messages]);
        samples.note(topics[topic]!, nowUs / 1000, messages);
        for (let left = pick(load.together + 1); left > 0; ) {
          const taken = Math.min(left, samples.within);
          const together = Array.from({ length: taken }, () => choose(i / runs));
          for (const each of together) waiting.push([each, nowUs, 1]);
          samples.noteTogether(topics[together.at(-1)!]!, nowUs / 1000, taken);
          left -= taken;
        }
      }
      nowUs += load.writeUs * (0.5 + pick(100) / 100);
      samples.written(nowUs / 1000);
      for (const [topic, readUs, messages] of waiting)
        for (let i = 0; i < messages; i++) probed[topic]!.push(nowUs - readUs);
    }
    for (const [at, topic] of topics.entries()) {
      const exact = probed[at]!.sort((a, b) => a - b);
      const told = timesOf(under, topic)!;
      expect(Math.abs(told.count / exact.length - 1), `${topic.text}: count`).toBeLessThan(0.15);
      for (const part of [0.5, 0.99]) {
        const wanted = exact[Math.ceil(exact.length * part) - 1] as number;
        expect(Math.abs(quantile(told.lately, part) / wanted - 1), `${topic.text}: p${part * 100}`).toBeLessThan(0.1);
      }
    }
  },
);

test('of a turn so many messages are timed at most, however long it is, and its end as well as its beginning', () => {
  const { under, samples, topics } = timed();
  const [topic] = topics as [Topic];
  const messages = 1_000_000;
  for (let i = 0; i < messages; i++) samples.note(topic, i, 1);
  samples.written(messages);
  const { lately, count } = timesOf(under, topic)!;
  expect(Math.abs(count / messages - 1)).toBeLessThan(0.2);
  expect(quantile(lately, 0) / 1000).toBeLessThan(messages / 4);
  expect(quantile(lately, 1) / 1000).toBeGreaterThan(0.13 * messages);
});

test('what is told is of one to two windows, and its count of all', () => {
  const { under, samples, topics } = timed();
  const [topic] = topics as [Topic];
  const windowed = (): number => {
    const { lately } = timesOf(under, topic)!;
    return lately.reduce((sum, each, i) => (i === lately.length - 1 ? sum : sum + each), 0);
  };
  let nowMs = 0;
  samples.tick(nowMs);
  for (let window = 1; window <= 5; window++) {
    for (let i = 0; i < window; i++) {
      samples.note(topic, nowMs, 1);
      samples.written(nowMs + 1);
    }
    expect(windowed()).toBe(window + (window - 1));
    samples.tick(nowMs + timesWindowMs - 1);
    expect(windowed()).toBe(window + (window - 1));
    nowMs += timesWindowMs;
    samples.tick(nowMs);
    expect(windowed()).toBe(window);
  }
  samples.tick(nowMs + timesWindowMs);
  expect(windowed()).toBe(0);
  expect(timesOf(under, topic)!.count).toBe(15);
});

test('a topic that gets the place of another begins with nothing, and what the other had under way is not its own', () => {
  const { under, samples, topics } = timed(1);
  const [first, second] = topics as [Topic, Topic];
  samples.note(first, 0, 5);
  samples.written(1);
  samples.note(first, 0, 5);
  second.published += 100;
  for (const topic of [second]) under.router.counts.visit(topic);
  under.router.counts.endSweep();
  second.published += 100;
  under.router.counts.visit(second);
  expect(first.row).toBeNull();
  samples.written(1);
  expect(timesOf(under, second)).toBeNull();
  samples.note(second, 0, 3);
  samples.written(1);
  expect(timesOf(under, second)!.count).toBe(3);
});

test('a topic whose messages another thread puts in order is among the busiest here, too', () => {
  const { under, samples, topics } = timed(1);
  const [, busy] = topics as [Topic, Topic];
  busy.owner = 1;
  for (let sweep = 0; sweep < 2; sweep++) {
    samples.note(busy, 0, 1_000);
    samples.written(1);
    under.router.counts.visit(busy);
    under.router.counts.endSweep();
  }
  expect(busy.row).not.toBeNull();
});

test('before anybody looks nothing is timed', () => {
  const under = new RouterUnderTest(0, 1);
  const samples = new TopicSamples(0, under.router.counts);
  samples.note(under.topic('a'), 0, 1_000_000);
  expect(samples.within).toBe(Number.POSITIVE_INFINITY);
  samples.written(1);
  expect(under.router.counts.times).toBeNull();
});
