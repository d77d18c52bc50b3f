import { recordRowsMax } from '../base/limits.js';
import { lineEndBytes } from '../base/ownMessage.js';
import type { EntryRows } from '../base/shownRows.js';
import { nowhere, type Span } from '../base/span.js';
import { entryLengthAt, headerBytesAt, recordHeadBytes, sequenceAt, subjectBytesAt, timeAt } from './entryLayout.js';
import { type RecordRun, RecordView } from './storage.js';
import { getWord } from './words.js';

/** Records of one stream whose sequences follow each other, where they lie in one block. Filled anew for those that follow: `EntryWalk.gather`. */
export class RecordRows implements RecordRun, EntryRows {
  /** The sequence of the first one. */
  first = 0;
  count = 0;
  span: Span = nowhere.span;
  /** Where their block begins in the span. */
  blockAt = 0;
  /** Where the entry of each begins in the span. */
  readonly starts = new Uint32Array(recordRowsMax);
  readonly #record = new RecordView();

  /** The sequence behind the last one. */
  get end(): number {
    return this.first + this.count;
  }

  subjectStart(row: number): number {
    return this.starts[row] + recordHeadBytes;
  }

  subjectEnd(row: number): number {
    return this.subjectStart(row) + this.span.view.getUint16(this.starts[row] + subjectBytesAt, true);
  }

  get entries(): EntryRows {
    return this;
  }

  bodyBytes(row: number): number {
    return this.span.view.getUint32(this.starts[row] + entryLengthAt, true) - recordHeadBytes;
  }

  entryEnd(row: number): number {
    return this.starts[row] + this.span.view.getUint32(this.starts[row] + entryLengthAt, true);
  }

  /** Shows one of them. */
  view(row: number): RecordView {
    return showRecord(this.#record, this.span, this.starts[row]);
  }
}

/** Shows the record whose entry begins at `entry`. */
export function showRecord(record: RecordView, span: Span, entry: number): RecordView {
  const { view } = span;
  record.sequence = getWord(view, entry + sequenceAt);
  record.timeUs = getWord(view, entry + timeAt);
  record.span = span;
  record.subjectStart = entry + recordHeadBytes;
  record.subjectEnd = record.start = record.subjectStart + view.getUint16(entry + subjectBytesAt, true);
  record.headerBytes = view.getUint32(entry + headerBytesAt, true);
  record.end = entry + view.getUint32(entry + entryLengthAt, true) - lineEndBytes;
  return record;
}
