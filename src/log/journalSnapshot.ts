import { bytesEqualAt } from '../base/bytes.js';
import { checkpointStepStreams } from '../base/limits.js';
import { PieceReader, PieceWriter } from '../base/pieces.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk, ReadingDisk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { journalNumbers } from './journalFiles.js';
import { JournalReader } from './journalReader.js';
import type { JournalEnd } from './journalSetting.js';
import { blockBytesMax } from './journalShape.js';
import { readSnapshotNow, type SnapshotName, SnapshotWriter, snapshotNames } from './snapshotFile.js';

/** Up to where a journal is on disk: its last block, where the next one lies, and the last one's check. */
export type JournalMark = Pick<JournalEnd, 'last' | 'position' | 'check'>;

/** What is laid out, and how long that may take. */
export interface Snapped {
  readonly disk: Disk;
  readonly directory: string;
  readonly name: SnapshotName;
  readonly id: Uint8Array;
  /** Where the journal was when it was begun. */
  readonly mark: JournalMark;
  readonly storages: readonly DurableStorage[];
  /** Resolves when all that was laid so far is on disk. */
  written(): Promise<void>;
  /** Resolves when others have had their turn. */
  pause(): Promise<void>;
  /** Whether it is to be given up. */
  isOver(): boolean;
}

/** Where a part of the snapshot lies. */
interface Part {
  readonly start: number;
  readonly bytes: number;
}

interface StreamPart {
  readonly storage: DurableStorage;
  /** What its owner knows: of the records below this sequence. */
  readonly next: number;
  /** And of the notes below this number. */
  readonly nextNote: number;
  readonly owner: Part;
}

/**
 * Writes what the streams of a journal are and what their owners know of them, in steps: first owners, each as it is at one moment, then
 * where the records lie of which they know. What happens meanwhile is behind `mark` in the journal. Nothing counts before it is on disk.
 *
 * Resolves with how many bytes it has when it lasts; with 0 when it was given up.
 */
export async function writeSnapshot(snapped: Snapped): Promise<number> {
  const { disk, directory, name, id } = snapped;
  const writer = await SnapshotWriter.open(disk, directory, name, id);
  try {
    if (await writeAll(snapped, writer)) {
      await writer.finish();
      return writer.length;
    }
  } catch (error) {
    await writer.abandon().catch(() => {});
    throw error;
  }
  await writer.abandon();
  return 0;
}

/** Resolves with whether it was not given up. */
async function writeAll(snapped: Snapped, writer: SnapshotWriter): Promise<boolean> {
  const owners: StreamPart[] = [];
  const { storages, isOver } = snapped;
  for (const [i, storage] of storages.entries()) {
    if (isOver()) return false;
    const { nextSequence: next, nextNote } = storage;
    const target = new PieceWriter();
    owners.push({ storage, next, nextNote, owner: await layOut(writer, target, storage.owner?.save(target)) });
    if (i % checkpointStepStreams === 0) await snapped.pause();
  }
  await snapped.written();
  const table = new PieceWriter();
  for (const [i, { storage, next, nextNote, owner }] of owners.entries()) {
    if (isOver()) return false;
    const target = new PieceWriter();
    const records = await layOut(writer, target, storage.save(target, next, nextNote));
    for (const value of [storage.number, owner.start, owner.bytes, records.start, records.bytes]) table.number(value);
    if (i % checkpointStepStreams === 0) await snapped.pause();
  }
  // what was copied meanwhile, and has no place yet, counts as well
  await snapped.written();
  if (isOver()) return false;
  await writeTable(writer, snapped.mark, table.take());
  return true;
}

async function layOut(writer: SnapshotWriter, target: PieceWriter, steps: Generator<void> | undefined): Promise<Part> {
  const start = writer.length;
  try {
    for (let done = steps === undefined; !done; ) {
      done = steps?.next().done === true;
      await writer.write(target.take());
    }
  } finally {
    steps?.return(undefined);
  }
  return { start, bytes: writer.length - start };
}

/** At its end stands where it begins. */
async function writeTable(writer: SnapshotWriter, mark: JournalMark, streams: Uint8Array): Promise<void> {
  const start = writer.length;
  const target = new PieceWriter();
  target.number(mark.last);
  target.number(mark.position);
  target.array(mark.check);
  target.array(streams);
  target.number(start);
  await writer.write(target.take());
}

/** A journal's streams as they were. */
export interface JournalSnapshot {
  /** Where the journal goes on behind it. */
  readonly end: JournalEnd;
  /** What it takes, in bytes. */
  readonly bytes: number;
  /** Whether that is where it ends: its broker was stopped. */
  readonly isEnd: boolean;
  /** Brings streams to what they were. Returns those whose owners do not know all of their records that the snapshot has. */
  restore(storages: ReadonlyMap<number, DurableStorage>): Set<number>;
}

