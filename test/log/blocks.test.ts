import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { JournalMemory } from '../../src/base/kernel.js';
import { journalPageBytes, recordRowsMax } from '../../src/base/limits.js';
import { MessageView } from '../../src/base/messageView.js';
import { placeOf, Span } from '../../src/base/span.js';
import { BlockKind, paged } from '../../src/log/blockLayout.js';
import { BlockReader, readerBytes } from '../../src/log/blockReader.js';
import { BlockWriter } from '../../src/log/blockWriter.js';
import { EntryKind } from '../../src/log/entryLayout.js';
import { RecordRows, showRecord } from '../../src/log/recordRows.js';
import { RecordRun } from '../../src/log/recordRun.js';
import { RunRoom, runRoomBytes } from '../../src/log/runRoom.js';
import { RecordView } from '../../src/log/storage.js';

// Invariant 41 of docs/INVARIANTS.md.

const capacity = 64 * 1024;
const memory = new JournalMemory(capacity + readerBytes(capacity));
const journal = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
const writer = new BlockWriter(memory, new Span(memory.bytes), 0, capacity);
const reader = new BlockReader(memory, capacity, capacity, journal);

const sequences = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const texts = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => latin1String(bytes, 0, bytes.length));
const record = fc.record({
  kind: fc.constant(EntryKind.record),
  stream: sequences,
  sequence: sequences,
  timeUs: sequences,
  subject: texts(100),
  headers: texts(100),
  payload: texts(2_000),
});
const range = fc.record({
  kind: fc.constantFrom(EntryKind.removed, EntryKind.state, EntryKind.skipped),
  stream: sequences,
  first: sequences,
  last: sequences,
});
type Entry =
  | {
      kind: number;
      stream: number;
      sequence: number;
      timeUs: number;
      subject: string;
      headers: string;
      payload: string;
    }
  | { kind: number; stream: number; first: number; last: number };
const entries: fc.Arbitrary<Entry[]> = fc.array(fc.oneof(record, range), { maxLength: 20 });

function lay(entry: Entry): void {
  if ('first' in entry) {
    writer.range(entry.kind as EntryKind, entry.stream, entry.first, entry.last);
    return;
  }
  const { headers, payload } = entry;
  const view = new MessageView();
  view.withHeaders = headers !== '';
  view.span = new Span(latin1Bytes(`${headers}${payload}\r\n`));
  view.headerLengths[0] = headers.length;
  view.starts[0] = 0;
  view.ends[0] = headers.length + payload.length;
  const subject = placeOf(latin1Bytes(entry.subject));
  const at = writer.usedBytes;
  const run = new RecordRun();
  run.set(entry.stream, entry.sequence, entry.timeUs, subject, view, 0, 1);
  expect(writer.hasRoomFor(run.entryBytes)).toBe(true);
  expect(writer.record(run)).toBe(at);
}

/** Messages of these lengths as a run, with something between them. */
function runOf(messages: readonly { headers: number; payload: number }[], withHeaders: boolean): MessageView {
  const run = new MessageView();
  run.withHeaders = withHeaders;
  run.count = messages.length;
  let at = 0;
  for (const [i, { headers, payload }] of messages.entries()) {
    run.starts[i] = at += 20;
    run.headerLengths[i] = withHeaders ? headers : 0;
    run.ends[i] = at += payload + run.headerLengths[i]!;
    at += 2;
  }
  run.span = new Span(Uint8Array.from({ length: at }, (_, i) => i % 251));
  return run;
}

function readEntry(): Entry {
  const { entryKind: kind, stream } = reader;
  if (kind !== EntryKind.record) return { kind, stream, first: reader.first, last: reader.last };
  const text = (start: number, end: number) => latin1String(reader.span.bytes, start, end);
  const record = showRecord(new RecordView(), reader.span, reader.entryStart);
  const { sequence, timeUs, subjectStart, subjectEnd, start, headerBytes, end } = record;
  expect(text(end, end + 2)).toBe('\r\n');
  return {
    kind,
    stream,
    sequence,
    timeUs,
    subject: text(subjectStart, subjectEnd),
    headers: text(start, start + headerBytes),
    payload: text(start + headerBytes, end),
  };
}

