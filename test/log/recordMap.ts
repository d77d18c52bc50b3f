import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { PieceReader, type PieceWriter } from '../../src/base/pieces.js';
import type { RecordRows } from '../../src/log/recordRows.js';
import type { NoteKind, RecordOwner, RecordView, Storage, Storages, StoredStream } from '../../src/log/storage.js';
import { textOf } from './durableRun.js';
import { type NoteMap, noteIn } from './streamModel.js';

/** An owner that knows its records by heart. */
export class RecordMap implements RecordOwner {
  /** Whether it has become what one like it has laid out. */
  restored = false;
  readonly records: Map<number, string>;
  readonly notes: NoteMap;
  /** Who writes its notes anew; null: nobody. */
  storage: Storage | null = null;

  constructor(records = new Map<number, string>(), notes: NoteMap = new Map()) {
    this.records = records;
    this.notes = notes;
  }

  get messages(): number {
    return this.records.size;
  }

  has(sequence: number): boolean {
    return this.records.has(sequence);
  }

  save(target: PieceWriter): Generator<void> {
    return stepsOf([...this.records], [...this.notes], target);
  }

  restore(summary: Uint8Array): boolean {
    const source = new PieceReader(summary);
    for (let left = source.number(); left > 0; left--) this.records.set(source.number(), source.text());
    for (let left = source.number(); left > 0; left--) this.notes.set(source.number(), source.text());
    this.restored = true;
    return true;
  }

  recover(record: RecordView): void {
    const { sequence } = record;
    for (const each of this.records.keys())
      if (each >= sequence) throw new Error(`${sequence} is told of behind ${each}`);
    this.records.set(sequence, textOf(record));
  }

  recoverRows(rows: RecordRows, from: number): void {
    for (let row = from; row < rows.count; row++) this.recover(rows.view(row));
  }

  forget(sequence: number): void {
    if (!this.records.delete(sequence)) throw new Error(`${sequence} is not there to be forgotten`);
  }

  noted(key: number, kind: NoteKind, bytes: Uint8Array): void {
    const text = latin1String(bytes, 0, bytes.length);
    if (kind === 'change' && !this.notes.has(key)) throw new Error(`a change of ${key}, which is not known`);
    noteIn(this.notes, key, kind, text);
  }

  renote(key: number): void {
    this.storage!.note(key, 'whole', latin1Bytes(this.notes.get(key)!));
  }

  recovered(): void {}
}

function* stepsOf(
  records: readonly (readonly [number, string])[],
  notes: readonly (readonly [number, string])[],
  target: PieceWriter,
): Generator<void> {
  for (const texts of [records, notes]) {
    target.number(texts.length);
    for (const [number, text] of texts) {
      target.number(number);
      target.text(text);
      yield;
    }
  }
}

/** Streams that nobody owns. */
export async function openAll(storages: Storages): Promise<readonly StoredStream[]> {
  const streams = new Map<string, StoredStream>();
  await storages.open((stream) => {
    streams.set(stream.name, stream);
    return null;
  });
  return [...streams.values()];
}

/** Streams with owners that know their records by heart. */
export async function openOwned(
  storages: Storages,
  make = () => new RecordMap(),
): Promise<readonly (StoredStream & { readonly owner: RecordMap })[]> {
  const owned = new Map<string, StoredStream & { readonly owner: RecordMap }>();
  await storages.open((stream) => {
    const owner = make();
    owned.set(stream.name, { ...stream, owner });
    return owner;
  });
  return [...owned.values()];
}
