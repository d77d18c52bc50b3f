import type { DataPlace } from './dataDirectory.js';
import type { ReadingDisk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { EntryKind } from './entryLayout.js';
import { Recovery } from './recovery.js';
import type { NoteKind } from './storage.js';

/** Where notes are read of streams that have read their journal already. */
export interface NoteSource {
  readonly disk: ReadingDisk;
  readonly directory: string;
  readonly place: Pick<DataPlace, 'id' | 'shape'>;
  readonly storages: ReadonlyMap<number, DurableStorage>;
}

/** Told of a note of a stream: of each key that is there the last whole one, and the changes behind it. `bytes` are valid until it returns. */
export type NoteVisitor = (storage: DurableStorage, key: number, kind: NoteKind, bytes: Uint8Array) => void;

/**
 * Reads a journal again for the notes of some streams, a block at a time: they know where the last whole ones lie.
 *
 * @throws what the disk says when it cannot be read
 */
export function* readNotes({ disk, directory, place, storages }: NoteSource, visit: NoteVisitor): Generator<void> {
  const begun = new Map<DurableStorage, Set<number>>();
  const recovery = new Recovery(disk, directory, place.id, place.shape, {
    records() {},
    entry(entry, position) {
      const storage = storages.get(entry.stream);
      if (entry.entryKind !== EntryKind.note || storage === undefined) return;
      const { noteKey: key, noteKind: kind, noteBytes } = entry;
      const whole = storage.notes?.blockOf(key);
      if (whole === undefined || position < whole) return;
      const keys = begun.get(storage) ?? new Set();
      begun.set(storage, keys);
      if (kind === 'whole') keys.add(key);
      if (keys.has(key)) visit(storage, key, kind, noteBytes);
    },
  });
  yield* recovery.steps();
}
