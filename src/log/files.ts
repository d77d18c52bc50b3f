import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  close as fsClose,
  open as fsOpen,
  read as fsRead,
  fstatSync,
  write as fsWrite,
  fsync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from 'node:fs';
import { mkdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { whenBound } from '../base/nativeFunction.js';
import type { Disk, DiskFile, FileUse, LockUse } from './disk.js';
import { diskKindNow } from './diskKind.js';

const { O_CREAT, O_DIRECT, O_DSYNC, O_RDONLY, O_RDWR, O_TRUNC } = constants;
const openFile = promisify(fsOpen);
const closeFile = promisify(fsClose);
const readFile = promisify(fsRead);
const writeFile = promisify(fsWrite);
const syncFile = promisify(fdatasync);
const syncNames = promisify(fsync);

const flags: Readonly<Record<FileUse, number>> = {
  read: O_RDONLY,
  write: O_RDWR | O_CREAT,
  anew: O_RDWR | O_CREAT | O_TRUNC | (O_DSYNC ?? 0),
  append: O_RDWR | O_CREAT | (O_DIRECT ?? 0) | (O_DSYNC ?? 0),
  fill: O_RDWR | O_CREAT | (O_DIRECT ?? 0),
};

const flock = whenBound('int flock(int descriptor, int operation)');
const locks: Readonly<Record<LockUse, number>> = { shared: 1, alone: 2 };
const dontWait = 4;

const advise = whenBound('int posix_fadvise(int descriptor, int64_t offset, int64_t length, int advice)');
const willNeed = 3;

/** Others than the broker's user and group have no business with its data. */
const mode = 0o640;

/** Errors of a file system that does not write past its cache. */
const refusals = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

/** Errors of what this process, or nobody, may write. */
const unwritable = ['EROFS', 'EACCES', 'EPERM'];

/** The system's disk: the only file of the log that knows `node:fs`. */
export const systemDisk: Disk = {
  async open(path, use) {
    try {
      return new SystemFile(path, await openFile(path, flags[use], mode), use);
    } catch (error) {
      if (!isDirect(use) || !isRefusal(error)) throw error;
      return new SystemFile(path, await openFile(path, flags.write, mode), 'write');
    }
  },
  openNow: (path, use) => new SystemFile(path, openSync(path, flags[use], mode), use),
  namesNow(directory) {
    try {
      return readdirSync(directory);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  },
  makeDirectory,
  kindNow: diskKindNow,
  rename,
  remove: unlink,
  removeDirectory: (path) => rm(path, { recursive: true }),
  lockNow(path, use) {
    const descriptor = openLock(path, use);
    const file = new SystemFile(path, descriptor, 'write');
    if ((flock()(descriptor, locks[use] | dontWait) as number) === 0) return file;
    file.closeNow();
    return null;
  },
  async syncDirectory(path) {
    const descriptor = await openFile(path, O_RDONLY);
    try {
      await syncNames(descriptor);
    } finally {
      // nobody needs to wait for it
      closeFile(descriptor).catch(ignore);
    }
  },
};

/** Node's own way of making those it lies in, too, says ENOENT where the disk is full. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOneDirectory(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    // not by this function: in some places, such as /proc, nothing can be made, and what they say is ENOENT
    await makeOneDirectory(path);
  }
}

async function makeOneDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o750 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    throw error;
  }
  await systemDisk.syncDirectory(dirname(path));
}

function openLock(path: string, use: LockUse): number {
  try {
    return openSync(path, flags.write, mode);
  } catch (error) {
    if (use === 'alone' || !unwritable.includes(codeOf(error) ?? '')) throw error;
    return openSync(path, flags.read);
  }
}

function ignore(): void {}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Whether a file is written past the system's cache. */
function isDirect(use: FileUse): boolean {
  return use === 'append' || use === 'fill';
}

function isRefusal(error: unknown): boolean {
  return refusals.includes(codeOf(error) ?? '');
}

class SystemFile implements DiskFile {
  readonly #path: string;
  #descriptor: number;
  /** Whether it is written past the system's cache, and what it was opened for. */
  #direct: boolean;
  readonly #use: FileUse;

  constructor(path: string, descriptor: number, use: FileUse) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#direct = isDirect(use) && O_DIRECT !== undefined;
    this.#use = use;
  }

  get durable(): boolean {
    return this.#use === 'anew' ? O_DSYNC !== undefined : this.#direct && this.#use === 'append';
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#write(bytes, position);
    } catch (error) {
      if (!this.#direct || !isRefusal(error)) throw error;
      await this.#useCache();
      return this.#write(bytes, position);
    }
  }

  async #write(bytes: Uint8Array, position: number): Promise<number> {
    const { bytesWritten } = await writeFile(this.#descriptor, bytes, 0, bytes.length, position);
    return bytesWritten;
  }

  /** Some file systems say only when they are written to that they do not write past the cache. */
  async #useCache(): Promise<void> {
    const descriptor = await openFile(this.#path, flags.write, mode);
    await closeFile(this.#descriptor);
    this.#descriptor = descriptor;
    this.#direct = false;
  }

  writeNow(bytes: Uint8Array, position: number): number {
    return writeSync(this.#descriptor, bytes, 0, bytes.length, position);
  }

  sync(): Promise<void> {
    return syncFile(this.#descriptor);
  }

  syncNow(): void {
    fdatasyncSync(this.#descriptor);
  }

  async read(bytes: Uint8Array, position: number): Promise<number> {
    const { bytesRead } = await readFile(this.#descriptor, bytes, 0, bytes.length, position);
    return bytesRead;
  }

  readNow(bytes: Uint8Array, position: number): number {
    return readSync(this.#descriptor, bytes, 0, bytes.length, position);
  }

  /** The system reads it into its memory meanwhile, where it can be asked to. */
  expectNow(position: number, lengthBytes: number): void {
    if (process.platform === 'linux') advise()(this.#descriptor, position, lengthBytes, willNeed);
  }

  sizeNow(): number {
    return fstatSync(this.#descriptor).size;
  }

  close(): Promise<void> {
    return closeFile(this.#descriptor);
  }

  closeNow(): void {
    closeSync(this.#descriptor);
  }
}
