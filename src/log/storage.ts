import type { MessageView } from '../base/messageView.js';
import type { PieceWriter } from '../base/pieces.js';
import type { EntryRows } from '../base/shownRows.js';
import { nowhere, type Place, type Span } from '../base/span.js';
import type { RecordRows } from './recordRows.js';

/** A stored message where it lies. Valid until the call that shows it returns. */
export class RecordView {
  sequence = 0;
  /** When it was stored: microseconds since 1970. */
  timeUs = 0;
  span: Span = nowhere.span;
  subjectStart = 0;
  subjectEnd = 0;
  /** `span[start, start + headerBytes)` is the headers block, and the payload goes to `end`. CR LF stands behind it. */
  start = 0;
  headerBytes = 0;
  end = 0;
}

/** Records of one stream whose sequences follow each other. Valid until the call that shows them returns. */
export interface RecordRun {
  /** The sequence of the first one. */
  readonly first: number;
  readonly count: number;
  /** The same where they lie as entries of a journal; else null. */
  readonly entries: EntryRows | null;
  /** Shows one of them; what was shown before is not valid any more. */
  view(row: number): RecordView;
}

/** Why nothing more is taken; what was committed before can still be read. */
export interface StorageFailure {
  readonly reason: string;
}

/**
 * Whether records should be stored: `behind` while too much of what was is not committed yet, until `onCommitted`; `full` while the disk
 * has no room but for removing. What is stored nevertheless is kept, as long as there is memory.
 */
export type Intake = 'open' | 'behind' | 'full';

/**
 * What a stream's owner notes of something of its own, which it knows by a key: all that it is; what has changed since; that it is no more.
 * The log does not know what a note says.
 */
export type NoteKind = 'whole' | 'change' | 'end';

/** What a storage tells the one who writes to it. */
export interface StorageEvents {
  /** `committed` has moved. Never called while a function of the storage runs. */
  onCommitted(): void;
  /** Nothing beyond `committed` will ever be. Told once. */
  onFailed(failure: StorageFailure): void;
}

/**
 * The records of one stream. Each has a sequence, one more than the one before it unless some were skipped. All that changes it takes
 * effect at once for who reads it, and is numbered: `position` counts these operations. How many of them a crash cannot take back any more
 * is `committed`; what is told or shown to others waits for that. Nobody changes it once it has failed.
 */
export interface Storage {
  /** Sequence of the next record. */
  readonly nextSequence: number;
  /** Operations begun. */
  readonly position: number;
  /** Operations that last. */
  readonly committed: number;
  /** `nextSequence` behind the operations that last: what is below, and there, lasts. */
  readonly committedNext: number;
  /** What it takes of the process's memory, in bytes. */
  readonly memoryBytes: number;
  readonly intake: Intake;
  /**
   * What its records count, in bytes, as their owner reckons: the room that they take of a disk is kept in proportion. Set whenever that
   * changes, and first when all was scanned.
   */
  keptBytes: number;
  /**
   * Within how many milliseconds what is committed is brought to disk, where that is not done before; may be infinite. Set at any time, by
   * its owner.
   */
  syncMs: number;
  /** Longest message that it takes: headers and payload, in bytes. */
  readonly messageBytesMax: number;
  /** Who hears of commits; set once, before anything is stored. */
  events: StorageEvents | null;
  /** Who is asked what it knows of the records when that is to be written; null: nobody. */
  owner: RecordOwner | null;

