import type { Damage } from '../../src/log/damage.js';
import { DurableStorage, type JournalAccess } from '../../src/log/durableStorage.js';
import { journalDirectory } from '../../src/log/journalFiles.js';
import { openJournal } from '../../src/log/journalOpening.js';
import { JournalReader } from '../../src/log/journalReader.js';
import type { JournalEnd } from '../../src/log/journalSetting.js';
import { blockBytesMax } from '../../src/log/journalShape.js';
import { readMetaNow, type StreamMeta } from '../../src/log/streamFile.js';
import { recoverStreams } from '../../src/log/streamRecovery.js';
import { journalId, smallShape, textOf } from './durableRun.js';
import { RecordMap } from './recordMap.js';
import type { SimDisk } from './simDisk.js';
import { StreamState } from './streamModel.js';

/** What a disk has, as a broker that starts on it would find it. */
export interface ReadBack {
  readonly streams: Map<string, { readonly meta: StreamMeta; readonly state: StreamState }>;
  readonly damages: readonly Damage[];
  /** Where the journal goes on. */
  readonly end: number;
  /** What lies before it is not needed. */
  readonly begin: number;
}

/**
 * Reads the whole journal, and what a start would read of it: throws when that comes to something else.
 *
 * @param onResumed told when a start would go on from a snapshot
 */
export function readBack(disk: SimDisk, buffered = false, onResumed = () => {}): ReadBack {
  const directory = journalDirectory('/journal', 0, buffered);
  const metas = disk.namesNow('/streams').map((name) => readMetaNow(disk, `/streams/${name}`));
  const found = metas.filter((meta) => meta !== null);
  const access = accessTo(disk, directory, () => {});
  const storages = new Map(found.map(({ number }) => [number, new DurableStorage(number, access)]));
  const { damages, end } = recoverStreams(disk, directory, where, storages);
  const streams = new Map(
    found.map((meta) => [meta.name, { meta, state: stateOf(storages.get(meta.number)!) }] as const),
  );
  const started = damages.length === 0 ? openAsStarted(disk, directory, found, streams, end) : null;
  if (started?.resumed) onResumed();
  // what only a snapshot tells of
  return { streams, damages: started?.damages ?? damages, end: end.position, begin: end.begin };
}

const where = { id: journalId, shape: smallShape };

function accessTo(disk: SimDisk, directory: string, count: JournalAccess['count']): JournalAccess {
  const reader = new JournalReader(disk, directory, journalId, smallShape.fileBytes, blockBytesMax(smallShape));
  return {
    staged: () => null,
    cache: {
      read(position: number, lengthBytes: number, done: (blocks: unknown, reason: string) => void) {
        const whole = reader.load(position) === lengthBytes;
        done(whole ? reader.blocks : null, whole ? '' : `no block at ${position}`);
      },
    },
    messageBytesMax: 0,
    count,
  } as unknown as JournalAccess;
}

/** Opens the journal as a start does; returns whether that went on from a snapshot, and what it found damaged. */
function openAsStarted(
  disk: SimDisk,
  directory: string,
  metas: readonly StreamMeta[],
  expected: ReadBack['streams'],
  expectedEnd: JournalEnd,
): { resumed: boolean; damages: readonly Damage[] } {
  const live = new Map<number, number>();
  const access = accessTo(disk, directory, (position, records) => {
    const file = Math.floor(position / smallShape.fileBytes);
    live.set(file, (live.get(file) ?? 0) + records);
  });
  let owners = new Map<string, RecordMap>();
  const { streams, unknown, end, from, damages } = openJournal({
    disk,
    directory,
    place: where,
    files: () => [...live].filter(([, records]) => records > 0).map(([file]) => file),
    begin() {
      live.clear();
      owners = new Map(metas.map(({ name }) => [name, new RecordMap()]));
      return new Map(
        metas.map(({ number, name }) => {
          const storage = new DurableStorage(number, access);
          storage.owner = owners.get(name)!;
          return [number, storage];
        }),
      );
    },
  });
  const ends = [end, expectedEnd].map(({ position, check, epoch }) => `${position} ${check} ${epoch}`);
  if (ends[0] !== ends[1]) throw new Error(`a start goes on at ${ends[0]} in place of ${ends[1]}`);
  for (const { name, number } of metas) {
    const { state } = expected.get(name)!;
    const known = new StreamState(state.next, owners.get(name)!.records);
    if (!unknown.has(number)) same(known, state, `what the owner of ${name} knows at a start`);
    same(stateOf(streams.get(number)!), state, `${name} at a start`);
  }
  return { resumed: from !== null, damages };
}

function same(found: StreamState, expected: StreamState, what: string): void {
  if (!expected.equals(found)) throw new Error(`${what}: ${shown(expected)}, found ${shown(found)}`);
}

export function shown({ next, records }: StreamState): string {
  return `next ${next}, ${[...records].map(([sequence, text]) => `${sequence}=${text.slice(0, 24).trim()}`).join(' ')}`;
}

function stateOf(storage: DurableStorage): StreamState {
  const state = new StreamState(storage.nextSequence);
  for (let sequence = storage.firstSequence; sequence < storage.nextSequence; sequence++)
    storage.read(
      sequence,
      (record) => {
        if (record !== null) state.records.set(sequence, textOf(record));
      },
      ({ reason }) => {
        // what is known to be lost is not among what was found
        if (!reason.includes('is damaged at')) throw new Error(reason);
      },
    );
  return state;
}
