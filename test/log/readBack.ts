import type { Damage } from '../../src/log/damage.js';
import { DurableStorage, type JournalAccess } from '../../src/log/durableStorage.js';
import { blockBytesMax } from '../../src/log/journal.js';
import { journalDirectory } from '../../src/log/journalFiles.js';
import { JournalReader } from '../../src/log/journalReader.js';
import { readMetaNow, type StreamMeta } from '../../src/log/streamFile.js';
import { recoverStreams } from '../../src/log/streamRecovery.js';
import { journalId, smallShape, textOf } from './durableRun.js';
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

export function readBack(disk: SimDisk, buffered = false): ReadBack {
  const directory = journalDirectory('/journal', 0, buffered);
  const reader = new JournalReader(disk, directory, journalId, smallShape.fileBytes, blockBytesMax(smallShape));
  const access = {
    staged: () => null,
    cache: {
      read(position: number, lengthBytes: number, done: (blocks: unknown, reason: string) => void) {
        const whole = reader.load(position) === lengthBytes;
        done(whole ? reader.blocks : null, whole ? '' : `no block at ${position}`);
      },
    },
    messageBytesMax: 0,
    count() {},
  } as unknown as JournalAccess;
  const metas = disk.namesNow('/streams').map((name) => readMetaNow(disk, `/streams/${name}`));
  const found = metas.filter((meta) => meta !== null);
  const storages = new Map(found.map(({ number }) => [number, new DurableStorage(number, access)]));
  const { damages, end } = recoverStreams(disk, directory, { id: journalId, shape: smallShape }, storages);
  const streams = new Map(
    found.map((meta) => [meta.name, { meta, state: stateOf(storages.get(meta.number)!) }] as const),
  );
  return { streams, damages, end: end.position, begin: end.begin };
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
