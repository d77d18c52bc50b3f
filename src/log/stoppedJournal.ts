import { bytesEqualAt } from '../base/bytes.js';
import { PieceReader, PieceWriter } from '../base/pieces.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import type { DurableStorage } from './durableStorage.js';
import { blockBytesMax, type JournalEnd } from './journal.js';
import { journalNumbers } from './journalFiles.js';
import { JournalReader } from './journalReader.js';
import { readSnapshotNow, writeSnapshot } from './snapshotFile.js';

/** Where a journal's last block lies, and where the journal goes on. */
export interface StoppedEnd extends JournalEnd {
  readonly last: number;
}

/** A journal as it was when its broker stopped. */
export interface StoppedJournal {
  readonly end: JournalEnd;
  /** Records that are there, by file. */
  readonly live: ReadonlyMap<number, number>;
  /** What owners have said of their streams, by their numbers. */
  readonly summaries: ReadonlyMap<number, Uint8Array>;
}

type Where = Pick<DataPlace, 'id' | 'shape'>;

/** Writes what a journal that was closed is, so that the next start need not read it. Resolves when that lasts. */
export async function writeStopped(
  disk: Disk,
  directory: string,
  { id }: Where,
  end: StoppedEnd,
  live: ReadonlyMap<number, number>,
  streams: readonly DurableStorage[],
): Promise<void> {
  const target = new PieceWriter();
  for (const value of [end.last, end.position, end.epoch, end.begin]) target.number(value);
  target.array(end.check);
  target.array(Float64Array.from([...live].flat()));
  target.array(Float64Array.from(streams, ({ number }) => number));
  for (const storage of streams) {
    storage.save(target);
    const summary = new PieceWriter();
    storage.owner?.save(summary);
    target.writer(summary);
  }
  await writeSnapshot(disk, directory, id, target.pieces);
}

/**
 * Brings streams to what they were when their broker stopped, blocking the thread; null when that is not known, or the journal is another
 * one now: then nothing is changed.
 *
 * @throws what the disk says when it cannot be read
 */
export function readStopped(
  disk: Disk,
  directory: string,
  where: Where,
  storages: ReadonlyMap<number, DurableStorage>,
): StoppedJournal | null {
  const bytes = readSnapshotNow(disk, directory, where.id);
  if (bytes === null) return null;
  const source = new PieceReader(bytes);
  const [last, position, epoch, begin] = [source.number(), source.number(), source.number(), source.number()];
  const end = { last, position, epoch, begin, check: source.bytes().slice() };
  if (!endsThere(disk, directory, where, end)) return null;
  const live = pairs(source.doubles());
  const numbers = source.doubles();
  if (numbers.length !== storages.size || !numbers.every((number) => storages.has(number))) return null;
  const summaries = new Map<number, Uint8Array>();
  for (const number of numbers) {
    storages.get(number)?.restore(source);
    const summary = source.bytes();
    if (summary.length > 0) summaries.set(number, summary);
  }
  return { end, live, summaries };
}

/** Whether the last block is what was written, and no other follows it. */
function endsThere(disk: Disk, directory: string, { id, shape }: Where, end: StoppedEnd): boolean {
  const { fileBytes } = shape;
  const numbers = journalNumbers(disk.namesNow(directory));
  const reader = new JournalReader(disk, directory, id, fileBytes, blockBytesMax(shape));
  const load = (position: number) => (numbers.includes(Math.floor(position / fileBytes)) ? reader.load(position) : 0);
  try {
    if (end.last + load(end.last) !== end.position) return false;
    const check = new Uint8Array(8);
    reader.blocks.copyCheck(check);
    if (!bytesEqualAt(check, 0, end.check)) return false;
    return load(end.position) === 0 || !reader.blocks.follows(check);
  } finally {
    reader.close();
  }
}

function pairs(values: Float64Array): Map<number, number> {
  const map = new Map<number, number>();
  for (let i = 0; i < values.length; i += 2) map.set(values[i], values[i + 1]);
  return map;
}
