import { journalPageBytes } from '../base/limits.js';
import { blockMagic, journalAt, magicAt } from './blockLayout.js';
import type { PlaceSetting, StoredPlace } from './dataDirectory.js';
import { type Disk, readAllNow } from './disk.js';
import { journalDirectory, journalNumbers, journalPath } from './journalFiles.js';

const idBytes = 8;

interface Journals {
  readonly directory: string;
  readonly shards: number;
}

/**
 * Where a data directory's journals and streams are, as their files tell, when its own file is damaged.
 *
 * @throws what the disk says when it cannot be read
 */
export function placeByFilesNow({ disk, path, shape }: PlaceSetting): StoredPlace {
  const { directory, shards } = journalsOf(disk, path);
  const place = { streams: `${path}/streams`, journals: directory, id: new Uint8Array(idBytes), shape };
  for (const journal of journalDirectories(directory, shards))
    for (const number of journalNumbers(disk.namesNow(journal))) {
      const found = readHeadNow(disk, journalPath(journal, number));
      if (found !== null)
        return { place: { ...place, id: found.id, shape: { ...shape, fileBytes: found.fileBytes } }, shards };
    }
  return { place, shards };
}

function journalDirectories(journals: string, shards: number): string[] {
  return Array.from({ length: 2 * shards }, (_, i) => journalDirectory(journals, i >> 1, i % 2 === 1));
}

/** Of several, the first is as good as any: they are made anew from it, and nothing is written before it is removed. */
function journalsOf(disk: Disk, path: string): Journals {
  const names = disk.namesNow(path).filter((name) => /^journal-\d+$/.test(name));
  const [first = 'journal-1'] = names.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const shards = disk.namesNow(`${path}/${first}`).filter((name) => /^\d{1,3}(-buffered)?$/.test(name));
  return { directory: `${path}/${first}`, shards: Math.max(0, ...shards.map((name) => Number.parseInt(name, 10))) + 1 };
}

/** What a journal's file has as its first block's head, and its size; null when it has no block. */
function readHeadNow(disk: Disk, path: string): { readonly id: Uint8Array; readonly fileBytes: number } | null {
  const file = disk.openNow(path, 'read');
  try {
    const page = new Uint8Array(journalPageBytes);
    const fileBytes = file.sizeNow();
    for (let at = 0; at < fileBytes; at += page.length) {
      readAllNow(file, page, at);
      if (new DataView(page.buffer).getUint32(magicAt, true) === blockMagic)
        return { id: page.slice(journalAt, journalAt + idBytes), fileBytes };
    }
    return null;
  } finally {
    file.closeNow();
  }
}
