import { latin1String } from '../base/bytes.js';
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
  /** Most often a record's subject is that of the one before. */
  #text = '';

  constructor(config: StreamConfig, contents: StreamContents, publishing: StreamPublishing) {
    this.#config = config;
    this.#contents = contents;
    this.#publishing = publishing;
  }

  recover(record: RecordView): void {
    const { sequence, timeUs, span, subjectStart, subjectEnd, start, end, headerBytes } = record;
    if (!isText(this.#text, span.bytes, subjectStart, subjectEnd))
      this.#text = latin1String(span.bytes, subjectStart, subjectEnd);
    const bytes = countedBytes(this.#config, subjectEnd - subjectStart, headerBytes, end - start - headerBytes);
    this.#contents.enter(this.#text, sequence, timeUs, bytes);
    this.#publishing.recover(record);
  }

  forget(sequence: number): void {
    this.#contents.forget(sequence);
  }

  end(): void {
    this.#contents.findLasts();
  }
}

/** Whether bytes are a text of one byte a character. */
function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
