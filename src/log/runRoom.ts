import { assert } from '../base/assert.js';
import type { JournalMemory } from '../base/kernel.js';
import { kernelOverrunBytes } from '../base/kernel.js';
import { runMessagesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { lineEndBytes } from '../base/ownMessage.js';
import { copySpan, type Span } from '../base/span.js';
import {
  EntryKind,
  entryKindAt,
  headerBytesAt,
  recordHeadBytes,
  sequenceAt,
  streamAt,
  subjectBytesAt,
  timeAt,
} from './entryLayout.js';
import type { RecordRun } from './recordRun.js';
import { setWord } from './words.js';

// What the kernel's `layRecords` reads and writes:
//
//   0         8                    8,192
//   | end u32 | head and subject   | starts, ends, header lengths, i32 each | bytes of the run |
//
// - end: where the records that were laid end; written by the kernel
// - head: of the first record, as in entryLayout.ts, but for its length
const endAt = 0;
const headAt = endAt + 8;
const tablesAt = 8 * 1024;
const tableBytes = 4 * runMessagesMax;
const bytesAt = tablesAt + 3 * tableBytes;
const runBytesMax = 256 * 1024;
const subjectBytesMax = tablesAt - headAt - recordHeadBytes - kernelOverrunBytes;

/** What a room for runs takes of memory, in bytes; what is never used takes none. */
export const runRoomBytes = bytesAt + runBytesMax + kernelOverrunBytes;

/** Where messages of a run are put for the kernel, which lays them as records in the same memory. */
export class RunRoom {
  readonly #memory: JournalMemory;
  readonly #span: Span;
  readonly #at: number;
  readonly #tables: readonly Int32Array[];

  /** @param span all of `memory`, of which `runRoomBytes` from `at` on are for this */
  constructor(memory: JournalMemory, span: Span, at: number) {
    assert(at % 8 === 0 && at + runRoomBytes <= span.bytes.length, 'there is room, and it begins at a word');
    this.#memory = memory;
    this.#span = span;
    this.#at = at;
    const { buffer } = memory.bytes;
    this.#tables = [0, 1, 2].map((i) => new Int32Array(buffer, at + tablesAt + i * tableBytes, runMessagesMax));
  }

  /** Whether the kernel lays the next messages of a run: who says no lays the first of them himself. */
  takes({ subjectBytes, messages, from }: RecordRun): boolean {
    return subjectBytes <= subjectBytesMax && this.#countThatFit(messages, from, from + 1) === 1;
  }

  /**
   * Lays the next messages of a run, as far as they fit here and below `end`, one at least unless that has no room; none but the first
   * begins at `aim` or behind it. Returns how many.
   *
   * @param at where, an address, as the others are
   */
  lay(run: RecordRun, at: number, aim: number, end: number): number {
    const { messages, from } = run;
    const count = this.#countThatFit(messages, from, run.to);
    this.#layHead(run);
    const base = this.#copyRun(messages, from, count);
    const headBytes = recordHeadBytes + run.subjectBytes;
    const tables = this.#at + tablesAt;
    const headers = messages.withHeaders ? 1 : 0;
    return this.#memory.layRecords(at, aim, end, this.#at, headBytes, base, tables, tableBytes, count, headers);
  }

  /** Where what was laid last ends. */
  get laidEnd(): number {
    return this.#span.view.getUint32(this.#at + endAt, true);
  }

  #countThatFit({ starts, ends }: MessageView, from: number, to: number): number {
    const end = starts[from] + runBytesMax - lineEndBytes;
    let count = 0;
    while (from + count < to && ends[from + count] <= end) count++;
    return count;
  }

  #layHead({ stream, sequence, timeUs, subject, subjectBytes }: RecordRun): void {
    const { view } = this.#span;
    const at = this.#at + headAt;
    view.setUint16(at + entryKindAt, EntryKind.record, true);
    view.setUint16(at + subjectBytesAt, subjectBytes, true);
    setWord(view, at + streamAt, stream);
    setWord(view, at + sequenceAt, sequence);
    setWord(view, at + timeAt, timeUs);
    setWord(view, at + headerBytesAt, 0);
    copySpan(this.#span, at + recordHeadBytes, subject.span, subject.start, subject.end);
  }

  /** Returns the address from which the run's positions are counted. */
  #copyRun(run: MessageView, from: number, count: number): number {
    const { span, starts, ends, headerLengths } = run;
    const [ownStarts, ownEnds, ownHeaderLengths] = this.#tables;
    for (let i = 0; i < count; i++) {
      ownStarts[i] = starts[from + i];
      ownEnds[i] = ends[from + i];
    }
    if (run.withHeaders) for (let i = 0; i < count; i++) ownHeaderLengths[i] = headerLengths[from + i];
    const at = this.#at + bytesAt;
    copySpan(this.#span, at, span, starts[from], ends[from + count - 1] + lineEndBytes);
    return at - starts[from];
  }
}
