import { asideOf, readThereNow, writeChecked } from './checkedFile.js';
import type { Disk, ReadingDisk } from './disk.js';

/** What is kept of a stream beside its records, in a file of its own. */
export interface StreamMeta {
  readonly number: number;
  readonly name: string;
  readonly description: string;
  /** Whether its records are in the buffered journal of its shard. */
  readonly buffered: boolean;
}

const formatVersion = 1;
const namePattern = /^[0-9a-f]{12}\.json$/;

/** Streams had a directory each before they had a file each. */
const formerPattern = /^[0-9a-f]{12}$/;
const formerName = 'meta.json';

/** The file of a stream is named by its number: a name may have any bytes, and never becomes a path. */
export function metaName(number: number): string {
  return `${number.toString(16).padStart(12, '0')}.json`;
}

/** Numbers of the streams that have a file. */
export function metaNumbersNow(disk: ReadingDisk, streams: string): number[] {
  const names = disk.namesNow(streams).filter((name) => namePattern.test(name));
  return names.sort().map((name) => Number.parseInt(name, 16));
}

/**
 * Replaces a stream's file. Resolves when that lasts.
 *
 * @param syncNames syncs the directory that all of them are in
 */
export function writeMeta(
  disk: Disk,
  streams: string,
  meta: StreamMeta,
  syncNames?: () => Promise<void>,
): Promise<void> {
  return writeChecked(disk, streams, metaName(meta.number), { version: formatVersion, ...meta }, syncNames);
}

/**
 * Reads a stream's file.
 *
 * @throws DamagedFile when it is not what was written; Error when it is of another version
 */
export function readMetaNow(disk: Disk, streams: string, number: number): StreamMeta {
  const path = `${streams}/${metaName(number)}`;
  const meta = readThereNow<StreamMeta & { version: number }>(disk, path, formatVersion);
  // those that were written before there were two journals are in the first one
  return { ...meta, buffered: meta.buffered ?? false };
}

/**
 * Brings to the disk what a broker that was killed has left of streams, so that nobody is told of one that a crash could take back, or
 * bring back; removes what was half made.
 */
export async function settleStreams(disk: Disk, streams: string): Promise<void> {
  const names = disk.namesNow(streams);
  for (const name of names) {
    if (formerPattern.test(name)) await moveFormer(disk, streams, name);
    else if (!namePattern.test(name)) await disk.remove(`${streams}/${name}`);
  }
  await disk.syncDirectory(streams);
}

/** Gives a stream a file in place of its directory. */
async function moveFormer(disk: Disk, streams: string, name: string): Promise<void> {
  const directory = `${streams}/${name}`;
  if (disk.namesNow(directory).includes(formerName)) {
    await disk.rename(`${directory}/${formerName}`, `${streams}/${name}.json`);
    await disk.syncDirectory(streams);
  }
  await disk.removeDirectory(directory);
}

/** @throws Error when streams have directories still, which the next start makes files of */
export function refuseFormer(disk: ReadingDisk, streams: string): void {
  if (disk.namesNow(streams).some((name) => formerPattern.test(name)))
    throw new Error(`${streams} is as an earlier version has left it: start a broker with it once`);
}

/** From here on the stream is not found any more. */
export async function removeMeta(
  disk: Disk,
  streams: string,
  number: number,
  syncNames: () => Promise<void>,
): Promise<void> {
  await disk.remove(`${streams}/${metaName(number)}`);
  await syncNames();
}

/** Removes what was written of a stream's file, as far as that came. */
export async function removeHalfMade(disk: Disk, streams: string, number: number): Promise<void> {
  const name = metaName(number);
  const names = disk.namesNow(streams);
  for (const half of [name, asideOf(name)]) if (names.includes(half)) await disk.remove(`${streams}/${half}`);
  await disk.syncDirectory(streams);
}
