import type { RecordRows } from '../log/recordRows.js';
import type { RecordView } from '../log/storage.js';
import type { StreamContents } from './contents.js';
import type { StreamPublishing } from './publishing.js';
import type { StreamConfig } from './streamConfig.js';
import { countedBytes } from './streamLimits.js';
import { SubjectBatch, subjectBatchMax } from './subjectBatch.js';

/** Subjects of the rows that are entered: one for all streams of a thread, of which there may be many. */
const batch = new SubjectBatch();

/** Enters what is stored already, in order; before anything else. */
export class StreamRecovery {
  readonly #config: StreamConfig;
  readonly #contents: StreamContents;
  readonly #publishing: StreamPublishing;

  constructor(config: StreamConfig, contents: StreamContents, publishing: StreamPublishing) {
    this.#config = config;
    this.#contents = contents;
    this.#publishing = publishing;
  }

  recover(record: RecordView): void {
    this.#contents.enter(record, this.#counted(record));
    this.#publishing.recover(record);
  }

  /** The same for rows that follow each other; their subjects are looked up some at a time. */
  recoverRows(rows: RecordRows, from: number): void {
    for (let first = from; first < rows.count; first += subjectBatchMax)
      this.#recoverTogether(rows, first, Math.min(rows.count, first + subjectBatchMax));
  }

  #recoverTogether(rows: RecordRows, from: number, to: number): void {
    batch.begin(rows.span.bytes);
    for (let row = from; row < to; row++) batch.push(rows.subjectStart(row), rows.subjectEnd(row));
    this.#contents.subjects.addBatch(batch, rows.first + from);
    for (let row = from; row < to; row++) {
      const record = rows.view(row);
      this.#contents.enterKnown(batch.numbers[row - from], record, this.#counted(record));
      this.#publishing.recover(record);
    }
  }

  #counted({ subjectStart, subjectEnd, start, end, headerBytes }: RecordView): number {
    return countedBytes(this.#config, subjectEnd - subjectStart, headerBytes, end - start - headerBytes);
  }

  forget(sequence: number): void {
    this.#contents.forget(sequence);
  }

  end(): void {
    this.#contents.findLasts();
  }
}
