import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena, type ArenaCell, cellSuits } from '../../src/base/arena.js';
import { latin1Bytes } from '../../src/base/bytes.js';
import { arenaBlockBytes } from '../../src/base/limits.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { Topic } from '../../src/router/topic.js';
import { LastValues } from '../../src/shard/lastValues.js';

// Invariant 20 of docs/INVARIANTS.md.

function topicOf(text: string): Topic {
  const topic = new Topic(latin1Bytes(text), text, 0, 1, 0, 'literal', 0);
  topic.keepsLast = true;
  return topic;
}

/** A run of so many messages, the last of which is `text`. */
function runOf(text: string, count: number): MessageView {
  const bytes = latin1Bytes(`${'older\r\n'.repeat(count - 1)}${text}\r\n`);
  const message = new MessageView();
  message.set(new Span(bytes), 0, 5);
  message.count = count;
  for (let i = 0; i < count; i++) {
    message.starts[i] = i * 7;
    message.ends[i] = i === count - 1 ? bytes.length - 2 : i * 7 + 5;
  }
  return message;
}

/** Subjects and what was kept of them, from the oldest change to the newest. */
function contents(values: LastValues): [string, string][] {
  const found: [string, string][] = [];
  const view = new MessageView();
  let before = 0;
  for (let value = values.oldest; value !== null; value = value.newer) {
    expect(value.stamp).toBeGreaterThan(before);
    before = value.stamp;
    expect(values.find(value.subject)).toBe(value);
    value.view(view);
    found.push([value.subject, Buffer.from(view.bytes.subarray(view.starts[0], view.ends[0])).toString('latin1')]);
  }
  return found;
}

const lengths = fc.oneof(fc.nat(40), fc.integer({ min: 100, max: 3_000 }), fc.integer({ min: 60_000, max: 69_000 }));
const tooLong = 71_000;
const length = fc.oneof({ weight: 9, arbitrary: lengths }, { weight: 1, arbitrary: fc.constant(tooLong) });
const change = fc.record({ topic: fc.nat(11), length, count: fc.integer({ min: 1, max: 4 }) });

test('what is kept is the last of each subject, oldest first, and the oldest makes room', () => {
  const bounds = fc.record({
    messagesMax: fc.integer({ min: 1, max: 12 }),
    bytesMax: fc.constantFrom(70_000, 300_000, 2_000_000),
  });
  fc.assert(
    fc.property(bounds, fc.array(change, { maxLength: 120 }), (bound, changes) => {
      const told: string[] = [];
      const values = new LastValues(bound, ({ subject }) => told.push(subject));
      const topics = Array.from({ length: 12 }, (_, i) => topicOf(`topic.${i}`));
      const model = new Map<string, string>();
      let [evicted, refused] = [0, 0];
      for (const [i, { topic, length, count }] of changes.entries()) {
        const subject = topics[topic]!.text;
        const text = `${i}`.padEnd(length, '.');
        const expectedTold = model.has(subject) ? [subject] : [];
        values.keep(topics[topic]!, runOf(text, count));
        model.delete(subject);
        // what is too large to be kept leaves nothing of its subject: that would not be the last any more
        if (length > bound.bytesMax) refused++;
        else model.set(subject, text);
        // whoever has to make room is the oldest, and is told of before it goes
        for (const oldest of [...model.keys()].slice(0, model.size - values.size)) {
          expectedTold.push(oldest);
          model.delete(oldest);
          evicted++;
        }
        if (bound.bytesMax > 1_000_000) expect(evicted === 0 || model.size === bound.messagesMax).toBe(true);
        expect(contents(values)).toEqual([...model]);
        expect(values.size).toBeLessThanOrEqual(bound.messagesMax);
        expect(values.bytes).toBeLessThanOrEqual(bound.bytesMax);
        expect(told.splice(0)).toEqual(expectedTold);
      }
      expect([values.evicted, values.refused]).toEqual([evicted, refused]);
    }),
  );
});

test('nothing is dropped while there is room', () => {
  const values = new LastValues({ messagesMax: 100, bytesMax: 10_000_000 }, () => {});
  const topics = Array.from({ length: 100 }, (_, i) => topicOf(`topic.${i}`));
  for (let round = 0; round < 5; round++)
    for (const topic of topics) values.keep(topic, runOf(`${round}`.repeat(1 + ((round * 997) % 700)), 1));
  expect(values.size).toBe(100);
  expect(values.evicted + values.refused).toBe(0);
});

class Cell implements ArenaCell {
  block: ArenaCell['block'] = null;
  at = 0;
  capacity = 0;
  place = 0;
  readonly mark: number;

  constructor(mark: number) {
    this.mark = mark;
  }
}

test('an arena’s cells keep their bytes wherever they are moved, and gaps are closed', () => {
  const step = fc.record({ cell: fc.nat(63), lengthBytes: lengths, gives: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const arena = new Arena();
      const cells = Array.from({ length: 64 }, (_, i) => new Cell(i + 1));
      for (const { cell: index, lengthBytes, gives } of steps) {
        const cell = cells[index]!;
        arena.give(cell);
        if (!gives) {
          arena.take(cell, lengthBytes);
          expect(cellSuits(cell, lengthBytes)).toBe(true);
          cell.block!.span.bytes.fill(cell.mark, cell.at, cell.at + cell.capacity);
        }
        let liveBytes = 0;
        for (const each of cells) {
          liveBytes += each.capacity;
          const bytes = each.block?.span.bytes.subarray(each.at, each.at + each.capacity) ?? new Uint8Array();
          expect(bytes).toHaveLength(each.capacity);
          expect(bytes.every((byte) => byte === each.mark)).toBe(true);
        }
        expect(arena.liveBytes).toBe(liveBytes);
        // a third more than what is in use, and the block that is open and its predecessor
        expect(arena.blockBytes).toBeLessThanOrEqual((liveBytes * 4) / 3 + 2 * arenaBlockBytes);
      }
    }),
    { numRuns: 30 },
  );
});
