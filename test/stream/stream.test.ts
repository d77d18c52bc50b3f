import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1String } from '../../src/base/bytes.js';
import type { MessageView } from '../../src/base/messageView.js';
import { PieceWriter } from '../../src/base/pieces.js';
import { type PublishedSubject, publishedSubject } from '../../src/base/publishedSubject.js';
import { MemoryStorage } from '../../src/log/memoryStorage.js';
import { MemoryShare } from '../../src/stream/memoryShare.js';
import type { Published } from '../../src/stream/publishing.js';
import { Stream } from '../../src/stream/stream.js';
import { SubjectFilter } from '../../src/stream/subjectFilter.js';
import { type ModelMessage, type ModelOutcome, StreamModel } from './streamModel.js';
import { ample, ampleMemory, configOf, finish, messageOf, type RunMessage, runOf } from './streams.js';

// Invariants 42 and 60 of docs/INVARIANTS.md.

const subjects = ['a.1', 'a.2', 'b.1', 'b.2.x'];
const filters = ['>', 'a.*', 'b.>', 'a.1', '*.2.x', 'none'];
const second = 1_000_000;

const config = fc.record(
  {
    max_msgs: fc.integer({ min: 1, max: 12 }),
    max_bytes: fc.integer({ min: 50, max: 700 }),
    max_msgs_per_subject: fc.integer({ min: 1, max: 4 }),
    max_age: fc.constantFrom(1, 5).map((seconds) => seconds * 1_000_000_000),
    max_msg_size: fc.constant(150),
    discard: fc.constantFrom('old', 'new'),
    discard_new_per_subject: fc.boolean(),
    allow_rollup_hdrs: fc.boolean(),
    allow_msg_ttl: fc.constantFrom(true, true, false),
    first_seq: fc.constantFrom(1, 100),
    retention: fc.constantFrom('limits', 'limits', 'limits', 'interest'),
  },
  { requiredKeys: [] },
);

const id = fc.record({ 'Nats-Msg-Id': fc.constantFrom('one', 'two', 'three') });
const lifetime = fc.record({ 'Nats-TTL': fc.constantFrom('1', '2.9s', '4s', 'never') });
const headers = fc.record(
  {
    'Nats-Msg-Id': fc.constantFrom('one', 'two', 'three'),
    'Nats-Expected-Last-Sequence': fc.nat(20).map(String),
    'Nats-Expected-Last-Subject-Sequence': fc.nat(20).map(String),
    'Nats-Rollup': fc.constantFrom('sub', 'all'),
    'Nats-TTL': fc.constantFrom('1', 'never', '0', 'x'),
  },
  { requiredKeys: [] },
);

const publish = fc.record({
  kind: fc.constant('publish' as const),
  subject: fc.constantFrom(...subjects),
  messages: fc.array(
    fc.record({
      length: fc.oneof(fc.nat(60), fc.nat(60), fc.nat(300)),
      headers: fc.oneof(fc.constant({}), fc.constant({}), fc.constant({ Other: 'x' }), id, lifetime, headers),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});
/** Messages each of which has a subject of its own. */
const together = fc.record({
  kind: fc.constant('together' as const),
  messages: fc.array(
    fc.record({ subject: fc.constantFrom(...subjects), length: fc.oneof(fc.nat(60), fc.nat(60), fc.nat(300)) }),
    { minLength: 1, maxLength: 6 },
  ),
});
const step = fc.oneof(
  { weight: 8, arbitrary: publish },
  { weight: 5, arbitrary: together },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), back: fc.nat(6) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('purge' as const),
      filter: fc.constantFrom(...filters),
      sequence: fc.option(fc.nat(40)),
      keep: fc.nat(4),
      isAtOnce: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), us: fc.nat(2 * second) }) },
);

function streamOf(given: object): Stream {
  const effective = configOf(given);
  return new Stream(effective, 0, new MemoryStorage(Number(effective.first_seq) || 1), ampleMemory());
}

/** Subjects as publishers keep them: they outlive streams, and messages of theirs. */
const keptSubjects = new Map<string, PublishedSubject>();

function keptSubject(text: string): PublishedSubject {
  const subject = keptSubjects.get(text) ?? publishedSubject(text);
  keptSubjects.set(text, subject);
  return subject;
}

