import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { PieceReader, PieceWriter } from '../../src/base/pieces.js';
import { publishedSubject } from '../../src/base/publishedSubject.js';
import { SubjectBatch, subjectBatchMax } from '../../src/stream/subjectBatch.js';
import { SubjectIndex } from '../../src/stream/subjectIndex.js';

// Invariant 42 of docs/INVARIANTS.md.

/** Adds messages together, each twice, and some at a time. */
function addTogether(index: SubjectIndex, texts: readonly string[], sequence: number): number[] {
  const batch = new SubjectBatch();
  const numbers: number[] = [];
  const each = subjectBatchMax / 2;
  for (let from = 0; from < texts.length; from += each) {
    const bytes = latin1Bytes(texts.slice(from, from + each).join(''));
    batch.begin(bytes);
    let at = 0;
    for (const text of texts.slice(from, from + each)) {
      for (let i = 0; i < 2; i++) batch.push(at, at + text.length);
      at += text.length;
    }
    index.addBatch(batch, sequence + 2 * from);
    for (let i = 0; i < batch.count; i++) numbers.push(batch.numbers[i]!);
  }
  return numbers;
}

const step = fc.record({
  kind: fc.constantFrom('add', 'together', 'remove'),
  from: fc.nat(600),
  count: fc.integer({ min: 1, max: 400 }),
  /** How long texts are. */
  length: fc.constantFrom(1, 20, 2_000),
});

test('subjects are found by text and by number, whichever come and go', () => {
  const runs = Number(process.env.INDEX_RUNS ?? 15);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.nat(), (steps, seed) => {
      let index = new SubjectIndex();
      const model = new Map<string, { number: number; count: number; last: number }>();
      let sequence = 1;
      for (const { kind, from, count, length } of steps) {
        if (kind === 'together') {
          const texts = Array.from({ length: count }, (_, i) => `${from + i}.`.padEnd(length, 'x'));
          const numbers = addTogether(index, texts, sequence);
          for (const [i, text] of texts.entries()) {
            const known = model.get(text);
            const [number, again] = [numbers[2 * i]!, numbers[2 * i + 1]!];
            expect([number, again]).toEqual([known?.number ?? number, number]);
            model.set(text, { number, count: (known?.count ?? 0) + 2, last: sequence + 1 });
            sequence += 2;
          }
        }
        for (let i = from; kind !== 'together' && i < from + count; i++) {
          const text = `${i}.`.padEnd(length, 'x');
          const known = model.get(text);
          if (kind === 'add') {
            const number = index.addPublished(publishedSubject(text), sequence, 2);
            expect(number).toBe(known?.number ?? number);
            model.set(text, { number, count: (known?.count ?? 0) + 2, last: sequence + 1 });
            sequence += 2;
          } else if (known !== undefined) {
            for (; known.count > 0; known.count--) index.remove(known.number);
            model.delete(text);
          }
        }
        if (seed % 3 === 0) index = restored(index);
        expect(index.size).toBe(model.size);
        const numbers = new Set<number>();
        for (let number = 0; number < index.end; number++) if (index.has(number)) numbers.add(number);
        expect(numbers).toEqual(new Set([...model.values()].map(({ number }) => number)));
        for (const [text, { number, count: messages, last }] of model) {
          expect(index.find(text)).toBe(number);
          expect([index.text(number), index.count(number), index.last(number)]).toEqual([text, messages, last]);
        }
        expect(index.find('none')).toBe(-1);
      }
    }),
    { numRuns: runs },
  );
});

function restored(index: SubjectIndex): SubjectIndex {
  const target = new PieceWriter();
  Array.from(index.save(target));
  const again = new SubjectIndex();
  again.restore(new PieceReader(Buffer.concat(target.pieces)));
  return again;
}

test('a subject takes little beside its text, and nothing when it is gone, however many come and go', () => {
  const index = new SubjectIndex();
  const count = 100_000;
  for (let i = 0; i < count; i++) index.addPublished(publishedSubject(`orders.${i}`), i + 1, 1);
  const before = index.memoryBytes;
  expect(before / count).toBeLessThan(80);
  for (let i = 0; i < 2 * count; i++) {
    if (i % 10 !== 0) index.remove(index.find(`orders.${i}`));
    index.addPublished(publishedSubject(`orders.${count + i}`), count + i + 1, 1);
    if (i % 10 === 0) continue;
  }
  expect(index.memoryBytes).toBeLessThan(2 * before);
  for (let number = 0; number < index.end; number++) if (index.has(number)) index.remove(number);
  expect(index.memoryBytes).toBe(0);
});