  /**
   * Stores messages `from` to `to` (exclusive) of a run, with their headers, without their replies; each is an operation.
   *
   * @param subject what they are kept under
   */
  append(subject: Place, messages: MessageView, from: number, to: number, timeUs: number): void;
  /** Leaves out sequences: the next record gets `sequence`, which is none before `nextSequence`. One operation. */
  skipTo(sequence: number): void;
  /**
   * Removes one record, which is there. One operation.
   *
   * @param erase whether its bytes are overwritten as well
   */
  remove(sequence: number, erase: boolean): void;
  /** Longest note, in bytes. */
  readonly noteBytesMax: number;
  /**
   * Keeps a note of the owner's, beside the records. One operation. A start tells it of the last whole note of each key and of the changes
   * behind it. Before a change there was a whole one, and none behind the end but another whole one.
   *
   * @param key below 2^53
   * @param bytes copied; `noteBytesMax` at most, none for an end
   */
  note(key: number, kind: NoteKind, bytes: Uint8Array): void;
  /** So many operations at most can last together. */
  readonly togetherMax: number;
  /**
   * The next operations, which are removals, notes, and at most one that leaves out sequences, are done in this turn: a crash leaves all or
   * none.
   *
   * @param noteBytes what the notes among them have together, `noteBytesMax` at most
   */
  together(operations: number, noteBytes?: number): void;
  /** Resolves when all that was done so far lasts, even when the machine stops, or never will. */
  lasting(): Promise<void>;
  /**
   * Shows a record, or null when there is none of that sequence: at once, or later where it has to be read from a disk. What has been
   * removed meanwhile may still be shown.
   *
   * @param fail told instead when what is stored there is damaged or cannot be read
   */
  read(sequence: number, show: (record: RecordView | null) => void, fail: (failure: StorageFailure) => void): void;
  /**
   * Shows a record as `read` does, and with it those behind it, before another sequence, as far as they lie with it: by runs, each once, in
   * order, and without those that have gone.
   *
   * @param show returns whether it is to be shown more
   * @param done told behind the last one
   */
  readOn(
    sequence: number,
    end: number,
    show: (records: RecordRun | null) => boolean,
    done: () => void,
    fail: (failure: StorageFailure) => void,
  ): void;
  /** Shows every record that is there, in order, and tells when that is done. For who has just opened it. */
  scan(show: (record: RecordView) => void): Promise<void>;
}

/** Resolves when all that was done to a storage lasts, rejects when it never will. For as long as nobody else hears of its commits. */
export function committed(storage: Storage): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (storage.committed < storage.position) return;
      storage.events = null;
      resolve();
    };
    storage.events = { onCommitted: look, onFailed: ({ reason }) => reject(new Error(reason)) };
    look();
  });
}

/** Who keeps account of a stream's records. At a start it becomes what it was, and is told what has become of its records since. */
export interface RecordOwner {
  /** Records that it knows of. */
  readonly messages: number;
  has(sequence: number): boolean;
  /** Lays out what it knows when it is called, for `restore`, in steps; between them it goes on. Those that were begun are ended. */
  save(target: PieceWriter): Generator<void>;
  /** Becomes what was laid out: nothing is known yet. Returns whether it can: it may be of another version. */
  restore(summary: Uint8Array): boolean;
  /** A record is there, behind all that it knows of. */
  recover(record: RecordView): void;
  /** The same of several, from the one in row `from` on. */
  recoverRows(rows: RecordRows, from: number): void;
  /** A record that it knows of is gone. */
  forget(sequence: number): void;
  /**
   * A note that it does not know: of each key the last whole one comes, perhaps behind some before it, then the changes behind that, in the
   * order in which they were written. How they come among records says nothing. An end may be of a key that it does not know.
   *
   * @param bytes valid until this returns
   */
  noted(key: number, kind: NoteKind, bytes: Uint8Array): void;
  /** Writes another whole note of a key now, or its end: what lies where the last one does is to be given up. Never called while it runs. */
  renote(key: number): void;
  /** It was told of all that is there. */
  recovered(): void;
}

/** A stream that was there when its shard started. */
export interface StoredStream {
  readonly name: string;
  readonly description: string;
  readonly storage: Storage;
}

/** Makes who keeps account of a stream's records, or nobody. What was made of the same stream before is not used any more. */
export type Owning = (stored: StoredStream) => RecordOwner | null;

/** Where the streams of one shard are kept. */
export interface Storages {
  /** Opens all that is there, and tells owners what they have; once, before anything else is asked. */
  open(own: Owning): Promise<void>;
  /**
   * Makes an empty storage; resolves when it would be found again.
   *
   * @param name of the stream, whatever bytes it has; none of that name is there
   * @param description what the stream is, kept beside it as it is given
   * @param nextSequence of the first record
   * @throws rejects with what the disk said
   */
  create(name: string, description: string, nextSequence: number): Promise<Storage>;
  /** Replaces a stream's description; resolves when that lasts. */
  describe(name: string, description: string): Promise<void>;
  /** Removes a storage with all its records; resolves when it would not be found again. */
  destroy(name: string): Promise<void>;
  /** Resolves when all that was stored lasts. Owners are asked what they know, where nothing is missing; nothing else is asked any more. */
  close(): Promise<void>;
}
