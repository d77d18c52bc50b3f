import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/base/bytes.js';
import { recordRowsMax } from '../../src/base/limits.js';
import { Span } from '../../src/base/span.js';
import { entryLengthAt, recordHeadBytes, sequenceAt, subjectBytesAt, timeAt } from '../../src/log/entryLayout.js';
import { MemoryStorage } from '../../src/log/memoryStorage.js';
import { RecordRows } from '../../src/log/recordRows.js';
import { setWord } from '../../src/log/words.js';
import { Stream } from '../../src/stream/stream.js';
import { subjectBatchMax } from '../../src/stream/subjectBatch.js';
import { SubjectFilter } from '../../src/stream/subjectFilter.js';
import { randomFrom } from '../sim/random.js';
import { ampleMemory, configOf, finish } from './streams.js';

// Invariant 42 of docs/INVARIANTS.md.

const subjects = Array.from({ length: 40 }, (_, i) => `s.${'x'.repeat(i % 7)}${i}`);

/** Records as a block has them; the first one has that sequence. */
function rowsOf(first: number, count: number, seed: number): RecordRows {
  const random = randomFrom(seed);
  const rows = new RecordRows();
  const span = new Span(new Uint8Array(128 * count));
  const { bytes, view } = span;
  for (let row = 0; row < count; row++) {
    const at = 128 * row;
    const subject = latin1Bytes(subjects[random(subjects.length)]!);
    const bodyBytes = random(30);
    view.setUint32(at + entryLengthAt, recordHeadBytes + subject.length + bodyBytes + 2, true);
    view.setUint16(at + subjectBytesAt, subject.length, true);
    setWord(view, at + sequenceAt, first + row);
    setWord(view, at + timeAt, 1_000 + first + row);
    bytes.set(subject, at + recordHeadBytes);
    rows.starts[row] = at;
  }
  return Object.assign(rows, { first, count, span });
}

function emptyStream(): Stream {
  return new Stream(configOf({}), 0, new MemoryStorage(1), ampleMemory());
}

test.each([
  [1, 0],
  [subjectBatchMax, 0],
  [subjectBatchMax + 1, 1],
  [recordRowsMax, 70],
  [5 * subjectBatchMax, 3 * subjectBatchMax],
])('a stream takes %i rows of records, from row %i on, as it takes them one by one', (count, from) => {
  const [together, each] = [emptyStream(), emptyStream()];
  for (const rows of [rowsOf(1, count, 1), rowsOf(count + 5, count, 2)]) {
    together.recoverRows(rows, from);
    for (let row = from; row < count; row++) each.recover(rows.view(row));
  }
  const shown = ({ messages, subjects: known, bytes, lastTimeUs }: Stream) => [messages, known, bytes, lastTimeUs];
  expect(shown(together)).toEqual(shown(each));
  expect(together.messages).toBe(2 * (count - from));
  for (const subject of subjects) {
    const filter = new SubjectFilter(subject);
    expect(together.lastOf(filter), subject).toBe(each.lastOf(filter));
    for (let sequence = 1; sequence < 2 * count + 5; sequence += 17)
      expect(finish(together.search.nextOf(filter, sequence))).toBe(finish(each.search.nextOf(filter, sequence)));
  }
});
