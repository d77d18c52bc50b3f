import { journalPageBytes } from '../base/limits.js';
import type { ReadingDisk, ReadingFile } from './disk.js';

/** A disk of which the pages that cannot be read are zeros: damage, as all that is not what was written; the rest is read. */
export function patientDisk(disk: ReadingDisk): ReadingDisk {
  return {
    openNow: (path, use) => new PatientFile(disk.openNow(path, use)),
    namesNow: (directory) => disk.namesNow(directory),
  };
}

/** Whether the disk cannot read what it has. */
export function isReadError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EIO';
}

class PatientFile implements ReadingFile {
  readonly #file: ReadingFile;

  constructor(file: ReadingFile) {
    this.#file = file;
  }

  readNow(bytes: Uint8Array, position: number): number {
    try {
      return this.#file.readNow(bytes, position);
    } catch (error) {
      if (!isReadError(error)) throw error;
      return this.#readPages(bytes, position);
    }
  }

  /** From where it is read, a page at a time. */
  #readPages(bytes: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(bytes.length, this.sizeNow() - position));
    for (let at = 0; at < length; at += journalPageBytes) {
      const page = bytes.subarray(at, Math.min(at + journalPageBytes, length));
      try {
        this.#file.readNow(page, position + at);
      } catch (error) {
        if (!isReadError(error)) throw error;
        page.fill(0);
      }
    }
    return length;
  }

  expectNow(position: number, bytes: number): void {
    this.#file.expectNow(position, bytes);
  }

  sizeNow(): number {
    return this.#file.sizeNow();
  }

  closeNow(): void {
    this.#file.closeNow();
  }
}