function write(laid: readonly Entry[], position: number, before = 0): Uint8Array {
  memory.bytes.fill(before, 0, capacity);
  writer.clear();
  for (const entry of laid) lay(entry);
  writer.seal(BlockKind.data, journal, { position, durable: position, begin: 7, epoch: 3 }, new Uint8Array(8).fill(9));
  return writer.block.slice();
}

const positions = fc.nat(1_000_000).map((page) => page * journalPageBytes);

test('a block is read as it was laid', () => {
  fc.assert(
    fc.property(entries, positions, (laid, position) => {
      const block = write(laid, position);
      // nothing of what the memory held before gets into it
      expect(write(laid, position, 0xee)).toEqual(block);
      reader.room.set(block);
      expect(reader.claimedBytes(position)).toBe(block.length);
      expect(reader.check()).toBe(true);
      expect(reader).toMatchObject({ kind: BlockKind.data, durable: position, begin: 7, epoch: 3 });
      expect(reader.follows(new Uint8Array(8).fill(9))).toBe(true);
      const read: Entry[] = [];
      while (reader.next()) read.push(readEntry());
      expect(read).toEqual(laid);
    }),
  );
});

test('a block is taken only where it belongs, and in its own journal', () => {
  const block = write([{ kind: EntryKind.removed, stream: 1, first: 2, last: 3 }], 8192);
  reader.room.set(block);
  expect(reader.claimedBytes(4096)).toBe(0);
  expect(reader.claimedBytes(8192)).toBe(4096);
  const other = new BlockReader(memory, capacity, capacity, journal.slice().reverse());
  expect(other.claimedBytes(8192)).toBe(4096);
  expect(other.check()).toBe(false);
});

test('a run is laid as its messages would be one by one, as far as there is room', () => {
  const capacityBytes = 4 * journalPageBytes;
  const runMemory = new JournalMemory(2 * capacityBytes + runRoomBytes);
  const span = new Span(runMemory.bytes);
  const room = new RunRoom(runMemory, span, 2 * capacityBytes);
  const whole = new BlockWriter(runMemory, span, 0, capacityBytes, room);
  const single = new BlockWriter(runMemory, span, capacityBytes, capacityBytes);
  const message = fc.record({ headers: fc.nat(40), payload: fc.oneof(fc.nat(40), fc.nat(700), fc.nat(5_000)) });
  const runs = fc.array(fc.array(message, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 });
  const run = new RecordRun();
  let laidTogether = 0;
  fc.assert(
    fc.property(runs, fc.boolean(), fc.nat(300), fc.nat(capacityBytes), (given, withHeaders, subjectBytes, aim) => {
      runMemory.bytes.fill(0xaa, 0, 2 * capacityBytes);
      const subject = placeOf(latin1Bytes('s'.repeat(subjectBytes)));
      for (const each of [whole, single]) each.clear();
      let sequence = 2 ** 32 - 2;
      for (const messages of given) {
        run.set(7, sequence, 8, subject, runOf(messages, withHeaders), 0, messages.length);
        sequence += messages.length;
        while (run.from < run.to) {
          if (!single.hasRoomFor(run.entryBytes)) return;
          const laid = whole.records(run, aim);
          laidTogether = Math.max(laidTogether, laid);
          for (let i = 0; i < laid; i++) {
            single.record(run);
            run.skip(1);
          }
          expect(whole.usedBytes).toBe(single.usedBytes);
          // from the place of the header on, so that what is written behind a block is seen
          const [one, other] = [whole, single].map(({ block, usedBytes }) => block.subarray(0, usedBytes));
          expect(Buffer.compare(one!, other!)).toBe(0);
          const isBehind = single.usedBytes >= aim;
          if (run.from < run.to) expect(isBehind || !single.hasRoomFor(run.entryBytes)).toBe(true);
        }
      }
    }),
  );
  expect(laidTogether).toBeGreaterThan(5);
});

