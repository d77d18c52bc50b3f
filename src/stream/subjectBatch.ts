import { assert } from '../base/assert.js';
import { nowhere } from '../base/span.js';

/** Most subjects that are looked up together. */
export const subjectBatchMax = 64;

/** Subjects of messages that follow each other, which are looked up together: `SubjectIndex.addBatch`. */
export class SubjectBatch {
  count = 0;
  bytes: Uint8Array = nowhere.span.bytes;
  readonly starts = new Uint32Array(subjectBatchMax);
  readonly ends = new Uint32Array(subjectBatchMax);
  readonly hashes = new Uint32Array(subjectBatchMax);
  /** The number of each, once it was looked up. */
  readonly numbers = new Uint32Array(subjectBatchMax);
  /** What was read for nothing but having it near: nobody may leave those reads out. */
  touched = 0;

  /** Forgets all; those that follow lie in `bytes`. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.count = 0;
  }

  push(start: number, end: number): void {
    assert(this.count < subjectBatchMax, 'a batch has its bound');
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }
}
