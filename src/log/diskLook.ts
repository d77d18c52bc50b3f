import { flushSlowMs, flushTries, journalPageBytes } from '../base/limits.js';
import { type Disk, type DiskFile, writeAll } from './disk.js';

const aboutKinds = {
  local: null,
  network: 'is on a network: what it says is on disk may not be, and every commit waits for the network',
  rotating: 'is on a disk that rotates, as the system says: every commit waits for a turn of it',
  memory: 'is in memory: nothing is left of it when the machine stops',
} as const;

/** What a file system lies on, as far as commits to it depend on that. */
export type DiskKind = keyof typeof aboutKinds;

/**
 * Looks at the disk that journals are on: what its user should know, in sentences that name the directory.
 *
 * @param nowMs a clock that only goes forwards
 */
export async function warningsOf(disk: Disk, nowMs: () => number, directory: string): Promise<string[]> {
  const abouts = [aboutKinds[disk.kindNow(directory)], await aboutFlushes(disk, nowMs, directory)];
  return abouts.filter((about) => about !== null).map((about) => `${directory} ${about}`);
}

/** A disk that is full is none that cannot be used: what it has can be read, and removed. */
async function aboutFlushes(disk: Disk, nowMs: () => number, directory: string): Promise<string | null> {
  try {
    const flushMs = await flushTime(disk, nowMs, directory);
    return flushMs > flushSlowMs ? `takes ${flushMs.toFixed(1)} ms for a flush, and every commit as long` : null;
  } catch (error) {
    return `takes no file: ${(error as Error).message}`;
  }
}

/** The middle one of some flushes, in milliseconds. */
async function flushTime(disk: Disk, nowMs: () => number, directory: string): Promise<number> {
  const path = `${directory}/flush`;
  const file = await disk.open(path, 'append');
  const page = new Uint8Array(journalPageBytes);
  const times: number[] = [];
  try {
    // a file that grows takes longer, as journals do not
    await flush(file, page);
    while (times.length < flushTries) {
      const startMs = nowMs();
      await flush(file, page);
      times.push(nowMs() - startMs);
    }
  } finally {
    await file.close();
    await disk.remove(path);
  }
  return times.sort((a, b) => a - b)[flushTries >> 1] as number;
}

async function flush(file: DiskFile, page: Uint8Array): Promise<void> {
  await writeAll(file, page, 0);
  if (!file.durable) await file.sync();
}
