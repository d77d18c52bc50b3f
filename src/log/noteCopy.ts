import { type NoteSource, readNotes } from './noteReading.js';
import type { Storage } from './storage.js';
import { onDisk } from './streamCopy.js';

/**
 * Copies all notes of a journal's streams to other storages of theirs, by their numbers, in one pass. Resolves when these are on disk.
 *
 * @throws rejects with what a disk said
 */
export async function copyNotes(source: NoteSource, targets: ReadonlyMap<number, Storage>): Promise<void> {
  const noting = new Map([...source.storages].filter(([, { notes }]) => (notes?.keys ?? 0) > 0));
  if (noting.size === 0) return;
  const written = new Set<Storage>();
  const steps = readNotes({ ...source, storages: noting }, ({ number }, key, kind, bytes) => {
    const target = targets.get(number) as Storage;
    target.note(key, kind, bytes);
    written.add(target);
  });
  for (const _ of steps) for (const target of written) if (target.intake !== 'open') await onDisk(target);
  for (const target of written) await onDisk(target);
}
