import { readCheckedNow, writeChecked } from './checkedFile.js';
import type { Disk } from './disk.js';

/** What is kept of a stream beside its records, in a file of its own. */
export interface StreamMeta {
  readonly number: number;
  readonly name: string;
  readonly description: string;
  /** Whether its records are in the buffered journal of its shard. */
  readonly buffered: boolean;
}

export const metaName = 'meta.json';
const formatVersion = 1;

/** The directory of a stream is named by its number: a name may have any bytes, and never becomes a path. */
export function streamDirectory(streams: string, number: number): string {
  return `${streams}/${number.toString(16).padStart(12, '0')}`;
}

/** Replaces a stream's file. Resolves when that lasts. */
export function writeMeta(disk: Disk, directory: string, meta: StreamMeta): Promise<void> {
  return writeChecked(disk, directory, metaName, { version: formatVersion, ...meta });
}

/**
 * Reads a stream's file; null when there is none: the stream was never told of, or removed.
 *
 * @throws DamagedFile when it is not what was written; Error when it is of another version
 */
export function readMetaNow(disk: Disk, directory: string): StreamMeta | null {
  const meta = readCheckedNow<StreamMeta & { version: number }>(disk, directory, metaName, formatVersion);
  // those that were written before there were two journals are in the first one
  return meta === null ? null : { ...meta, buffered: meta.buffered ?? false };
}

/**
 * Brings to the disk what a broker that was killed has left of streams, so that nobody is told of one that a crash could take back, or
 * bring back; removes what was half made or half removed.
 */
export async function settleStreams(disk: Disk, streams: string): Promise<void> {
  for (const name of disk.namesNow(streams)) {
    const directory = `${streams}/${name}`;
    await disk.syncDirectory(directory);
    if (!disk.namesNow(directory).includes(metaName)) await disk.removeDirectory(directory);
  }
  await disk.syncDirectory(streams);
}

/** From here on the stream is not found any more. */
export async function removeMeta(disk: Disk, directory: string): Promise<void> {
  await disk.remove(`${directory}/${metaName}`);
  await disk.syncDirectory(directory);
}