/** Publishes messages together where the stream takes them so, else one by one; says what became of each. */
function publishAll(
  stream: Stream,
  { count }: MessageView,
  takeFrom: (index: number) => number,
  publishOne: (index: number) => Published,
): ModelOutcome[] {
  const outcomes: ModelOutcome[] = [];
  for (let i = 0; i < count; i = outcomes.length) {
    const taken = takeFrom(i);
    for (let left = taken; left > 0; left--)
      outcomes.push({ sequence: stream.lastSequence - left + 1, duplicate: false, error: null });
    if (taken > 0) continue;
    const { sequence, duplicate, refusal } = publishOne(i);
    outcomes.push({ sequence, duplicate, error: refusal?.message ?? null });
  }
  return outcomes;
}

function publishRun(stream: Stream, subject: PublishedSubject, run: MessageView, nowUs: number): ModelOutcome[] {
  return publishAll(
    stream,
    run,
    (from) => stream.publishRun(subject, run, from, run.count, nowUs),
    (index) => stream.publish(subject, run, index, nowUs),
  );
}

/** The same for messages of which each has a subject of its own. */
function publishTogether(
  stream: Stream,
  texts: readonly string[],
  messages: MessageView,
  nowUs: number,
): ModelOutcome[] {
  const subjects = texts.map(keptSubject);
  return publishAll(
    stream,
    messages,
    (from) => stream.publishTogether(subjects, messages, from, messages.count, nowUs),
    (index) => stream.publish(subjects[index]!, messages, index, nowUs),
  );
}

/** The stream as a start finds it behind a stop. */
function restarted(stream: Stream): Stream {
  const target = new PieceWriter();
  Array.from(stream.save(target));
  const again = new Stream(stream.config, stream.createdUs, stream.storage, ampleMemory());
  expect(again.restore(Buffer.concat(target.pieces))).toBe(true);
  finish(again.settle());
  expect([again.lastTimeUs, again.lastId]).toEqual([stream.lastTimeUs, stream.lastId]);
  return again;
}

function contents(stream: Stream): ModelMessage[] {
  const found: ModelMessage[] = [];
  void stream.storage.scan(({ span, sequence, timeUs, subjectStart, subjectEnd, start, headerBytes, end }) => {
    const subject = latin1String(span.bytes, subjectStart, subjectEnd);
    found.push({ sequence, timeUs, subject, headerBytes, payloadBytes: end - start - headerBytes });
  });
  return found;
}

test('a stream has what a plain model of it has, refuses what that refuses, and finds what that finds', () => {
  const runs = Number(process.env.STREAM_RUNS ?? 400);
  fc.assert(
    fc.property(config, fc.array(step, { maxLength: 80 }), (given, steps) => {
      fc.pre(!given.discard_new_per_subject || (given.discard === 'new' && given.max_msgs_per_subject !== undefined));
      let stream = streamOf(given);
      const model = new StreamModel(stream.config);
      let nowUs = 1_000 * second;
      for (const each of steps) {
        if (each.kind === 'publish') {
          const run = runOf(each.messages);
          const outcomes = publishRun(stream, keptSubject(each.subject), run, nowUs);
          const expected = each.messages.map(({ headers, length }, i) =>
            model.publish(each.subject, headers, run.headerBytes(i), length, nowUs),
          );
          expect(outcomes).toEqual(expected);
        } else if (each.kind === 'together') {
          const messages = runOf(each.messages.map(({ length }) => ({ headers: {}, length })));
          const texts = each.messages.map(({ subject }) => subject);
          const expected = each.messages.map(({ subject, length }) => model.publish(subject, {}, 0, length, nowUs));
          expect(publishTogether(stream, texts, messages, nowUs)).toEqual(expected);
        } else if (each.kind === 'delete') {
          const sequence = model.lastSequence - each.back;
          expect(finish(stream.delete(sequence, true))).toBe(model.delete(sequence));
        } else if (each.kind === 'restart') {
          stream = restarted(stream);
        } else if (each.kind === 'wait') {
          nowUs += each.us;
          while (stream.expire(nowUs, 2));
          model.expire(nowUs);
        } else {
          const below = each.sequence ?? stream.lastSequence + 1;
          const keep = each.sequence === null && each.keep > 0 ? each.keep : null;
          const { purges } = stream;
          const order =
            keep === null ? purges.subjects(each.filter, below) : finish(purges.subjectsToNewest(each.filter, keep));
          const few = each.isAtOnce ? finish(purges.few(order)) : null;
          const purged = few === null ? finish(purges.carryOut(order)) : finish(purges.remove(few, order));
          expect(purged).toBe(model.purge(new SubjectFilter(each.filter), keep, below));
          expect(finish(purges.carryOut(order))).toBe(0);
        }
        const found = contents(stream);
        expect(found).toEqual(model.messages);
        expect([stream.messages, stream.bytes]).toEqual([found.length, model.bytes]);
        expect([stream.firstSequence, stream.lastSequence]).toEqual([model.firstSequence, model.lastSequence]);
        expect(stream.subjects).toBe(new Set(found.map(({ subject }) => subject)).size);
      }
      for (const text of filters) {
        const filter = new SubjectFilter(text);
        const taken = model.taken(filter).map(({ sequence }) => sequence);
        expect(finish(stream.search.lastOf(filter))).toBe(taken.at(-1) ?? 0);
        for (const from of [0, ...taken, stream.lastSequence + 1]) {
          expect(finish(stream.search.nextOf(filter, from))).toBe(taken.find((sequence) => sequence >= from) ?? 0);
          expect(finish(stream.search.countOf(filter, from))).toBe(taken.filter((sequence) => sequence >= from).length);
        }
      }
      expect(finish(stream.search.gaps())).toEqual(model.gaps());
    }),
    { numRuns: runs },
  );
});

