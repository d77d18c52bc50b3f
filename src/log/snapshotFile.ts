import { bytesEqualAt } from '../base/bytes.js';
import { JournalMemory } from '../base/kernel.js';
import { snapshotPageBytes } from '../base/limits.js';
import { type Disk, readAllNow, writeAll } from './disk.js';

/**
 * What a journal's streams are, written at a clean stop: pages of `snapshotPageBytes`, the last one shorter.
 *
 *     0        8       16
 *     | check  | length | …
 *
 * - check: XXH64 of what follows it, with the check of the page before as its seed; the first one's is the data directory's number
 * - length: of the whole page; the first one's begins with the format's version, and how many bytes all pages bring
 */
const checkAt = 0;
const lengthAt = 8;
const headBytes = 16;

const name = 'stopped.snap';
const aside = `${name}.new`;
const formatVersion = 1;

/** Seeds are put behind the page. */
const seedAt = snapshotPageBytes;
const seedBytes = 8;
const foundAt = seedAt + seedBytes;
const memoryBytes = snapshotPageBytes + 64 * 1024;

/** Writes a snapshot beside a journal. Resolves when it lasts. */
export async function writeSnapshot(
  disk: Disk,
  directory: string,
  id: Uint8Array,
  pieces: readonly Uint8Array[],
): Promise<void> {
  const file = await disk.open(`${directory}/${aside}`, 'write');
  try {
    let at = 0;
    for (const page of pagesOf(id, [head(pieces), ...pieces])) {
      await writeAll(file, page, at);
      at += page.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(`${directory}/${aside}`, `${directory}/${name}`);
  await disk.syncDirectory(directory);
}

function head(pieces: readonly Uint8Array[]): Uint8Array {
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  return new Uint8Array(Float64Array.of(formatVersion, total).buffer);
}

/** Fills pages with what pieces have; each is valid until the next one is asked for. */
function* pagesOf(id: Uint8Array, pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  const memory = new JournalMemory(memoryBytes);
  memory.bytes.set(id, seedAt);
  let used = headBytes;
  for (const piece of pieces)
    for (let from = 0; from < piece.length; ) {
      const taken = Math.min(piece.length - from, snapshotPageBytes - used);
      memory.bytes.set(piece.subarray(from, from + taken), used);
      from += taken;
      used += taken;
      if (used < snapshotPageBytes) continue;
      yield sealed(memory, used);
      used = headBytes;
    }
  if (used > headBytes) yield sealed(memory, used);
}

function sealed(memory: JournalMemory, length: number): Uint8Array {
  const { bytes } = memory;
  new DataView(bytes.buffer).setFloat64(lengthAt, length, true);
  memory.hash64(lengthAt, length - lengthAt, seedAt, checkAt);
  bytes.copyWithin(seedAt, checkAt, checkAt + seedBytes);
  return bytes.subarray(0, length);
}

/**
 * Reads the snapshot beside a journal, blocking the thread; null when there is none, or it is not what was written.
 *
 * @throws what the disk says when it cannot be read
 */
export function readSnapshotNow(disk: Disk, directory: string, id: Uint8Array): Uint8Array | null {
  if (!disk.namesNow(directory).includes(name)) return null;
  const file = disk.openNow(`${directory}/${name}`, 'read');
  try {
    const sizeBytes = file.sizeNow();
    const memory = new JournalMemory(memoryBytes);
    memory.bytes.set(id, seedAt);
    const body = new Uint8Array(sizeBytes - headBytes * Math.ceil(sizeBytes / snapshotPageBytes));
    let used = 0;
    for (let at = 0; at < sizeBytes; at += snapshotPageBytes) {
      const length = readAllNow(file, memory.bytes.subarray(0, snapshotPageBytes), at);
      if (!isWhole(memory, length)) return null;
      body.set(memory.bytes.subarray(headBytes, length), used);
      used += length - headBytes;
    }
    return bodyOf(body);
  } finally {
    file.closeNow();
  }
}

/** Whether the page that was read is what was written behind the one before; then it is the one before. */
function isWhole(memory: JournalMemory, length: number): boolean {
  const { bytes } = memory;
  if (length < headBytes || new DataView(bytes.buffer).getFloat64(lengthAt, true) !== length) return false;
  memory.hash64(lengthAt, length - lengthAt, seedAt, foundAt);
  if (!bytesEqualAt(bytes.subarray(foundAt, foundAt + seedBytes), 0, bytes.subarray(checkAt, checkAt + seedBytes)))
    return false;
  bytes.copyWithin(seedAt, checkAt, checkAt + seedBytes);
  return true;
}

/** What was written, if all of it is there, in this version. */
function bodyOf(body: Uint8Array): Uint8Array | null {
  const headLength = 16;
  if (body.length < headLength) return null;
  const view = new DataView(body.buffer);
  const isSame = view.getFloat64(0, true) === formatVersion && view.getFloat64(8, true) === body.length - headLength;
  return isSame ? body.subarray(headLength) : null;
}

/** A journal that goes on is not what its snapshot says any more. Resolves when that lasts. */
export async function removeSnapshot(disk: Disk, directory: string): Promise<void> {
  const names = disk.namesNow(directory);
  for (const each of [aside, name]) if (names.includes(each)) await disk.remove(`${directory}/${each}`);
  await disk.syncDirectory(directory);
}
