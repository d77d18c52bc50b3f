import type { RecordView } from '../log/storage.js';
import type { StreamContents } from './contents.js';
import type { StreamPublishing } from './publishing.js';
import type { StreamConfig } from './streamConfig.js';
import { countedBytes } from './streamLimits.js';

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
    const { subjectStart, subjectEnd, start, end, headerBytes } = record;
    const bytes = countedBytes(this.#config, subjectEnd - subjectStart, headerBytes, end - start - headerBytes);
    this.#contents.enter(record, bytes);
    this.#publishing.recover(record);
  }

  forget(sequence: number): void {
    this.#contents.forget(sequence);
  }

  end(): void {
    this.#contents.findLasts();
  }
}
