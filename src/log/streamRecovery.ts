import type { Damage, LostRange } from './damage.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { journalPath } from './journalFiles.js';
import { type Recovered, Recovery } from './recovery.js';

/**
 * Has streams read their records in a journal, blocking the thread. What is missing is told to them, and returned.
 *
 * @throws what the disk says when it cannot be read or written
 */
export function recoverStreams(
  disk: Disk,
  directory: string,
  { id, shape }: Pick<DataPlace, 'id' | 'shape'>,
  storages: ReadonlyMap<number, DurableStorage>,
): Recovered {
  let latest: DurableStorage | undefined;
  const recovery = new Recovery(disk, directory, id, shape, (entry, position, lengthBytes) => {
    const { stream } = entry;
    if (latest?.number !== stream) latest = storages.get(stream);
    latest?.replay(entry, position, lengthBytes);
  });
  const { end, damages } = recovery.run();
  for (const damage of damages) for (const range of damage.lost) tell(storages, damage, range);
  const told = withMissing(damages, storages, directory, shape.fileBytes, end.position);
  return { end, damages: told };
}

function tell(
  storages: ReadonlyMap<number, DurableStorage>,
  { file, offset }: Damage,
  { stream, first, last }: LostRange,
): void {
  storages.get(stream)?.lose(first, last, `${file} is damaged at ${offset}`);
}

/** Adds what no block tells of, but the number of records that should be there. */
function withMissing(
  damages: readonly Damage[],
  storages: ReadonlyMap<number, DurableStorage>,
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
