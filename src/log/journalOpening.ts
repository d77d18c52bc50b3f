import type { Damage } from './damage.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { journalNumbers } from './journalFiles.js';
import type { JournalEnd } from './journalSetting.js';
import { readSnapshot } from './journalSnapshot.js';
import { missingEnd } from './missingEnd.js';
import type { Recovered } from './recovery.js';
import { type SnapshotName, snapshotNames } from './snapshotFile.js';
import { recoverStreams } from './streamRecovery.js';

type Streams = ReadonlyMap<number, DurableStorage>;

export interface OpeningSetting {
  readonly disk: Disk;
  readonly directory: string;
  readonly place: Pick<DataPlace, 'id' | 'shape'>;
  /** Makes all streams, with owners, which know nothing yet. Those made before are not used any more. */
  begin(): Streams;
  /** Numbers of the files that have records or last whole notes of these. */
  files(): Iterable<number>;
}

/** A journal that was read as far as that is needed. */
export interface OpenedJournal {
  readonly streams: Streams;
  /** Where it goes on. */
  readonly end: JournalEnd;
  readonly damages: readonly Damage[];
  /** Numbers of streams whose owners do not know what they have. */
  readonly unknown: ReadonlySet<number>;
  /** What was gone on from; null when the whole journal was read. */
  readonly from: { readonly name: SnapshotName; readonly position: number; readonly bytes: number } | null;
}

/**
 * Brings streams to what they were, blocking the thread: as a snapshot says, and what the journal has behind it; or as all of the journal
 * says, where there is no snapshot, it does not fit, or something is damaged.
 *
 * @throws what the disk says when it cannot be read or written
 */
export function openJournal(setting: OpeningSetting): OpenedJournal {
  return (
    resume(setting, snapshotNames.stopped) ??
    resume(setting, snapshotNames.running) ??
    recover(setting, setting.begin())
  );
}

/** The journal was read, and may end before where it once did. */
function withMissingEnd({ disk, directory, place }: OpeningSetting, opened: OpenedJournal): OpenedJournal {
  const missing = missingEnd(disk, directory, place, opened.streams, opened.end.position, opened.from?.name ?? null);
  return missing === null ? opened : { ...opened, damages: [...opened.damages, missing] };
}

function resume(setting: OpeningSetting, name: SnapshotName): OpenedJournal | null {
  const { disk, directory, place } = setting;
  const snapshot = readSnapshot(disk, directory, place, name);
  if (snapshot === null) return null;
  const streams = setting.begin();
  const unknown = snapshot.restore(streams);
  if (!hasFiles(setting)) return null;
  const { end, isEnd, bytes } = snapshot;
  const from = { name, position: end.position, bytes };
  if (isEnd) {
    for (const storage of streams.values()) storage.recovered();
    return { streams, end, damages: [], unknown, from };
  }
  const recovered = read(setting, streams, end, unknown);
  // what was to be read has been used again, in part
  const isGone = recovered.end.begin > end.position || hasBlocksFrom(streams, recovered.end.position);
  return isGone || recovered.damages.length > 0
    ? null
    : withMissingEnd(setting, { streams, ...recovered, unknown, from });
}

function hasFiles({ disk, directory, files }: OpeningSetting): boolean {
  const numbers = new Set(journalNumbers(disk.namesNow(directory)));
  for (const file of files()) if (!numbers.has(file)) return false;
  return true;
}

/** Whether a snapshot knows records or notes that lie behind where the journal ends. */
function hasBlocksFrom(streams: Streams, end: number): boolean {
  let has = false;
  for (const storage of streams.values()) {
    storage.forEachBlock((position) => {
      has ||= position >= end;
    });
    has ||= storage.notes?.liesFrom(end) === true;
  }
  return has;
}

function recover(setting: OpeningSetting, streams: Streams): OpenedJournal {
  const unknown = new Set<number>();
  const recovered = read(setting, streams, null, unknown);
  if (recovered.damages.length > 0) for (const number of streams.keys()) unknown.add(number);
  return withMissingEnd(setting, { streams, ...recovered, unknown, from: null });
}

/** @param unknown gets those whose owners do not know what they have then */
function read(
  { disk, directory, place }: OpeningSetting,
  streams: Streams,
  from: JournalEnd | null,
  unknown: Set<number>,
): Recovered {
  for (const storage of streams.values()) storage.beginReplay();
  const recovered = recoverStreams(disk, directory, place, streams, from);
  for (const storage of streams.values()) if (!storage.endReplay()) unknown.add(storage.number);
  return recovered;
}
