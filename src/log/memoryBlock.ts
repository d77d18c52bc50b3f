import { assert } from '../base/assert.js';
import type { MessageView } from '../base/messageView.js';
import { lineEndBytes } from '../base/ownMessage.js';
import { copySpan, type Place, Span } from '../base/span.js';
import type { RecordRun, RecordView } from './storage.js';

// A record:
//
//   0            8             10     12             16             20
//   | time (f64) | subject u16 |      | headers u32  | length u32   | subject, headers, payload, CR LF
//
// The length is that of headers and payload.
const timeAt = 0;
const subjectBytesAt = timeAt + 8;
const headerBytesAt = subjectBytesAt + 4;
const lengthAt = headerBytesAt + 4;
/** What a record takes beside its subject, headers and payload, in bytes. */
export const recordHeadBytes = lengthAt + 4;

/** What a record takes of a block, in bytes. */
export function recordBytes(subject: Place, messages: MessageView, index: number): number {
  const messageBytes = messages.ends[index] - messages.starts[index];
  return recordHeadBytes + subject.end - subject.start + messageBytes + lineEndBytes;
}

const removed = -1;
const entriesMin = 16;

/** Records of a stretch of sequences in one piece of memory, in their order. */
export class MemoryBlock {
  readonly span: Span;
  usedBytes = 0;
  /** Records that are there, and their bytes. */
  live = 0;
  liveBytes = 0;
  /** Entries, those of removed records included. */
  #count = 0;
  #sequences = new Float64Array(entriesMin);
  /** Where each begins; `removed` for one that is gone. */
  #offsets = new Int32Array(entriesMin);

  constructor(lengthBytes: number) {
    this.span = new Span(new Uint8Array(lengthBytes));
  }

  get firstSequence(): number {
    return this.#sequences[0];
  }

  get memoryBytes(): number {
    return this.span.bytes.length + this.#sequences.length * (8 + 4);
  }

  hasRoom(neededBytes: number): boolean {
    return this.usedBytes + neededBytes <= this.span.bytes.length;
  }

  /** @param sequence behind all that are here; there is room */
  append(sequence: number, subject: Place, messages: MessageView, index: number, timeUs: number): void {
    const start = messages.starts[index];
    const end = messages.ends[index];
    const at = this.usedBytes;
    const { view } = this.span;
    view.setFloat64(at + timeAt, timeUs, true);
    view.setUint16(at + subjectBytesAt, subject.end - subject.start, true);
    view.setUint32(at + headerBytesAt, messages.headerBytes(index), true);
    view.setUint32(at + lengthAt, end - start, true);
    const bodyAt = copySpan(this.span, at + recordHeadBytes, subject.span, subject.start, subject.end);
    this.#enter(sequence, copySpan(this.span, bodyAt, messages.span, start, end + lineEndBytes) - at);
  }

  /** Fills `record` unless there is none; returns whether there is. */
  show(sequence: number, record: RecordView): boolean {
    const entry = this.#find(sequence);
    if (entry < 0) return false;
    this.#show(entry, record);
    return true;
  }

  has(sequence: number): boolean {
    return this.#find(sequence) >= 0;
  }

  /** Shows a record that is there, and as long as that says so those behind it, before another sequence: by runs. */
  showFrom(sequence: number, end: number, record: RecordView, visit: (records: RecordRun) => boolean): void {
    const behind = Math.max(end, sequence + 1);
    for (let entry = this.#find(sequence); entry < this.#count && this.#sequences[entry] < behind; ) {
      const count = this.#offsets[entry] === removed ? 0 : this.#runFrom(entry, behind);
      if (count > 0 && !visit(this.#runAt(entry, count, record))) return;
      entry += Math.max(1, count);
    }
  }

  /** How many records from one on follow each other, before another sequence. */
  #runFrom(entry: number, end: number): number {
    const first = this.#sequences[entry];
    const last = Math.min(this.#count, entry + end - first);
    let at = entry + 1;
    while (at < last && this.#offsets[at] !== removed && this.#sequences[at] === first + at - entry) at++;
    return at - entry;
  }

  #runAt(entry: number, count: number, record: RecordView): RecordRun {
    const view = (row: number): RecordView => {
      this.#show(entry + row, record);
      return record;
    };
    return { first: this.#sequences[entry], count, entries: null, view };
  }

  forEach(record: RecordView, visit: (record: RecordView) => void): void {
    for (let entry = 0; entry < this.#count; entry++) {
      if (this.#offsets[entry] === removed) continue;
      this.#show(entry, record);
      visit(record);
    }
  }

  /** Removes a record that is here. */
  remove(sequence: number, erase: boolean): void {
    const entry = this.#find(sequence);
    assert(entry >= 0, 'only what is there is removed');
    const at = this.#offsets[entry];
    const length = this.#lengthAt(at);
    if (erase) this.span.bytes.fill(0, at + recordHeadBytes, at + length);
    this.#offsets[entry] = removed;
    this.live--;
    this.liveBytes -= length;
  }

  /** Copies all that is here behind what another block has, which has room. */
  moveTo(target: MemoryBlock): void {
    for (let entry = 0; entry < this.#count; entry++) {
      const at = this.#offsets[entry];
      if (at === removed) continue;
      const length = this.#lengthAt(at);
      copySpan(target.span, target.usedBytes, this.span, at, at + length);
      target.#enter(this.#sequences[entry], length);
    }
  }

  #enter(sequence: number, lengthBytes: number): void {
    if (this.#count === this.#sequences.length) this.#grow();
    this.#sequences[this.#count] = sequence;
    this.#offsets[this.#count++] = this.usedBytes;
    this.usedBytes += lengthBytes;
    this.live++;
    this.liveBytes += lengthBytes;
  }

  #grow(): void {
    const sequences = new Float64Array(2 * this.#count);
    sequences.set(this.#sequences);
    this.#sequences = sequences;
    const offsets = new Int32Array(2 * this.#count);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
  }

  #lengthAt(at: number): number {
    const { view } = this.span;
    const subjectBytes = view.getUint16(at + subjectBytesAt, true);
    return recordHeadBytes + subjectBytes + view.getUint32(at + lengthAt, true) + lineEndBytes;
  }

  #show(entry: number, record: RecordView): void {
    const { span } = this;
    const { view } = span;
    const at = this.#offsets[entry];
    record.sequence = this.#sequences[entry];
    record.timeUs = view.getFloat64(at + timeAt, true);
    record.span = span;
    record.subjectStart = at + recordHeadBytes;
    record.subjectEnd = record.start = record.subjectStart + view.getUint16(at + subjectBytesAt, true);
    record.headerBytes = view.getUint32(at + headerBytesAt, true);
    record.end = record.start + view.getUint32(at + lengthAt, true);
  }

  /** The entry of a record that is there; -1 when there is none. */
  #find(sequence: number): number {
    // without gaps it is where it would be
    const guess = sequence - this.#sequences[0];
    if (guess >= 0 && guess < this.#count && this.#sequences[guess] === sequence) return this.#ifLive(guess);
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sequences[middle] < sequence) low = middle + 1;
      else high = middle;
    }
    return this.#sequences[low] === sequence ? this.#ifLive(low) : -1;
  }

  #ifLive(entry: number): number {
    return this.#offsets[entry] === removed ? -1 : entry;
  }
}