test('a run is taken as far as no message needs a look', () => {
  const subject = publishedSubject('s');
  const taken = (config: object, messages: readonly RunMessage[]) =>
    streamOf(config).publishRun(subject, runOf(messages), 0, messages.length, 1);
  const plain = [1, 2, 3].map((length) => ({ headers: {}, length }));
  expect(taken({ max_msgs: 2 }, plain)).toBe(3);
  expect(taken({ max_msg_size: 2 }, plain)).toBe(2);
  for (const looked of [{ discard: 'new' }, { max_msgs_per_subject: 1 }, { retention: 'interest' }])
    expect(taken(looked, plain)).toBe(0);
  const withHeaders = (...headers: readonly RunMessage['headers'][]) =>
    headers.map((each) => ({ headers: each, length: 1 }));
  expect(taken({}, withHeaders({ A: 'b' }, { A: 'b' }, { C: 'd' }))).toBe(3);
  expect(taken({}, withHeaders({ 'Nats-Msg-Id': '1' }, { 'Nats-Msg-Id': '2' }, { 'Nats-Msg-Id': '1' }))).toBe(2);
  expect(taken({}, withHeaders({ 'Nats-Msg-Id': '1' }, { 'Nats-Rollup': 'all' }))).toBe(1);
});

test('messages of several subjects are taken together as far as none is too large', () => {
  const taken = (config: object, lengths: readonly number[]) => {
    const subjects = lengths.map((_, i) => publishedSubject(`s.${i}`));
    const messages = runOf(lengths.map((length) => ({ headers: {}, length })));
    return streamOf(config).publishTogether(subjects, messages, 0, lengths.length, 1);
  };
  expect(taken({ max_msgs: 2 }, [1, 2, 3])).toBe(3);
  expect(taken({ max_msg_size: 2 }, [1, 2, 3])).toBe(2);
  expect(taken({ max_msg_size: 2 }, [3, 2, 1])).toBe(0);
  for (const looked of [{ discard: 'new' }, { max_msgs_per_subject: 1 }, { retention: 'interest' }])
    expect(taken(looked, [1, 2, 3])).toBe(0);
});

test('what is given up is given back: a stream that has ended counts nothing', () => {
  const memory = ampleMemory();
  const { config: plain } = streamOf({});
  const stream = new Stream(plain, 0, new MemoryStorage(1), memory);
  for (let i = 0; i < 5_000; i++)
    stream.publish(publishedSubject(`s.${i}`), messageOf({ 'Nats-Msg-Id': `${i}` }, 'x'.repeat(100)), 0, i);
  expect(memory.usedBytes).toBeGreaterThan(5_000 * 300);
  finish(stream.purges.carryOut(stream.purges.below(stream.lastSequence + 1)));
  stream.expire(1e12, 10_000);
  expect(memory.usedBytes).toBeLessThan(20_000);
  stream.end();
  expect(memory.usedBytes).toBe(0);
});

