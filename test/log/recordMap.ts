import { PieceReader, type PieceWriter } from '../../src/base/pieces.js';
import type { RecordRows } from '../../src/log/recordRows.js';
import type { RecordOwner, RecordView, Storages, StoredStream } from '../../src/log/storage.js';
import { textOf } from './durableRun.js';

/** An owner that knows its records by heart. */
export class RecordMap implements RecordOwner {
  /** Whether it has become what one like it has laid out. */
  restored = false;
  readonly records: Map<number, string>;

  constructor(records = new Map<number, string>()) {
    this.records = records;
  }

  get messages(): number {
    return this.records.size;
  }

  has(sequence: number): boolean {
    return this.records.has(sequence);
  }

  save(target: PieceWriter): Generator<void> {
    return stepsOf([...this.records], target);
  }

  restore(summary: Uint8Array): boolean {
    const source = new PieceReader(summary);
    for (let left = source.number(); left > 0; left--) this.records.set(source.number(), source.text());
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

  recovered(): void {}
}

function* stepsOf(records: readonly (readonly [number, string])[], target: PieceWriter): Generator<void> {
  target.number(records.length);
  for (const [sequence, text] of records) {
    target.number(sequence);
    target.text(text);
    yield;
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
): Promise<readonly (StoredStream & { readonly owner: RecordMap })[]> {
  const owned = new Map<string, StoredStream & { readonly owner: RecordMap }>();
  await storages.open((stream) => {
    const owner = new RecordMap();
    owned.set(stream.name, { ...stream, owner });
    return owner;
  });
  return [...owned.values()];
}
