import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const imageMb = 1024;

/** A file system of its own in a file, in place of a directory; while it is frozen, whoever writes to it waits. It takes Linux, its root, and a loop device. */
export class FrozenDisk {
  readonly #place: string;
  readonly #directory: string;
  #frozen = false;

  private constructor(place: string, directory: string) {
    this.#place = place;
    this.#directory = directory;
  }

  /** Puts a file system in the place of a directory, with what that has. Errors say what the system lacks. */
  static under(directory: string): FrozenDisk {
    const place = mkdtempSync(join(tmpdir(), 'shardcast-hang-'));
    const image = join(place, 'image');
    const before = join(place, 'before');
    run('truncate', '-s', `${imageMb}M`, image);
    run('mkfs.ext4', '-q', '-F', image);
    renameSync(directory, before);
    mkdirSync(directory);
    run('mount', '-o', 'loop', image, directory);
    cpSync(before, directory, { recursive: true });
    return new FrozenDisk(place, directory);
  }

  freeze(): void {
    run('fsfreeze', '-f', this.#directory);
    this.#frozen = true;
  }

  thaw(): void {
    if (this.#frozen) run('fsfreeze', '-u', this.#directory);
    this.#frozen = false;
  }

  /** Nobody has a file of it open any more. */
  remove(): void {
    this.thaw();
    run('umount', this.#directory);
    rmSync(this.#place, { recursive: true });
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
