import type { Damage, LostRange } from './damage.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk, ReadingDisk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { journalPath } from './journalFiles.js';
import type { JournalEnd } from './journalSetting.js';
import { type Recovered, Recovery } from './recovery.js';

type Where = Pick<DataPlace, 'id' | 'shape'>;
type Storages = ReadonlyMap<number, DurableStorage>;

/**
 * Has streams read their records in a journal that goes on then, blocking the thread. What is missing is told to them, and returned; what
 * was read is on disk.
 *
 * @param from where that is which streams do not know yet; null when they know nothing
 * @throws what the disk says when it cannot be read or written
 */
export function recoverStreams(
  disk: Disk,
  directory: string,
  where: Where,
  storages: Storages,
  from: JournalEnd | null = null,
): Recovered {
  const recovery = recoveryOf(disk, directory, where, storages);
  const recovered = told(recovery, directory, where, storages, from);
  recovery.bringToDisk(disk);
  return recovered;
}

/**
 * Has streams read their records in a journal, of which nothing is changed.
 *
 * @param onBlock called for each block, with where it lies
 * @throws what the disk says when it cannot be read
 */
export function readStreams(
  disk: ReadingDisk,
  directory: string,
  where: Where,
  storages: Storages,
  onBlock: (position: number) => void,
): Recovered {
  return told(recoveryOf(disk, directory, where, storages, onBlock), directory, where, storages);
}

function recoveryOf(
  disk: ReadingDisk,
  directory: string,
  { id, shape }: Where,
  storages: Storages,
  onBlock: (position: number) => void = () => {},
): Recovery {
  let block = -1;
  const begin = (position: number) => {
    if (position !== block) onBlock(position);
    block = position;
  };
  return new Recovery(disk, directory, id, shape, {
    records(stream, rows, position, lengthBytes) {
      begin(position);
      storages.get(stream)?.replayRecords(rows, position, lengthBytes);
    },
    entry(entry, position, lengthBytes) {
      begin(position);
      storages.get(entry.stream)?.replay(entry, position, lengthBytes);
    },
  });
}

function told(
  recovery: Recovery,
  directory: string,
  { shape }: Where,
  storages: Storages,
  from: JournalEnd | null = null,
): Recovered {
  const nexts = () => new Map([...storages].map(([number, { nextSequence }]) => [number, nextSequence]));
  const { end, damages } = recovery.read(from === null ? null : { end: from, nexts: nexts() });
  // of files that are not needed all was given up, though that may be damaged
  if (damages.length === 0) for (const storage of storages.values()) storage.giveUpNotes(end.begin);
  for (const damage of damages) for (const range of damage.lost) tell(storages, damage, range);
  return { end, damages: withMissing(damages, storages, directory, shape.fileBytes, end.position) };
}

function tell(storages: Storages, { file, offset }: Damage, { stream, first, last }: LostRange): void {
  storages.get(stream)?.lose(first, last, `${file} is damaged at ${offset}`);
}

/** Adds what no block tells of, but the number of records that should be there. */
function withMissing(
  damages: readonly Damage[],
  storages: Storages,
  directory: string,
  fileBytes: number,
  end: number,
): readonly Damage[] {
  const missing = [...storages.values()].map((storage) => storage.recovered()).filter((range) => range !== null);
  if (missing.length === 0) return damages;
  const number = Math.floor(end / fileBytes);
  const unknown = {
    file: journalPath(directory, number),
    offset: end - number * fileBytes,
    position: end,
    bytes: 0,
    lost: [],
  };
  const all = damages.length > 0 ? damages : [unknown];
  const damage = all.at(-1) as Damage;
  for (const range of missing) {
    damage.lost.push(range);
    tell(storages, damage, range);
  }
  return all;
}
