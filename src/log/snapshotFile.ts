import { dirname } from 'node:path';
import { bytesEqualAt } from '../base/bytes.js';
import { JournalMemory } from '../base/kernel.js';
import { snapshotBytesMax, snapshotPageBytes } from '../base/limits.js';
import { paged } from './blockLayout.js';
import { type Disk, type DiskFile, type ReadingDisk, readAllNow, writeAll } from './disk.js';

/**
 * What a journal's streams are: pages of `snapshotPageBytes`.
 *
 *     0        8       16
 *     | check  | length | …
 *
 * - check: XXH64 of what follows it, with the check of the page before as its seed; the first one's is the data directory's number
 * - length: what of the page is used; below zero for the last one. The first one begins with the format's version
 */
const checkAt = 0;
const lengthAt = 8;
const headBytes = 16;

/** As a journal was when its broker stopped, and while it ran. */
export const snapshotNames = { stopped: 'stopped.snap', running: 'index.snap' } as const;
export type SnapshotName = (typeof snapshotNames)[keyof typeof snapshotNames];

const formatVersion = 2;

/** Seeds are put behind the page. */
const seedAt = snapshotPageBytes;
const seedBytes = 8;
const memoryBytes = snapshotPageBytes + 64 * 1024;

/** Writes a snapshot beside a journal, page by page, past the system's cache. What stood in its place counts until `finish`. */
export class SnapshotWriter {
  /** Bytes taken. */
  length = 0;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #file: DiskFile;
  readonly #memory = new JournalMemory(memoryBytes);
  readonly #view = new DataView(this.#memory.bytes.buffer);
  #used = headBytes;
  #at = 0;

  private constructor(disk: Disk, path: string, file: DiskFile, id: Uint8Array) {
    this.#disk = disk;
    this.#path = path;
    this.#file = file;
    this.#memory.bytes.set(id, seedAt);
  }

  static async open(disk: Disk, directory: string, name: SnapshotName, id: Uint8Array): Promise<SnapshotWriter> {
    const path = `${directory}/${name}`;
    const writer = new SnapshotWriter(disk, path, await disk.open(aside(path), 'append'), id);
    await writer.write(new Uint8Array(Float64Array.of(formatVersion).buffer));
    return writer;
  }

