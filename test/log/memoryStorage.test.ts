import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { placeOf, Span } from '../../src/base/span.js';
import { MemoryStorage } from '../../src/log/memoryStorage.js';
import type { RecordView } from '../../src/log/storage.js';

// Invariant 40 of docs/INVARIANTS.md.

interface Kept {
  sequence: number;
  timeUs: number;
  subject: string;
  headers: string;
  payload: string;
}

/** A run of messages with headers, all of that payload length. */
function runOf(
  first: number,
  count: number,
  lengthBytes: number,
): { view: MessageView; kept: Omit<Kept, 'sequence'>[] } {
  const view = new MessageView();
  const headers = 'NATS/1.0\r\n\r\n';
  const kept: Omit<Kept, 'sequence'>[] = [];
  let text = '';
  view.withHeaders = true;
  view.count = count;
  for (let i = 0; i < count; i++) {
    const payload = `${first + i}`.padEnd(lengthBytes, '.');
    view.starts[i] = text.length;
    view.headerLengths[i] = headers.length;
    text += headers + payload;
    view.ends[i] = text.length;
    text += '\r\n';
    kept.push({ timeUs: 1.7e15 + first, subject: `s.${first % 3}`, headers, payload });
  }
  view.span = new Span(latin1Bytes(text));
  return { view, kept };
}

function keptOf(record: RecordView): Kept {
  const { sequence, timeUs, span, subjectStart, subjectEnd, start, headerBytes, end } = record;
  const text = (from: number, to: number) => latin1String(span.bytes, from, to);
  const [subject, headers] = [text(subjectStart, subjectEnd), text(start, start + headerBytes)];
  expect(text(end, end + 2)).toBe('\r\n');
  return { sequence, timeUs, subject, headers, payload: text(start + headerBytes, end) };
}

function read(storage: MemoryStorage, sequence: number): Kept | null {
  let kept: Kept | null = null;
  storage.read(sequence, (record) => {
    kept = record === null ? null : keptOf(record);
  });
  return kept;
}

const lengths = fc.oneof(fc.nat(60), fc.integer({ min: 1_000, max: 5_000 }), fc.integer({ min: 60_000, max: 300_000 }));
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('append'), count: fc.integer({ min: 1, max: 9 }), lengthBytes: lengths }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('remove'), at: fc.nat(), erase: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('below'), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('skip'), by: fc.nat(1000) }) },
);

test('what is stored is there until it is removed, each under its sequence, and memory follows what is there', () => {
  const firsts = fc.constantFrom(1, 10, 2 ** 40);
  fc.assert(
    fc.property(firsts, fc.array(step, { maxLength: 150 }), (first, steps) => {
      const storage = new MemoryStorage(first);
      const model = new Map<number, Kept>();
      let next = first;
      for (const each of steps) {
        const sequences = [...model.keys()];
        const position = storage.position;
        if ('count' in each) {
          const { view, kept } = runOf(next, each.count, each.lengthBytes);
          storage.append(placeOf(latin1Bytes(kept[0]!.subject)), view, 0, each.count, kept[0]!.timeUs);
          for (const message of kept) model.set(next, { sequence: next++, ...message });
        } else if ('erase' in each) {
          const sequence = sequences[each.at % sequences.length];
          if (sequence === undefined) continue;
          storage.remove(sequence, each.erase);
          model.delete(sequence);
        } else if ('by' in each) {
          next += each.by;
          storage.skipTo(next);
        } else {
          const below = sequences[each.at % sequences.length] ?? next;
          for (const sequence of sequences) if (sequence < below) storage.remove(sequence, false);
          for (const sequence of sequences) if (sequence < below) model.delete(sequence);
        }
        expect(storage.position).toBeGreaterThanOrEqual(position);
        expect([storage.nextSequence, storage.committed]).toEqual([next, storage.position]);
        for (const sequence of [...sequences.slice(0, 3), ...sequences.slice(-3), next, first - 1])
          expect(read(storage, sequence)).toEqual(model.get(sequence) ?? null);
      }
      const found: Kept[] = [];
      void storage.scan((record) => found.push(keptOf(record)));
      expect(found).toEqual([...model.values()]);
      const bytes = found.reduce((sum, { payload, headers }) => sum + payload.length + headers.length + 100, 0);
      // gaps take less than what is there, the block that is filled is at most twice as long as one before it
      expect(storage.memoryBytes).toBeLessThan(3 * bytes + 800_000);
    }),
    { numRuns: 60 },
  );
});
