import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { publishedSubject } from '../../src/base/publishedSubject.js';
import { bodyShift, cost, Work } from '../../src/base/work.js';
import { MemoryStorages } from '../../src/log/memoryStorage.js';
import { Topic } from '../../src/router/topic.js';
import { AnswerQueues } from '../../src/shard/streams/answerQueues.js';
import { Capture } from '../../src/shard/streams/capture.js';
import { DeferralQueues } from '../../src/shard/streams/deferralQueues.js';
import { AckTexts } from '../../src/shard/streams/pubAck.js';
import { ShardStreams } from '../../src/shard/streams/shardStreams.js';
import { Slices } from '../../src/shard/streams/slices.js';
import type { Stream } from '../../src/stream/stream.js';
import { runOf } from '../log/durableRun.js';
import { ample, configOf, messageOf } from '../stream/streams.js';

// Invariant 42 of docs/INVARIANTS.md.

/** The streams of a shard that has a turn only when it is given one. */
class ShardInTurns {
  turnsAsked = 0;
  readonly slices = new Slices(() => this.turnsAsked++);
  readonly upkeep = new Slices(() => this.turnsAsked++);
  readonly work = new Work();
  readonly capture: Capture;
  readonly streams: ShardStreams;
  readonly clock = { us: 1_000_000, nowUs: (): number => this.clock.us, notBefore: () => {} };

  constructor(memory = ample) {
    const voice = { say: () => 'said' as const, sayAll: () => 'apart' as const, pass: () => true };
    const answers = new AnswerQueues(voice, new AckTexts(''));
    const nobody = () => {};
    const deferral = new DeferralQueues(voice, nobody);
    const { work } = this;
    const capture = new Capture(
      { answers, deferral, work, onRefused: nobody, onTraced: nobody, onBehind: nobody },
      this.clock,
      '',
    );
    this.capture = capture;
    const storages = { memory: new MemoryStorages(), synced: null, buffered: null };
    const reports = { onCommitted: () => {}, onFailed: () => {} };
    const { slices, upkeep, clock } = this;
    this.streams = new ShardStreams({
      storages,
      memory,
      capture,
      slices,
      upkeep,
      clock,
      reports,
      onResumed: () => {},
      onGone: () => {},
    });
  }

  async create(given: object): Promise<Stream> {
    const config = configOf(given);
    await this.streams.create(config);
    return await this.streams.get(config.name);
  }

  /** One turn, and what follows from it. */
  async turn(): Promise<void> {
    this.slices.doWork();
    this.upkeep.doWork();
    await new Promise(setImmediate);
  }
}

const subject = publishedSubject('s');
const empty = messageOf({}, '');

/** Stores a message in every step: a change of several turns. */
function* store(stream: Stream, count: number): Generator<void, number> {
  for (let i = 0; i < count; i++) {
    stream.publish(subject, empty, 0, 1);
    yield;
  }
  return stream.lastSequence;
}

type OptionsRequest = 'destroy' | 'look' | number | null;
const asked = fc.array(fc.oneof(fc.constantFrom<OptionsRequest[]>('look', 'destroy', null, null), fc.nat(3)), {
  maxLength: 30,
});

