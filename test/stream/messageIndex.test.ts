import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PieceReader, PieceWriter } from '../../src/base/pieces.js';
import { MessageIndex, MessageSearch } from '../../src/stream/messageIndex.js';
import { MessageEntry } from '../../src/stream/messageLeaf.js';

// Invariant 42 of docs/INVARIANTS.md.

interface Message {
  readonly sequence: number;
  readonly timeUs: number;
  readonly bytes: number;
  readonly subject: number;
}

/** Messages that are like each other as those of streams are: some columns the same for all, others with few or many values. */
const adding = fc.record({
  kind: fc.constant('add' as const),
  count: fc.integer({ min: 1, max: 1_500 }),
  subjects: fc.constantFrom(1, 3, 100, 2 ** 32),
  sizes: fc.constantFrom(1, 7, 2 ** 26),
  /** From a time to the next, in microseconds, and how many messages have one. */
  pauseUs: fc.constantFrom(0, 1, 900, 3 * 3_600e6, 2 ** 40),
  perTime: fc.constantFrom(1, 10, 400),
  gap: fc.constantFrom(0, 0, 1, 5_000, 2 ** 33),
  seed: fc.nat(),
});
type Adding = typeof adding extends fc.Arbitrary<infer T> ? T : never;
const removing = fc.record({
  kind: fc.constant('remove' as const),
  /** Where it begins, and how much is removed of what follows. */
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  share: fc.constantFrom(0.01, 0.3, 1),
  every: fc.constantFrom(1, 2, 9),
});

/** A number below a bound, another for each index. */
function pseudo(seed: number, index: number, below: number): number {
  return Math.floor((((Math.sin(seed + index * 12.9898) * 43_758.5453) % 1) + 1) * 0.5 * below);
}

class Model {
  messages: Message[] = [];
  next = 1;
  timeUs = 1.7e15;

  *added({ count, subjects, sizes, pauseUs, perTime, gap, seed }: Adding): Generator<Message> {
    this.next += gap;
    for (let i = 0; i < count; i++) {
      if (i % perTime === 0) this.timeUs += pauseUs;
      const message = {
        sequence: this.next++,
        timeUs: this.timeUs,
        bytes: 30 + pseudo(seed, i, sizes),
        subject: pseudo(seed + 1, i, subjects),
      };
      this.messages.push(message);
      yield message;
    }
  }
}

test('whatever a stream has stored and removed, each message is found as it was stored, by sequence, time and subject', () => {
  const runs = Number(process.env.INDEX_RUNS ?? 25);
  fc.assert(
    fc.property(fc.array(fc.oneof(adding, adding, removing), { maxLength: 12 }), fc.nat(), (steps, seed) => {
      let index = new MessageIndex();
      const model = new Model();
      for (const step of steps) {
        if (step.kind === 'add') {
          for (const { sequence, timeUs, bytes, subject } of model.added(step))
            index.add(sequence, timeUs, bytes, subject);
        } else {
          const from = Math.floor(step.from * model.messages.length);
          const end = from + Math.ceil(step.share * model.messages.length);
          const goes = (i: number) => i >= from && i < end && i % step.every === 0;
          for (const [i, { sequence }] of model.messages.entries())
            if (goes(i)) index.remove(sequence, new MessageEntry());
          model.messages = model.messages.filter((_, i) => !goes(i));
        }
        if (seed % 3 === 0) index = restored(index);
        expectSame(index, model.messages, seed);
      }
    }),
    { numRuns: runs },
  );
});

function restored(index: MessageIndex): MessageIndex {
  const target = new PieceWriter();
  Array.from(index.save(target));
  const again = new MessageIndex();
  again.restore(new PieceReader(Buffer.concat(target.pieces)));
  return again;
}

/** Looks for all messages in order, and in every other way from some places. */
function expectSame(index: MessageIndex, messages: readonly Message[], seed: number): void {
  expect(index.size).toBe(messages.length);
  expect(index.first).toBe(messages[0]?.sequence ?? 0);
  expect(walked(index)).toEqual(messages);
  for (let i = 0; i < 5 && messages.length > 0; i++) {
    const place = pseudo(seed, i, messages.length);
    const message = messages[place];
    const entry = new MessageEntry();
    expect(index.find(message.sequence, entry)).toBe(true);
    expect({ ...entry }).toEqual(message);
    expect(index.countFrom(message.sequence)).toBe(messages.length - place);
    expect(index.newest(messages.length - place)).toBe(message.sequence);
    expect(index.findSince(message.timeUs, entry)).toBe(true);
    expect({ ...entry }).toEqual(messages.find(({ timeUs }) => timeUs >= message.timeUs));
    const isSame = ({ subject }: Message) => subject === message.subject;
    const behind = messages.slice(place + 1).find(isSame)?.sequence ?? 0;
    const search = new MessageSearch(message.sequence + 1);
    while (search.goesOn) index.searchSubject(search, message.subject);
    expect(search.found).toBe(behind);
    const back = new MessageSearch(message.sequence);
    while (back.goesOn) index.searchBack(back, message.subject);
    expect(back.found).toBe(messages.slice(0, place).findLast(isSame)?.sequence ?? 0);
    const other = new MessageSearch(message.sequence);
    while (other.goesOn) index.search(other, (subject) => subject !== message.subject);
    expect(other.found).toBe(messages.slice(place).find((each) => !isSame(each))?.sequence ?? 0);
    const counting = new MessageSearch(message.sequence);
    let count = 0;
    while (counting.at > 0) count += index.count(counting, (subject) => subject === message.subject);
    expect(count).toBe(messages.slice(place).filter(isSame).length);
  }
}

function walked(index: MessageIndex): Message[] {
  const found: Message[] = [];
  const entry = new MessageEntry();
  for (let at = 0; index.findFrom(at, entry); at = entry.sequence + 1) found.push({ ...entry });
  return found;
}

test('a run that is entered as a whole is what its messages are one by one', () => {
  const index = new MessageIndex();
  const one = new MessageIndex();
  const sizes = Int32Array.from({ length: 2_500 }, (_, i) => 30 + (i % 7));
  for (const first of [5, 10_000]) {
    index.addRun(first, first, sizes, sizes.length, 3);
    for (const [i, bytes] of sizes.entries()) one.add(first + i, first, bytes, 3);
  }
  expect(walked(index)).toEqual(walked(one));
  expect([index.size, index.memoryBytes]).toEqual([one.size, one.memoryBytes]);
});

test('a message takes what it differs in from those beside it, and nothing when it is gone', () => {
  const index = new MessageIndex();
  const count = 200_000;
  for (let i = 0; i < count; i++) index.add(i + 1, 1.7e15 + Math.floor(i / 100), 158, 0);
  expect(index.memoryBytes / count).toBeLessThan(1.5);
  for (let i = 0; i < count; i++) index.add(count + i + 1, 1.8e15 + Math.floor(i / 100), 158, pseudo(1, i, 2 ** 20));
  expect(index.memoryBytes / count / 2).toBeLessThan(4);
  for (let i = 1; i <= 2 * count; i++) index.remove(i, new MessageEntry());
  expect(index.memoryBytes).toBe(0);
});
