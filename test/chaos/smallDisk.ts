import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const sizeMib = 2048;

/** A file system of its own, which can be filled: an image that is mounted, where that is allowed. */
export class SmallDisk {
  /** A directory in it. */
  readonly path: string;
  readonly #folder: string;
  readonly #mount: string;
  readonly #ballast: string;
  readonly #sweep = (): void => this.remove();

  private constructor(folder: string) {
    this.#folder = folder;
    this.#mount = join(folder, 'mount');
    this.#ballast = join(this.#mount, 'ballast');
    this.path = join(this.#mount, 'data');
    process.on('exit', this.#sweep);
  }

  /** Makes one; null where that is not allowed. */
  static make(): SmallDisk | null {
    const folder = mkdtempSync(join(tmpdir(), 'shardcast-chaos-disk-'));
    const image = join(folder, 'image');
    try {
      run('truncate', '-s', `${sizeMib}M`, image);
      run('mkfs.ext4', '-q', '-F', '-m', '0', image);
      mkdirSync(join(folder, 'mount'));
      run('mount', '-o', 'loop', image, join(folder, 'mount'));
    } catch {
      rmSync(folder, { recursive: true });
      return null;
    }
    return new SmallDisk(folder);
  }

  /** Takes all room but so many bytes. */
  fill(leftBytes: number): void {
    const { bavail, bsize } = statfsSync(this.#mount);
    const bytes = bavail * bsize - leftBytes;
    try {
      if (bytes > 0) run('fallocate', '-l', `${bytes}`, this.#ballast);
    } catch {
      // somebody has taken of the room meanwhile: so it is full
    }
  }

  /** Gives the room back. */
  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  remove(): void {
    process.off('exit', this.#sweep);
    run('umount', '--lazy', this.#mount);
    rmdirSync(this.#mount);
    rmSync(this.#folder, { recursive: true });
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'ignore' });
}
