import type { Disk, DiskFile, FileUse } from '../../src/log/disk.js';
import type { DiskKind } from '../../src/log/diskLook.js';

const sectorBytes = 512;

/** A write that the system has, and the disk perhaps not. */
interface Unsynced {
  readonly position: number;
  readonly bytes: Uint8Array;
  /** Counts writes. */
  readonly number: number;
}

class Inode {
  /** What who reads it sees, and what a power failure leaves. */
  data = new Uint8Array(0);
  durable = new Uint8Array(0);
  unsynced: Unsynced[] = [];

  copy(): Inode {
    const copy = new Inode();
    copy.durable = this.durable.slice();
    return copy;
  }

  write(position: number, bytes: Uint8Array): void {
    this.data = written(this.data, position, bytes);
  }

  persist(position: number, bytes: Uint8Array): void {
    this.durable = written(this.durable, position, bytes);
  }
}

function written(data: Uint8Array<ArrayBuffer>, position: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const target = data.length >= position + bytes.length ? data : new Uint8Array(position + bytes.length);
  if (target !== data) target.set(data);
  target.set(bytes, position);
  return target;
}

/** A change of names that a crash may take back until its directory is synced. */
interface NameChange {
  readonly directory: string;
  apply(names: Map<string, Inode>): void;
}

/** Something that was asked of the disk and has not happened yet. */
interface Pending {
  readonly kind: 'open' | 'write' | 'sync' | 'syncDirectory' | 'other';
  run(): void;
  /** Of a write: what of it may be on disk when the power fails. */
  readonly inode?: Inode;
  readonly write?: Unsynced;
}

export type Fault = { readonly kind: Pending['kind']; readonly code: string; countdown: number };

function diskError(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}

const parent = (path: string) => path.slice(0, path.lastIndexOf('/'));

/**
 * A disk in memory, whose operations happen when `step` says so. What was not synced, a crash loses, or keeps, in sectors of 512 bytes;
 * a write under way gets to the disk in any part of its sectors; names change in order, and no further than where the crash comes.
 */
export class SimDisk implements Disk {
  readonly pending: Pending[] = [];
  readonly directories = new Set<string>();
  /** The next of these operations fails; a failed sync loses what it was to sync. */
  fault: Fault | null = null;
  kind: DiskKind = 'local';
  /** Writes that the system has. */
  writes = 0;
  /** The first write that a failed sync has lost. */
  #lostWrite = Number.POSITIVE_INFINITY;
  /** What all files may have. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Whether writes of files to append to are on disk when they return. */
  readonly #durableAppends: boolean;
  readonly #random: (bound: number) => number;
  /** Whether the process was killed: files are another disk's now. */
  #isLeft = false;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #changes: NameChange[] = [];

  constructor(random: (bound: number) => number, durableAppends: boolean) {
    this.#random = random;
    this.#durableAppends = durableAppends;
  }