  /** Takes bytes that nobody changes; resolves when as many are written as fill pages. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const taken = Math.min(bytes.length - from, snapshotPageBytes - this.#used);
      this.#memory.bytes.set(bytes.subarray(from, from + taken), this.#used);
      from += taken;
      this.#used += taken;
      if (this.#used === snapshotPageBytes) await this.#writePage(false);
    }
    this.length += bytes.length;
  }

  /** Resolves when the snapshot lasts, and is found. */
  async finish(): Promise<void> {
    await this.#writePage(true);
    if (!this.#file.durable) await this.#file.sync();
    await this.#file.close();
    await this.#disk.rename(aside(this.#path), this.#path);
    await this.#disk.syncDirectory(dirname(this.#path));
  }

  /** It is given up. */
  async abandon(): Promise<void> {
    await this.#file.close();
    await this.#disk.remove(aside(this.#path));
  }

  async #writePage(isLast: boolean): Promise<void> {
    const { bytes } = this.#memory;
    const length = this.#used;
    this.#view.setFloat64(lengthAt, isLast ? -length : length, true);
    this.#memory.hash64(lengthAt, length - lengthAt, seedAt, checkAt);
    bytes.copyWithin(seedAt, checkAt, checkAt + seedBytes);
    await writeAll(this.#file, bytes.subarray(0, paged(length)), this.#at);
    this.#at += snapshotPageBytes;
    this.#used = headBytes;
  }
}

function aside(path: string): string {
  return `${path}.new`;
}

/**
 * Reads a snapshot beside a journal, blocking the thread; null when there is none, or it is not what was written, in this version.
 *
 * @throws what the disk says when it cannot be read
 */
export function readSnapshotNow(
  disk: ReadingDisk,
  directory: string,
  name: SnapshotName,
  id: Uint8Array,
): Uint8Array | null {
  if (!disk.namesNow(directory).includes(name)) return null;
  const file = disk.openNow(`${directory}/${name}`, 'read');
  try {
    const sizeBytes = file.sizeNow();
    if (sizeBytes > snapshotBytesMax) return null;
    file.expectNow(0, sizeBytes);
    const memory = new JournalMemory(pagesAt + sizeBytes);
    memory.bytes.set(id, readSeedAt);
    const there = readAllNow(file, memory.bytes.subarray(pagesAt, pagesAt + sizeBytes), 0);
    return bodyOf(memory, pagesAt + there);
  } finally {
    file.closeNow();
  }
}

/** Where pages are put to be read: behind the seed of the one that is looked at, and its check as it should be. */
const readSeedAt = 0;
const foundAt = readSeedAt + seedBytes;
const pagesAt = foundAt + seedBytes;

/** What pages that end at `end` have, moved together; null when one is not whole. */
function bodyOf(memory: JournalMemory, end: number): Uint8Array | null {
  const { bytes } = memory;
  let used = pagesAt;
  for (let at = pagesAt; ; at += snapshotPageBytes) {
    const length = wholeBytes(memory, at, end);
    if (length === 0) return null;
    bytes.copyWithin(used, at + headBytes, at + Math.abs(length));
    used += Math.abs(length) - headBytes;
    if (length < 0) return ofVersion(bytes.subarray(pagesAt, used));
    if (length < snapshotPageBytes) return null;
  }
}

/** The disk begins to read the snapshot beside a journal that a start looks at first. */
export function expectSnapshot(disk: ReadingDisk, directory: string): void {
  const names = disk.namesNow(directory);
  const name = [snapshotNames.stopped, snapshotNames.running].find((each) => names.includes(each));
  if (name === undefined) return;
  const file = disk.openNow(`${directory}/${name}`, 'read');
  try {
    file.expectNow(0, file.sizeNow());
  } finally {
    file.closeNow();
  }
}

/** Length of the page at `at` if it is what was written behind the one before, which it is then; else 0. */
function wholeBytes(memory: JournalMemory, at: number, end: number): number {
  const { bytes } = memory;
  const there = Math.min(end - at, snapshotPageBytes);
  if (there < headBytes) return 0;
  const length = new DataView(bytes.buffer).getFloat64(at + lengthAt, true);
  const used = Math.abs(length);
  if (!(used >= headBytes && used <= there)) return 0;
  memory.hash64(at + lengthAt, used - lengthAt, readSeedAt, foundAt);
  const check = bytes.subarray(at + checkAt, at + checkAt + seedBytes);
  if (!bytesEqualAt(bytes, foundAt, check)) return 0;
  bytes.set(check, readSeedAt);
  return length;
}

/** What was written in this version; null in another one. */
function ofVersion(body: Uint8Array): Uint8Array | null {
  const versionBytes = 8;
  if (body.length < versionBytes) return null;
  const version = new DataView(body.buffer, body.byteOffset).getFloat64(0, true);
  return version === formatVersion ? body.subarray(versionBytes) : null;
}

/** Before a journal goes on behind a stop: its snapshot is one of a running broker, if that was believed, or none. Resolves when that lasts. */
export async function settleSnapshots(disk: Disk, directory: string, believed: SnapshotName | null): Promise<void> {
  const { stopped, running } = snapshotNames;
  const names = disk.namesNow(directory);
  if (names.includes(stopped)) {
    if (believed === stopped) await disk.rename(`${directory}/${stopped}`, `${directory}/${running}`);
    else await disk.remove(`${directory}/${stopped}`);
  }
  if (believed === null) await forgetSnapshot(disk, directory);
  await disk.syncDirectory(directory);
}

/** The next start reads the whole journal. */
export async function forgetSnapshot(disk: Disk, directory: string): Promise<void> {
  if (disk.namesNow(directory).includes(snapshotNames.running))
    await disk.remove(`${directory}/${snapshotNames.running}`);
}