test('changes of a stream are made one by one in the order in which they were asked for, and whoever looks at it sees those that were asked for before', async () => {
  await fc.assert(
    fc.asyncProperty(asked, async (steps) => {
      const shard = new ShardInTurns();
      await shard.create({ name: 'S' });
      const outcomes: Promise<unknown>[] = [];
      const expected: unknown[] = [];
      let last = 0;
      let isThere = true;
      for (const step of steps) {
        if (step === null) {
          await shard.turn();
          continue;
        }
        const answer =
          step === 'look'
            ? shard.streams.get('S').then((stream) => stream.lastSequence)
            : step === 'destroy'
              ? shard.streams.destroy('S')
              : shard.streams.change('S', (stream) => shard.slices.run(store(stream, step)));
        outcomes.push(answer.catch((error: Error) => error.message));
        if (typeof step === 'number' && isThere) last += step;
        if (!isThere) expected.push('stream not found');
        else expected.push(step === 'destroy' ? undefined : last);
        if (step === 'destroy') isThere = false;
      }
      do await shard.turn();
      while (!shard.slices.quiet);
      expect(await Promise.all(outcomes)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test('what is older than max_age is removed, in turns that are asked for while there are streams', async () => {
  const shard = new ShardInTurns();
  shard.streams.tick();
  expect(shard.turnsAsked).toBe(0);
  const stream = await shard.create({ name: 'S', max_age: 1_000_000_000 });
  await shard.create({ name: 'T' });
  for (let i = 0; i < 3_000; i++) stream.publish(subject, empty, 0, 1_000_000 + i);
  const trim = async (): Promise<void> => {
    const before = shard.turnsAsked;
    shard.streams.tick();
    expect(shard.turnsAsked).toBe(before + 1);
    while (!shard.upkeep.quiet) await shard.turn();
  };
  await trim();
  expect(stream.messages).toBe(3_000);
  shard.clock.us = 2_000_000 + 999;
  await trim();
  expect(stream.messages).toBe(2_000);
  shard.clock.us = 3_000_000;
  await trim();
  expect(stream.messages).toBe(0);
});

test('a stream that is destroyed before it is looked at counts nothing any more', async () => {
  const shard = new ShardInTurns({ ...ample, bytesMax: 10_000_000 });
  const fill = (stream: Stream): number => {
    for (;;)
      if (stream.publish(subject, messageOf({}, 'x'.repeat(1_000)), 0, 1).refusal !== null) return stream.messages;
  };
  const old = await shard.create({ name: 'OLD', max_age: 1_000_000_000 });
  for (let i = 0; i < 20_000; i++) old.publish(subject, empty, 0, 1);
  const stored = fill(await shard.create({ name: 'S' }));
  shard.clock.us = 10_000_000;
  shard.streams.tick();
  await shard.turn();
  expect(old.messages).toBeGreaterThan(0);
  await shard.streams.destroy('S');
  while (!shard.upkeep.quiet) await shard.turn();
  expect(old.messages).toBe(0);
  expect(fill(await shard.create({ name: 'S' }))).toBeGreaterThanOrEqual(stored);
});

test('messages that a stream takes at one go are charged by their runs, and each where each has a subject of its own', async () => {
  const shard = new ShardInTurns();
  await shard.streams.create(configOf({ subjects: ['s.*'] }));
  const count = 10;
  const run = runOf(Array.from({ length: count }, () => ''));
  const topics = Array.from({ length: count }, (_, i) => {
    const text = `s.${i}`;
    return new Topic(latin1Bytes(text), text, 0, i, 0, 'literal', 0);
  });
  const charged = (work: () => void): number => {
    const before = shard.work.units;
    work();
    return shard.work.units - before;
  };
  expect(charged(() => shard.capture.onMessages(topics[0]!, run))).toBe(cost.storedRun);
  expect(charged(() => shard.capture.onTogether(topics[0]!, topics, run))).toBe(count * cost.storedApart);
});

test('who has the subjects of a stream looked through for what it expects is charged with them', async () => {
  const shard = new ShardInTurns();
  await shard.streams.create(configOf({ subjects: ['s.*'] }));
  const unitsOf = (text: string, headers: Record<string, string>): number => {
    const topic = new Topic(latin1Bytes(text), text, 0, 1, 0, 'literal', 0);
    const before = shard.work.units;
    shard.capture.onMessages(topic, messageOf(headers, ''));
    return shard.work.units - before;
  };
  for (let i = 0; i < 100; i++) expect(unitsOf(`s.${i}`, {})).toBe(cost.storedRun);
  const expecting = (subject: string) => ({
    'Nats-Expected-Last-Subject-Sequence': '100',
    'Nats-Expected-Last-Subject-Sequence-Subject': subject,
  });
  const alone = unitsOf('s.1', expecting('s.9'));
  expect(alone).toBeGreaterThan(cost.stored);
  expect(unitsOf('s.1', expecting('s.*')) - alone).toBe(100 * cost.searched);
  // as well as for headers that are long
  const id = 'x'.repeat(10_000);
  expect(unitsOf('s.1', { ...expecting('s.9'), 'Nats-Msg-Id': id }) - alone).toBeGreaterThanOrEqual(
    id.length >> bodyShift,
  );
});
