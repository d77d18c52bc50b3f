import type { DiskKind } from './diskLook.js';

/**
 * What the log asks of a disk. `files.ts` gives it the system's; tests give it a simulated one, which loses what was not synced.
 * Paths are those of the system. What ends in `Now` blocks the thread and belongs to a start.
 */
export interface Disk {
  /** Opens a file that is there, or makes it. */
  open(path: string, use: FileUse): Promise<DiskFile>;
  openNow(path: string, use: 'read' | 'write'): DiskFile;
  /** Names in a directory, in no order; none when it is not there. */
  namesNow(directory: string): string[];
  /** With those it lies in, as far as they are not there. It lasts when this resolves. */
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** A directory with all that is in it. */
  removeDirectory(path: string): Promise<void>;
  /** What the directory lies on. */
  kindNow(directory: string): DiskKind;
  /** Takes a file until the lock is closed or the process ends; null when another process has it, and one of the two wants it alone. */
  lockNow(path: string, use: LockUse): { closeNow(): void } | null;
  /** Until then a crash may take back what was made, renamed and removed in it. */
  syncDirectory(path: string): Promise<void>;
}

/** `shared` is for who writes nothing: also where nobody can. */
export type LockUse = 'alone' | 'shared';

/**
 * `append`: what is written is on disk when the write returns, where the file system can do that; see `DiskFile.durable`. `fill`: it goes
 * past the system's cache there, and one `sync` at the end is enough. Both write whole pages. `anew`: what was in the file
 * is gone, and what is written is on disk when the write returns, where the system can do that.
 */
export type FileUse = 'read' | 'write' | 'anew' | 'append' | 'fill';

export interface DiskFile {
  /** Whether a write that has returned is on disk. Where it is not, `sync` is needed. */
  readonly durable: boolean;
  /** Returns how many bytes were written: perhaps fewer than asked. Of one that is opened to `append`, bytes and position are aligned to pages. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  writeNow(bytes: Uint8Array, position: number): number;
  /** After an error nothing is known about what was written before, and another sync tells nothing. */
  sync(): Promise<void>;
  syncNow(): void;
  /** Returns how many bytes were read: fewer than asked at the file's end. */
  read(bytes: Uint8Array, position: number): Promise<number>;
  readNow(bytes: Uint8Array, position: number): number;
  /** What lies there will be read soon: the system may bring it to its memory, while the thread goes on. */
  expectNow(position: number, lengthBytes: number): void;
  sizeNow(): number;
  close(): Promise<void>;
  closeNow(): void;
}

/** What is asked of a disk by who only reads, and waits for it. */
export interface ReadingDisk {
  openNow(path: string, use: 'read'): ReadingFile;
  namesNow(directory: string): string[];
}

export type ReadingFile = Pick<DiskFile, 'readNow' | 'expectNow' | 'sizeNow' | 'closeNow'>;

/** Whether freed space ends an error. */
export function isFullError({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Writes all of `bytes`, however many writes that takes. */
export async function writeAll(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const written = await file.write(done === 0 ? bytes : bytes.subarray(done), position + done);
    if (written <= 0) throw new Error('the disk takes no more bytes');
    done += written;
  }
}

export function writeAllNow(file: DiskFile, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += file.writeNow(bytes.subarray(done), position + done);
}

/** Reads until `bytes` is full or the file ends; returns how many bytes there were. */
export async function readAll(file: DiskFile, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const read = await file.read(bytes.subarray(done), position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

export function readAllNow(file: Pick<DiskFile, 'readNow'>, bytes: Uint8Array, position: number): number {
  let done = 0;
  while (done < bytes.length) {
    const read = file.readNow(bytes.subarray(done), position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}