  /** Lets one of the pending operations happen; false when there is none. */
  step(): boolean {
    if (this.pending.length === 0) return false;
    const [operation] = this.pending.splice(this.#random(this.pending.length), 1);
    operation!.run();
    return true;
  }

  kindNow(): DiskKind {
    return this.kind;
  }

  /** What is left when the process is killed now: the system has all that was written, and perhaps what was under way. */
  killed(random: (bound: number) => number): SimDisk {
    const left = new SimDisk(random, this.#durableAppends);
    for (const directory of this.directories) left.directories.add(directory);
    left.#names = this.#names;
    left.#durableNames = this.#durableNames;
    left.#changes = this.#changes;
    for (const { kind, run } of this.pending) if (kind === 'write' && random(2) === 0) run();
    // who was killed goes on in vain, on a disk where nothing happens, not even at once
    this.#isLeft = true;
    this.#names = new Map(this.#names);
    this.#durableNames = new Map(this.#durableNames);
    this.#changes = [...this.#changes];
    return left;
  }

  /** What is left when the power fails now, as a disk of its own. */
  crashed(random: (bound: number) => number): SimDisk {
    const image = new SimDisk(random, this.#durableAppends);
    for (const directory of this.directories) image.directories.add(directory);
    const copies = new Map<Inode, Inode>();
    const names = new Map(this.#durableNames);
    for (const change of this.#changes.slice(0, random(this.#changes.length + 1))) change.apply(names);
    for (const [path, inode] of names) {
      if (!this.directories.has(parent(path))) continue;
      const copy = copies.get(inode) ?? this.#afterCrash(inode, random);
      copies.set(inode, copy);
      image.#names.set(path, copy);
      image.#durableNames.set(path, copy);
    }
    return image;
  }

  #afterCrash(inode: Inode, random: (bound: number) => number): Inode {
    const copy = inode.copy();
    for (const write of inode.unsynced) keepSome(copy, write, random);
    for (const { inode: target, write } of this.pending) if (target === inode) keepSome(copy, write!, random);
    copy.data = copy.durable.slice();
    return copy;
  }

  /** So many of the first writes are on disk, as far as they were to files that end so. */
  durableWrites(suffix: string): number {
    let first = Math.min(this.#lostWrite, this.writes + 1);
    for (const [path, { unsynced }] of this.#names)
      if (path.endsWith(suffix)) for (const { number } of unsynced) first = Math.min(first, number);
    return first - 1;
  }

  /** Paths of the files that are there, and their bytes, to be damaged. */
  files(): Map<string, Uint8Array> {
    return new Map([...this.#names].map(([path, { data }]) => [path, data]));
  }

  /** The same disk, of whose files nobody sees what is done to the other's. */
  copy(): SimDisk {
    const copy = new SimDisk(this.#random, this.#durableAppends);
    for (const directory of this.directories) copy.directories.add(directory);
    for (const [path, inode] of this.#names) {
      const other = new Inode();
      other.data = inode.data.slice();
      other.durable = inode.data.slice();
      copy.#names.set(path, other);
      copy.#durableNames.set(path, other);
    }
    return copy;
  }

  async open(path: string, use: FileUse): Promise<DiskFile> {
    return this.#soon('open', () => this.openNow(path, use));
  }

  openNow(path: string, use: FileUse): DiskFile {
    if (use === 'anew' || !this.#names.has(path)) {
      if (use === 'read') throw diskError('ENOENT');
      const inode = new Inode();
      this.#change(parent(path), (names) => names.set(path, inode));
    }
    const durable = (use === 'append' || use === 'anew') && this.#durableAppends;
    return new SimFile(this, this.#names.get(path)!, durable);
  }

  namesNow(directory: string): string[] {
    const names = new Set<string>();
    for (const path of [...this.#names.keys(), ...this.directories])
      if (parent(path) === directory) names.add(path.slice(directory.length + 1));
    return [...names];
  }

  makeDirectory(path: string): Promise<void> {
    return this.#soon('other', () => {
      for (let made = path; made !== ''; made = parent(made)) this.directories.add(made);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#soon('other', () => {
      if (this.directories.has(from)) return this.#renameDirectory(from, to);
      const inode = this.#names.get(from);
      if (inode === undefined) throw diskError('ENOENT');
      this.#change(parent(to), (names) => {
        names.delete(from);
        names.set(to, inode);
      });
    });
  }

  #renameDirectory(from: string, to: string): void {
    const moved = (path: string) => to + path.slice(from.length);
    const isIn = (path: string) => path === from || path.startsWith(`${from}/`);
    for (const path of [...this.directories].filter(isIn)) {
      this.directories.delete(path);
      this.directories.add(moved(path));
    }
    this.#change(parent(to), (names) => {
      for (const [path, inode] of [...names].filter(([each]) => isIn(each))) {
        names.delete(path);
        names.set(moved(path), inode);
      }
    });
  }

  remove(path: string): Promise<void> {
    return this.#soon('other', () => {
      if (!this.#names.has(path)) throw diskError('ENOENT');
      this.#change(parent(path), (names) => names.delete(path));
    });
  }

  removeDirectory(path: string): Promise<void> {
    return this.#soon('other', () => {
      for (const name of this.#names.keys())
        if (parent(name) === path) this.#change(path, (names) => names.delete(name));
      this.directories.delete(path);
    });
  }

  lockNow(): { closeNow(): void } {
    return { closeNow() {} };
  }

  syncDirectory(path: string): Promise<void> {
    return this.#soon('syncDirectory', () => {
      const rest: NameChange[] = [];
      for (const change of this.#changes) {
        if (change.directory === path) change.apply(this.#durableNames);
        else rest.push(change);
      }
      this.#changes = rest;
    });
  }

  write(inode: Inode, position: number, bytes: Uint8Array, durable: boolean): Promise<number> {
    // what is written is what is there now: a buffer that changes meanwhile would be a mistake of the log's
    const all = bytes.slice();
    const short = this.#random(16) === 0 && all.length > sectorBytes;
    const count = short ? sectorBytes * (1 + this.#random(Math.floor(all.length / sectorBytes) - 1 || 1)) : all.length;
    const taken = all.subarray(0, Math.min(count, all.length));
    const happen = () => {
      if (Buffer.compare(all, bytes) !== 0) throw new Error('a buffer was changed while it was written');
      this.#takeSpace(position + taken.length - inode.data.length);
      inode.write(position, taken);
      this.writes++;
      if (durable) inode.persist(position, taken);
      else inode.unsynced.push({ position, bytes: taken, number: this.writes });
      return taken.length;
    };
    return this.#soon('write', happen, inode, { position, bytes: all, number: 0 });
  }

  writeNow(inode: Inode, position: number, bytes: Uint8Array): number {
    if (this.#isLeft) return bytes.length;
    const taken = bytes.slice(0, Math.max(sectorBytes, this.#random(bytes.length + 1)));
    const part = { position, bytes: taken, number: ++this.writes };
    inode.write(position, part.bytes);
    inode.unsynced.push(part);
    return part.bytes.length;
  }

  #takeSpace(bytes: number): void {
    const used = [...this.#names.values()].reduce((sum, { data }) => sum + data.length, 0);
    if (bytes > 0 && used + bytes > this.capacityBytes) throw diskError('ENOSPC');
  }

  sync(inode: Inode): Promise<void> {
    return this.#soon('sync', () => this.syncNow(inode), inode);
  }

  syncNow(inode: Inode): void {
    if (this.#isLeft) return;
    for (const { position, bytes } of inode.unsynced) inode.persist(position, bytes);
    inode.unsynced = [];
  }

  #change(directory: string, apply: (names: Map<string, Inode>) => void): void {
    apply(this.#names);
    this.#changes.push({ directory, apply });
  }

  #soon<T>(kind: Pending['kind'], happen: () => T, inode?: Inode, write?: Unsynced): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          this.#failIfDue(kind, inode);
          resolve(happen());
        } catch (error) {
          reject(error);
        }
      };
      const pending: Pending = { kind, run };
      this.pending.push(write === undefined ? pending : { ...pending, inode: inode!, write });
    });
  }

  #failIfDue(kind: Pending['kind'], inode: Inode | undefined): void {
    const { fault } = this;
    if (fault === null || fault.kind !== kind || fault.countdown-- > 0) return;
    if (fault.code !== 'ENOSPC') this.fault = null;
    if (kind === 'sync') {
      this.#lostWrite = Math.min(this.#lostWrite, inode!.unsynced[0]?.number ?? Number.POSITIVE_INFINITY);
      inode!.unsynced = [];
    }
    throw diskError(fault.code);
  }
}

/** Brings some sectors of a write to the disk: none, all or any. */
function keepSome(inode: Inode, { position, bytes }: Unsynced, random: (bound: number) => number): void {
  const way = random(4);
  if (way === 0) return;
  for (let at = 0; at < bytes.length; at += sectorBytes)
    if (way === 1 || random(2) === 0) inode.persist(position + at, bytes.subarray(at, at + sectorBytes));
}

class SimFile implements DiskFile {
  readonly disk: SimDisk;
  readonly inode: Inode;
  readonly durable: boolean;

  constructor(disk: SimDisk, inode: Inode, durable: boolean) {
    this.disk = disk;
    this.inode = inode;
    this.durable = durable;
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    return this.disk.write(this.inode, position, bytes, this.durable);
  }

  writeNow(bytes: Uint8Array, position: number): number {
    return this.disk.writeNow(this.inode, position, bytes);
  }

  sync(): Promise<void> {
    return this.disk.sync(this.inode);
  }

  syncNow(): void {
    this.disk.syncNow(this.inode);
  }

  async read(bytes: Uint8Array, position: number): Promise<number> {
    return this.readNow(bytes, position);
  }

  readNow(bytes: Uint8Array, position: number): number {
    const part = this.inode.data.subarray(position, position + bytes.length);
    bytes.set(part);
    return part.length;
  }

  expectNow(): void {}

  sizeNow(): number {
    return this.inode.data.length;
  }

  async close(): Promise<void> {}

  closeNow(): void {}
}