/**
 * Reads a snapshot, blocking the thread; null when there is none, or it is not one of this journal.
 *
 * @throws what the disk says when it cannot be read
 */
export function readSnapshot(
  disk: Disk,
  directory: string,
  where: Pick<DataPlace, 'id' | 'shape'>,
  name: SnapshotName,
): JournalSnapshot | null {
  const stored = readStored(disk, directory, where.id, name);
  if (stored === null) return null;
  const { mark, bytes, table, partAt } = stored;
  const place = lastBlockOf(disk, directory, where, mark);
  if (place === null) return null;
  return {
    end: { ...mark, epoch: place.epoch + 1, begin: place.begin },
    bytes,
    isEnd: name === snapshotNames.stopped && !place.isFollowed,
    restore: (storages) => restoreAll(table, storages, partAt),
  };
}

/** A snapshot as it stands beside a journal, whatever the journal has. */
interface StoredSnapshot {
  readonly mark: JournalMark;
  readonly bytes: number;
  readonly table: PieceReader;
  partAt(start: number, length: number): Uint8Array;
}

function readStored(disk: ReadingDisk, directory: string, id: Uint8Array, name: SnapshotName): StoredSnapshot | null {
  const bytes = readSnapshotNow(disk, directory, name, id);
  if (bytes === null) return null;
  // what stands before the first part is the format's version
  const partAt = (start: number, length: number) => bytes.subarray(start - versionBytes, start - versionBytes + length);
  const startAt = bytes.length - 8;
  const source = new PieceReader(partAt(new PieceReader(bytes.subarray(startAt)).number(), startAt));
  const mark = { last: source.number(), position: source.number(), check: source.bytes().slice() };
  return { mark, bytes: bytes.length, table: new PieceReader(source.bytes()), partAt };
}

/** Up to where a journal was on disk at least, and what the next sequences of its streams were. */
export interface KnownEnd {
  readonly position: number;
  readonly nexts: ReadonlyMap<number, number>;
}

/**
 * What snapshots beside a journal know of its end, blocking the thread.
 *
 * @param but one that is known already, with what the journal has behind it
 * @throws what the disk says when it cannot be read
 */
export function knownEnd(disk: ReadingDisk, directory: string, id: Uint8Array, but: SnapshotName | null): KnownEnd {
  let position = 0;
  const nexts = new Map<number, number>();
  for (const name of Object.values(snapshotNames)) {
    const stored = name === but ? null : readStored(disk, directory, id, name);
    if (stored === null) continue;
    position = Math.max(position, stored.mark.position);
    addNexts(stored, nexts);
  }
  return { position, nexts };
}

function addNexts({ table, partAt }: StoredSnapshot, nexts: Map<number, number>): void {
  while (table.hasMore) {
    const number = table.number();
    partAt(table.number(), table.number());
    const records = new PieceReader(partAt(table.number(), table.number()));
    // behind the first sequence
    records.number();
    nexts.set(number, Math.max(nexts.get(number) ?? 0, records.number()));
  }
}

const versionBytes = 8;

function restoreAll(
  table: PieceReader,
  storages: ReadonlyMap<number, DurableStorage>,
  partAt: (start: number, length: number) => Uint8Array,
): Set<number> {
  const unknown = new Set<number>();
  while (table.hasMore) {
    const storage = storages.get(table.number());
    const owner = partAt(table.number(), table.number());
    const records = partAt(table.number(), table.number());
    // it was removed since
    if (storage === undefined) continue;
    storage.restore(new PieceReader(records));
    if (owner.length === 0 || storage.owner?.restore(owner) !== true) unknown.add(storage.number);
  }
  return unknown;
}

interface LastBlock {
  readonly epoch: number;
  readonly begin: number;
  readonly isFollowed: boolean;
}

/** What the last block says, if it is the one that was written there. */
function lastBlockOf(
  disk: Disk,
  directory: string,
  { id, shape }: Pick<DataPlace, 'id' | 'shape'>,
  { last, position, check }: JournalMark,
): LastBlock | null {
  const { fileBytes } = shape;
  const numbers = journalNumbers(disk.namesNow(directory));
  const reader = new JournalReader(disk, directory, id, fileBytes, blockBytesMax(shape), 0);
  const load = (at: number) => (numbers.includes(Math.floor(at / fileBytes)) ? reader.load(at) : 0);
  try {
    if (last + load(last) !== position) return null;
    const { blocks } = reader;
    const found = new Uint8Array(8);
    blocks.copyCheck(found);
    if (!bytesEqualAt(found, 0, check)) return null;
    const { epoch, begin } = blocks;
    return { epoch, begin, isFollowed: load(position) > 0 && blocks.follows(check) };
  } finally {
    reader.close();
  }
}
