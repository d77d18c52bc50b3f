import { latin1Bytes } from '../../src/base/bytes.js';
import type { Damage } from '../../src/log/damage.js';
import type { DurableStorage } from '../../src/log/durableStorage.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import { journalNumbers } from '../../src/log/journalFiles.js';
import type { NoteKind } from '../../src/log/storage.js';
import { randomFrom } from '../sim/random.js';
import { runOf, simSetting, subjectOf } from './durableRun.js';
import { openOwned, RecordMap } from './recordMap.js';
import { SimDisk } from './simDisk.js';
import { SimTimers } from './simTimers.js';
import { noteIn } from './streamModel.js';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** An owner that knows what it has noted, and how often it was asked to write that anew. */
export class NotingOwner extends RecordMap {
  renoted = 0;

  note(key: number, kind: NoteKind, text: string): void {
    this.storage!.note(key, kind, latin1Bytes(text));
    noteIn(this.notes, key, kind, text);
  }

  override renote(key: number): void {
    this.renoted++;
    super.renote(key);
  }

  /** What it keeps is told to be little: files are used again as soon as may be. */
  append(payload: string): void {
    const { nextSequence } = this.storage!;
    this.storage!.append(subjectOf('a.b'), runOf([payload]), 0, 1, nextSequence);
    this.records.set(nextSequence, `${nextSequence}@${nextSequence} a.b ${payload}\r\n`);
  }

  remove(sequence: number): void {
    this.storage!.remove(sequence, false);
    this.records.delete(sequence);
  }
}

/** One stream on a simulated disk, whose broker stops, is killed and starts again. */
export class NoteSite {
  disk: SimDisk;
  timers = new SimTimers();
  damages: Damage[] = [];
  storages!: DurableStorages;
  owner!: NotingOwner;
  readonly buffered: boolean;
  readonly #random: (bound: number) => number;
  #number = 1;

  private constructor(seed: number, buffered: boolean) {
    this.buffered = buffered;
    this.#random = randomFrom(seed);
    this.disk = new SimDisk(this.#random, true);
    for (const directory of ['/journal', '/streams']) this.disk.directories.add(directory);
  }

  static async open(seed: number, buffered = false): Promise<NoteSite> {
    const site = new NoteSite(seed, buffered);
    await site.start();
    const storage = await site.drive(site.storages.create('s', '', 1));
    site.#follow(storage as DurableStorage, new NotingOwner());
    return site;
  }

  get storage(): DurableStorage {
    return this.owner.storage as DurableStorage;
  }

  get files(): number {
    return journalNumbers(this.disk.namesNow(this.directory)).length;
  }

  get directory(): string {
    return `/journal/0${this.buffered ? '-buffered' : ''}`;
  }

  /** @param restores whether owners take what a snapshot has for theirs */
  async start(restores = true): Promise<void> {
    this.timers = new SimTimers();
    this.damages = [];
    const setting = {
      ...simSetting(this.disk, this.timers, () => this.#number++, this.buffered),
      onDamage: (damage: Damage) => this.damages.push(damage),
    };
    this.storages = new DurableStorages(setting);
    const make = () => {
      const owner = new NotingOwner();
      if (!restores) owner.restore = () => false;
      return owner;
    };
    for (const { storage, owner } of await this.drive(openOwned(this.storages, make)))
      this.#follow(storage as DurableStorage, owner as NotingOwner);
  }

  #follow(storage: DurableStorage, owner: NotingOwner): void {
    this.owner = owner;
    owner.storage = storage;
    storage.owner = owner;
    storage.keptBytes = 0;
  }

  async stop(): Promise<void> {
    await this.drive(this.storages.close());
  }

  /** The broker is killed: what it has written is there. */
  kill(): void {
    this.disk = this.disk.killed(this.#random);
  }

  /** The next thing happens. */
  async step(): Promise<boolean> {
    const happened = this.disk.step() || this.timers.step();
    await settled();
    return happened;
  }

  /** Lets things happen until there is nothing more to do, or a promise is settled. */
  async drive<T>(promise?: Promise<T>): Promise<T> {
    const state = { over: false };
    const mark = () => {
      state.over = true;
    };
    promise?.then(mark, mark);
    for (let passed = 0; !state.over && passed < 6; ) {
      await settled();
      if (this.disk.step()) passed = 0;
      else if (this.timers.hasSoon) this.timers.step();
      else {
        passed++;
        this.timers.step();
      }
    }
    if (promise !== undefined && !state.over) throw new Error('nothing happens any more');
    return promise as Promise<T>;
  }
}
