import type { Damage, LostRange } from './damage.js';
import type { DataPlace } from './dataDirectory.js';
import type { ReadingDisk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { journalPath } from './journalFiles.js';
import { knownEnd } from './journalSnapshot.js';
import type { SnapshotName } from './snapshotFile.js';

/**
 * What is missing at the end of a journal that was read up to a position, though a snapshot beside it says that it was on disk: without
 * that it would look like a write that was torn. Its streams are told. Null when nothing is.
 *
 * @param but the one that was gone on from: what it has was found
 * @throws what the disk says when it cannot be read
 */
export function missingEnd(
  disk: ReadingDisk,
  directory: string,
  { id, shape }: Pick<DataPlace, 'id' | 'shape'>,
  storages: ReadonlyMap<number, DurableStorage>,
  position: number,
  but: SnapshotName | null = null,
): Damage | null {
  const known = knownEnd(disk, directory, id, but);
  const number = Math.floor(position / shape.fileBytes);
  const file = journalPath(directory, number);
  const offset = position - number * shape.fileBytes;
  const lost: LostRange[] = [];
  for (const [stream, next] of known.nexts) {
    const storage = storages.get(stream);
    if (storage === undefined || storage.nextSequence >= next) continue;
    const range = { stream, first: storage.nextSequence, last: next - 1 };
    storage.lose(range.first, range.last, `${file} is damaged at ${offset}`);
    lost.push(range);
  }
  const bytes = Math.max(0, known.position - position);
  return bytes === 0 && lost.length === 0 ? null : { file, offset, position, bytes, lost };
}