test('what a storage keeps is said when all that it has was shown', () => {
  const storage = new MemoryStorage(1);
  // as those on disk are: nothing of them may be taken for gone
  storage.keptBytes = Number.POSITIVE_INFINITY;
  const stream = new Stream(configOf({}), 0, storage, ampleMemory());
  expect(storage.keptBytes).toBe(Number.POSITIVE_INFINITY);
  finish(stream.settle());
  expect(storage.keptBytes).toBe(0);
});

test('when the memory of all streams is used up a publish is refused', () => {
  const { config: plain } = streamOf({});
  const stream = new Stream(plain, 0, new MemoryStorage(1), new MemoryShare({ ...ample, bytesMax: 100_000 }));
  const subject = publishedSubject('s');
  const publish = (nowUs: number) => stream.publish(subject, messageOf({}, 'x'.repeat(1_000)), 0, nowUs).refusal;
  let stored = 0;
  while (publish(stored) === null) stored++;
  expect(stored).toBeGreaterThan(20);
  expect(stored).toBeLessThan(150);
  expect(publish(stored)).toMatchObject({ code: 503, errCode: 10023 });
});

/** Publishes until there is no memory, by runs where those are taken; returns what is refused then, and what is not. */
function publishUntilFull(
  bounds: object,
  publish: (stream: Stream, subject: string, headers: Record<string, string>) => string | null,
  next: (i: number) => [string, Record<string, string>],
) {
  const memory = new MemoryShare({ ...ample, ...bounds });
  const stream = new Stream(configOf({}), 0, new MemoryStorage(1), memory);
  let taken = 0;
  while (publish(stream, ...next(taken)) === null) taken++;
  const refused = (subject: string, headers: Record<string, string>) => publish(stream, subject, headers);
  return { memory, stream, taken, refused };
}

const publishing = {
  'one by one': (stream: Stream, subject: string, headers: Record<string, string>) =>
    stream.publish(publishedSubject(subject), messageOf(headers, 'x'), 0, 1).refusal?.message ?? null,
  'by runs': (stream: Stream, subject: string, headers: Record<string, string>) =>
    publishRun(stream, publishedSubject(subject), runOf([{ headers, length: 1 }]), 1)[0]!.error,
};

test.each(Object.entries(publishing))(
  'what is new finds no memory at its own bound, and what is known goes on: %s',
  (_, publish) => {
    const subjects = publishUntilFull({ subjectBytesMax: 100_000 }, publish, (i) => [`s.${i}`, {}]);
    expect(subjects.taken).toBeGreaterThan(500);
    expect(subjects.taken).toBeLessThan(2_000);
    expect(subjects.memory.subjects.usedBytes).toBeLessThan(200_000);
    expect(subjects.refused('new', {})).toBe('insufficient resources');
    expect(subjects.refused('s.7', { 'Nats-Msg-Id': '1' })).toBe(null);
    finish(subjects.stream.purges.carryOut(subjects.stream.purges.below(1_000_000)));
    expect(subjects.refused('new', {})).toBe(null);

    const ids = publishUntilFull({ idBytesMax: 100_000 }, publish, (i) => ['s', { 'Nats-Msg-Id': `id ${i}` }]);
    expect(ids.taken).toBeGreaterThan(500);
    expect(ids.taken).toBeLessThan(2_500);
    expect(ids.refused('s', { 'Nats-Msg-Id': 'new' })).toBe('insufficient resources');
    expect(ids.refused('new', {})).toBe(null);
    // what is known already is no new id
    expect(ids.refused('s', { 'Nats-Msg-Id': 'id 0' })).toBe(null);
    ids.stream.expire(1e12, 10_000);
    expect(ids.refused('s', { 'Nats-Msg-Id': 'new' })).toBe(null);

    for (const { stream, memory } of [subjects, ids]) {
      stream.end();
      expect([memory.usedBytes, memory.subjects.usedBytes, memory.ids.usedBytes]).toEqual([0, 0, 0]);
    }
  },
);

test('to go from a message of a subject to the next one takes a step, however many are before it', () => {
  const stream = streamOf({});
  for (const [subject, count] of [
    ['a', 5_000],
    ['b', 1],
    ['a', 1],
    ['b', 1],
  ] as const)
    for (let i = 0; i < count; i++) stream.publish(publishedSubject(subject), messageOf({}, ''), 0, 1);
  const filter = new SubjectFilter('a');
  const steps = stream.search.nextOf(filter, 5_001);
  expect(steps.next()).toEqual({ done: true, value: 5_002 });
  expect(stream.search.nextOf(filter, 5_003).next()).toEqual({ done: true, value: 0 });
});
