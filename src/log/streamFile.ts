import { createHash } from 'node:crypto';
import { type Disk, readAllNow, writeAll } from './disk.js';

/** What is kept of a stream beside its records, in a file of its own. */
export interface StreamMeta {
  readonly number: number;
  readonly name: string;
  readonly description: string;
}

const fileName = 'meta.json';
const formatVersion = 1;

/** The directory of a stream is named by its number: a name may have any bytes, and never becomes a path. */
export function streamDirectory(streams: string, number: number): string {
  return `${streams}/${number.toString(16).padStart(12, '0')}`;
}

/** Replaces a stream's file. Resolves when that lasts. */
export async function writeMeta(disk: Disk, directory: string, meta: StreamMeta): Promise<void> {
  const path = `${directory}/${fileName}`;
  const { number, name, description } = meta;
  const fields = { version: formatVersion, number, name, description };
  const file = await disk.open(`${path}.new`, 'write');
  try {
    await writeAll(file, Buffer.from(JSON.stringify({ check: checkOf(fields), ...fields })), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(`${path}.new`, path);
  await disk.syncDirectory(directory);
}

/**
 * Reads a stream's file; null when there is none: the stream was never told of, or removed.
 *
 * @throws Error that names a file that is not what was written
 */
export function readMetaNow(disk: Disk, directory: string): StreamMeta | null {
  if (!disk.namesNow(directory).includes(fileName)) return null;
  const path = `${directory}/${fileName}`;
  try {
    return parse(textOf(disk, path));
  } catch (error) {
    throw new Error(`${path} is damaged: ${(error as Error).message}`);
  }
}

/** From here on the stream is not found any more. */
export async function removeMeta(disk: Disk, directory: string): Promise<void> {
  await disk.remove(`${directory}/${fileName}`);
  await disk.syncDirectory(directory);
}

function parse(text: string): StreamMeta {
  const { check, ...fields } = JSON.parse(text) as StreamMeta & { check: string; version: number };
  if (check !== checkOf(fields)) throw new Error('its check is wrong');
  if (fields.version !== formatVersion) throw new Error(`version ${fields.version} is not known`);
  return fields;
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
