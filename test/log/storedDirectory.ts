import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { positionAt } from '../../src/log/blockLayout.js';
import { DataDirectory } from '../../src/log/dataDirectory.js';
import type { DurableStorage } from '../../src/log/durableStorage.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { Inspection } from '../../src/log/inspection.js';
import { journalNumbers, journalPath } from '../../src/log/journalFiles.js';
import { readNotes } from '../../src/log/noteReading.js';
import type { Storage } from '../../src/log/storage.js';
import { readRecord } from '../../src/log/streamCopy.js';
import { getWord } from '../../src/log/words.js';
import { randomFrom } from '../sim/random.js';
import { removeBelow, runOf, simSetting, smallShape, subjectOf, textOf } from './durableRun.js';
import { openAll, RecordMap } from './recordMap.js';
import { SimDisk } from './simDisk.js';
import { SimTimers } from './simTimers.js';
import { type NoteMap, noteIn } from './streamModel.js';

export const shards = 2;
export const shardOf = (name: string, of: number): number => name.charCodeAt(0) % of;

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets things happen on a simulated disk until a promise is settled. */
export async function drive<T>(disk: SimDisk, promise: Promise<T>, timers = new SimTimers()): Promise<T> {
  const state = { over: false };
  const mark = () => {
    state.over = true;
  };
  promise.then(mark, mark);
  while (!state.over) {
    if (!disk.step()) timers.step();
    await settled();
  }
  return promise;
}

export function settingOf(disk: SimDisk, path = '/data') {
  return { disk, path, journalPath: null, shape: smallShape, shardOf };
}

export const randomBytes = (count: number): Uint8Array => new Uint8Array(count).fill(0xcd);

/** Opens a data directory with all of its streams, lets somebody use them, and closes them. */
export async function withStreams<T>(
  disk: SimDisk,
  path: string,
  use: (all: readonly DurableStorages[], byName: ReadonlyMap<string, Storage>) => Promise<T>,
  count = shards,
): Promise<T> {
  const directory = await drive(disk, DataDirectory.open({ ...settingOf(disk, path), shards: count, randomBytes }));
  const timers = new SimTimers();
  let number = 1;
  // those of the buffered journals behind the others
  const all = Array.from({ length: 2 * count }, (_, i) => {
    const shard = i % count;
    const owns = (name: string) => shardOf(name, count) === shard;
    return new DurableStorages({
      ...simSetting(disk, timers, () => 16 * number++ + shard, i >= count),
      place: directory.place,
      shard,
      owns,
    });
  });
  const byName = new Map<string, Storage>();
  for (const storages of all)
    for (const { name, storage } of await drive(disk, openAll(storages), timers)) byName.set(name, storage);
  const result = await drive(disk, use(all, byName), timers);
  for (const storages of all) await drive(disk, storages.close(), timers);
  directory.close();
  return result;
}

/** A data directory with streams on two shards, one of them in a buffered journal, of which some was removed, as a stop leaves it. */
export async function storedDirectory(seed: number, rounds = 60): Promise<SimDisk> {
  const random = randomFrom(seed);
  const disk = new SimDisk(random, true);
  await withStreams(disk, '/data', async (all) => {
    const streams: Storage[] = [];
    for (const name of ['a', 'b', 'c'])
      streams.push(await all[shardOf(name, shards)]!.create(name, `about ${name}`, 1));
    streams.push(await all[shards + shardOf('d', shards)]!.create('d', 'about d', 1));
    for (const storage of streams) owned(storage);
    for (let i = 0; i < rounds; i++) {
      const storage = streams[random(4)]!;
      const long = random(12) === 0 ? 'z'.repeat(9_000) : 'z'.repeat(random(300));
      storage.append(subjectOf('a.b'), runOf([`${i}`, long]), 0, 2, i);
      noteSomething(storage.owner as RecordMap, i);
      if (random(6) === 0 && storage.nextSequence > 6) removeBelow(storage, storage.nextSequence - 5);
      for (let turns = random(6); turns > 0; turns--) await settled();
    }
  });
  return disk;
}

/** Notes of three keys, of which one ends now and then. */
function noteSomething({ notes, storage }: RecordMap, round: number): void {
  const key = round % 3;
  const kind = !notes.has(key) || round % 11 === 0 ? 'whole' : key === 2 && round % 7 === 0 ? 'end' : 'change';
  const text = kind === 'end' ? '' : `${round};`;
  storage!.note(key, kind, latin1Bytes(text));
  noteIn(notes, key, kind, text);
}

/** An owner that can write its notes anew. */
function owned(storage: Storage): RecordMap {
  const owner = new RecordMap();
  owner.storage = storage;
  storage.owner = owner;
  return owner;
}

/** What an inspection finds of notes: of each key its last whole one, and the changes behind it, as texts. */
function notesOf(inspection: Inspection, storage: DurableStorage): string[] {
  const notes: NoteMap = new Map();
  for (const { noteSource } of inspection.journals) {
    if (noteSource.storages.get(storage.number) !== storage) continue;
    for (const _ of readNotes(noteSource, ({ number }, key, kind, bytes) => {
      if (number === storage.number) noteIn(notes, key, kind, latin1String(bytes, 0, bytes.length));
    }));
  }
  return [...notes].sort(([a], [b]) => a - b).map(([key, text]) => `noted ${key}: ${text}`);
}

/** What an inspection finds: each stream's next sequence, records and notes, as texts. */
export async function contentsOf(inspection: Inspection): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const stream of inspection.streams) {
    const storage = inspection.storageOf(stream);
    const texts = [`next ${storage.nextSequence}`];
    for (let at = storage.firstSequence; at < storage.nextSequence; at++)
      await readRecord(storage, at, (record) => texts.push(textOf(record)));
    texts.push(...notesOf(inspection, storage));
    found.set(stream.name ?? `${stream.number}`, texts);
  }
  return found;
}

/** Inspects a directory on a simulated disk. */
export async function inspected(disk: SimDisk, path = '/data') {
  const inspection = Inspection.open(settingOf(disk, path));
  inspection.read(() => {});
  const contents = await drive(disk, contentsOf(inspection));
  await drive(disk, inspection.close());
  return { findings: inspection.findings, streams: inspection.streams, contents };
}

/** Numbers of a journal's files that were begun, and not used again. */
export function filesInUse(disk: SimDisk, directory: string): number[] {
  const positionIn = ({ buffer, byteOffset }: Uint8Array) => getWord(new DataView(buffer, byteOffset), positionAt);
  return journalNumbers(disk.namesNow(directory)).filter(
    (number) => positionIn(disk.files().get(journalPath(directory, number))!) === number * smallShape.fileBytes,
  );
}
