import type { Damage } from '../../src/log/damage.js';
import { DurableStorage, type JournalAccess } from '../../src/log/durableStorage.js';
import { journalDirectory } from '../../src/log/journalFiles.js';
import { openJournal } from '../../src/log/journalOpening.js';
import { JournalReader } from '../../src/log/journalReader.js';
import type { JournalEnd } from '../../src/log/journalSetting.js';
import { blockBytesMax } from '../../src/log/journalShape.js';
import { readNotes } from '../../src/log/noteReading.js';
import { metaNumbersNow, readMetaNow, type StreamMeta } from '../../src/log/streamFile.js';
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
  const found = metaNumbersNow(disk, '/streams').map((number) => readMetaNow(disk, '/streams', number));
  const access = accessTo(disk, directory, () => {});
  const storages = new Map(found.map(({ number }) => [number, new DurableStorage(number, access)]));
  const owners = new Map(found.map(({ number }) => [number, new RecordMap()]));
  for (const [number, owner] of owners) storages.get(number)!.owner = owner;
  const { damages, end } = recoverStreams(disk, directory, where, storages);
  const streams = new Map(
    found.map((meta) => {
      const state = stateOf(storages.get(meta.number)!, owners.get(meta.number)!);
      return [meta.name, { meta, state }] as const;
    }),
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
    countNotes: count,
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
    const owner = owners.get(name)!;
    const storage = streams.get(number)!;
    const known = new StreamState(state.next, owner.records, owner.notes);
    if (!unknown.has(number)) same(known, state, `what the owner of ${name} knows at a start`);
    same(stateOf(storage, notesOf(disk, directory, storage)), state, `${name} at a start`);
  }
  return { resumed: from !== null, damages };
}

function same(found: StreamState, expected: StreamState, what: string): void {
  if (!expected.equals(found)) throw new Error(`${what}: ${shown(expected)}, found ${shown(found)}`);
}

export function shown({ next, records, notes }: StreamState): string {
  const texts = [...records].map(([sequence, text]) => `${sequence}=${text.slice(0, 24).trim()}`);
  const noted = [...notes].map(([key, text]) => `${key}:${text.replaceAll(/-+/g, '-').slice(-60)}`);
  return `next ${next}, ${texts.join(' ')}; ${noted.join(' ')}`;
}

/** The notes that a journal has, read again as for an owner that has to begin anew. */
function notesOf(disk: SimDisk, directory: string, storage: DurableStorage): RecordMap {
  const owner = new RecordMap();
  const source = { disk, directory, place: where, storages: new Map([[storage.number, storage]]) };
  for (const _ of readNotes(source, (_storage, key, kind, bytes) => owner.noted(key, kind, bytes)));
  return owner;
}

function stateOf(storage: DurableStorage, { notes }: RecordMap): StreamState {
  const state = new StreamState(storage.nextSequence, new Map(), notes);
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
