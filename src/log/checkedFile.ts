import { createHash } from 'node:crypto';
import { type Disk, readAllNow, writeAll } from './disk.js';

interface Checked {
  readonly check: string;
  readonly version: number;
}

/** A file is not what was written. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile';

  constructor(path: string) {
    super(`${path} is damaged`);
  }
}

/**
 * Replaces a small file of JSON, which is the old or the new one whatever happens. Resolves when the new one lasts.
 *
 * @param syncNames syncs the directory: those who change several of its files at once may do that together
 */
export async function writeChecked<T extends { readonly version: number }>(
  disk: Disk,
  directory: string,
  name: string,
  fields: T,
  syncNames = () => disk.syncDirectory(directory),
): Promise<void> {
  const path = `${directory}/${name}`;
  const aside = asideOf(path);
  const file = await disk.open(aside, 'anew');
  try {
    await writeAll(file, Buffer.from(JSON.stringify({ check: checkOf(fields), ...fields })), 0);
    if (!file.durable) await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(aside, path);
  await syncNames();
}

/** Where such a file is written before it takes its place; there otherwise only when that was cut short. */
export function asideOf(path: string): string {
  return `${path}.new`;
}

/**
 * Reads such a file; null when there is none.
 *
 * @throws DamagedFile when it is not what was written; Error when it is of another version
 */
export function readCheckedNow<T extends { readonly version: number }>(
  disk: Disk,
  directory: string,
  name: string,
  version: number,
): T | null {
  return disk.namesNow(directory).includes(name) ? readThereNow<T>(disk, `${directory}/${name}`, version) : null;
}

/**
 * Reads such a file, which is there.
 *
 * @throws as `readCheckedNow`
 */
export function readThereNow<T extends { readonly version: number }>(disk: Disk, path: string, version: number): T {
  const fields = parsed<T>(textOf(disk, path), path);
  if (fields.version !== version)
    throw new Error(`${path} has version ${fields.version}: this is for version ${version}`);
  return fields;
}

function parsed<T>(text: string, path: string): T {
  try {
    const { check, ...fields } = JSON.parse(text) as Checked;
    if (check === checkOf(fields)) return fields as T;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new DamagedFile(path);
}

function checkOf(fields: object): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

function textOf(disk: Disk, path: string): string {
  const file = disk.openNow(path, 'read');
  try {
    const bytes = new Uint8Array(file.sizeNow());
    return Buffer.from(bytes.subarray(0, readAllNow(file, bytes, 0))).toString();
  } finally {
    file.closeNow();
  }
}