test('a bit flipped anywhere in a block is found, but in what fills up its last page', () => {
  const laid: Entry[] = [
    { kind: EntryKind.record, stream: 5, sequence: 6, timeUs: 7, subject: 'a.b', headers: '', payload: 'x'.repeat(77) },
    { kind: EntryKind.state, stream: 5, first: 1, last: 5 },
  ];
  const block = write(laid, 4096);
  const used = writer.usedBytes;
  expect(paged(used)).toBe(block.length);
  for (let bit = 0; bit < 8 * used; bit++) {
    reader.room.set(block);
    reader.room[bit >> 3]! ^= 1 << (bit & 7);
    const claimed = reader.claimedBytes(4096);
    expect(claimed === 0 || !reader.check(), `bit ${bit}`).toBe(true);
  }
});

/** Sequences of each row of records, and where it lies; a row is as long as may be. */
function rowsRead(): { stream: number; sequences: number[]; offsets: number[] }[] {
  const rows = new RecordRows();
  const read: ReturnType<typeof rowsRead> = [];
  reader.rewind();
  while (reader.next()) {
    if (reader.entryKind !== EntryKind.record) continue;
    reader.gather(rows);
    const all = Array.from({ length: rows.count }, (_, row) => row);
    expect(rows.end).toBe(rows.first + rows.count);
    expect(reader.sequence).toBe(rows.end - 1);
    read.push({
      stream: reader.stream,
      sequences: all.map((row) => rows.view(row).sequence),
      offsets: all.map((row) => rows.starts[row]! - rows.blockAt),
    });
  }
  return read;
}

/** The same, entry by entry. */
function rowsWalked(): ReturnType<typeof rowsRead> {
  const walked: ReturnType<typeof rowsRead> = [];
  let ended = true;
  reader.rewind();
  while (reader.next()) {
    const { stream, sequence, offset } = reader;
    const last = walked.at(-1);
    const isRecord = reader.entryKind === EntryKind.record;
    if (!isRecord) ended = true;
    else if (
      !ended &&
      last?.stream === stream &&
      last.sequences.at(-1) === sequence - 1 &&
      last.offsets.length < recordRowsMax
    ) {
      last.sequences.push(sequence);
      last.offsets.push(offset);
    } else {
      walked.push({ stream, sequences: [sequence], offsets: [offset] });
      ended = false;
    }
  }
  return walked;
}

test('rows of records are those that follow each other, up to what a row may have', () => {
  const small = { timeUs: 1, subject: '', headers: '', payload: '' };
  const step = fc.record({
    kind: fc.constantFrom(EntryKind.record, EntryKind.record, EntryKind.record, EntryKind.removed),
    stream: fc.constantFrom(5, 5, 5, 2 ** 40 + 5),
    gap: fc.constantFrom(0, 0, 0, 1),
  });
  const read = (laid: readonly Entry[]): void => {
    reader.room.set(write(laid, 0));
    expect(reader.check()).toBe(true);
    expect(rowsRead()).toEqual(rowsWalked());
  };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(1, 2 ** 32 - 3), (steps, first) => {
      let sequence = first;
      read(
        steps.map(({ kind, stream, gap }) => {
          sequence += 1 + gap;
          return kind === EntryKind.record
            ? { kind, stream, sequence, ...small }
            : { kind, stream, first: sequence, last: sequence };
        }),
      );
    }),
  );
  read(
    Array.from({ length: recordRowsMax + 200 }, (_, i) => ({
      kind: EntryKind.record,
      stream: 1,
      sequence: i + 1,
      ...small,
    })),
  );
});
