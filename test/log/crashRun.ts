import { latin1Bytes } from '../../src/base/bytes.js';
import { DurableStorages } from '../../src/log/durableStorages.js';
import type { Storage } from '../../src/log/storage.js';
import { settleStreams } from '../../src/log/streamFile.js';
import { randomFrom } from '../sim/random.js';
import { runOf, simSetting, subjectOf, textOf } from './durableRun.js';
import { type ReadBack, readBack, shown } from './readBack.js';
import { openOwned, RecordMap } from './recordMap.js';
import { type Fault, SimDisk } from './simDisk.js';
import { SimTimers } from './simTimers.js';
import { StreamModel, StreamState } from './streamModel.js';

const epochs = 3;
const stepsMax = 90;
const streamsMax = 3;

interface Stream {
  readonly name: string;
  storage: Storage | null;
  model: StreamModel;
  /** Descriptions that a crash may leave; null: that there is none. */
  descriptions: (string | null)[];
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * A few lives of a broker on a simulated disk: streams come, change and go, the disk does things in any order and fails now and then, and
 * after every step it is looked at what a power failure would leave. Each life but the last ends with one, or by being killed.
 */
export class CrashRun {
  points = 0;
  /** Streams that a start found as a snapshot had them, and crashes behind which one would go on from a snapshot. */
  restored = 0;
  resumed = 0;
  /** Whole notes that were written anew. */
  renoted = 0;
  readonly #random: (bound: number) => number;
  readonly #crashes: number;
  readonly #streams = new Map<string, Stream>();
  #disk: SimDisk;
  #timers = new SimTimers();
  #storages: DurableStorages | null = null;
  #failed = false;
  #numbers = 1;
  #text = 0;
  #busy = 0;
  /** Whether that is to make them. */
  #makes = false;

  readonly #buffered: boolean;

  /** @param crashes that are looked at after each step */
  constructor(seed: number, crashes: number, buffered: boolean) {
    this.#buffered = buffered;
    this.#random = randomFrom(seed);
    this.#crashes = crashes;
    this.#disk = new SimDisk(this.#random, this.#random(2) === 0);
    for (const directory of ['/journal', '/streams']) this.#disk.directories.add(directory);
  }

  async run(): Promise<void> {
    for (let epoch = 0; epoch < epochs; epoch++) {
      await this.#start();
      const steps = this.#random(stepsMax);
      for (let step = 0; step < steps; step++) {
        this.#act();
        await settled();
        this.#lookAtCrashes();
      }
      if (this.#random(3) === 0) await this.#stop();
      this.#end();
    }
    await this.#start();
    this.#disk.fault = null;
    await this.#drive(this.#storages!.close());
    if (!this.#failed) this.#check(readBack(this.#disk, this.#buffered), true);
  }

  /** The power fails, or the broker is killed: then nothing is lost that it has written. */
  #end(): void {
    const disk = this.#disk;
    const isCrash = this.#random(2) === 0;
    this.#settle(isCrash ? disk.durableWrites('.jnl') : disk.writes);
    this.#disk = isCrash ? disk.crashed(this.#random) : disk.killed(this.#random);
  }

  #settle(write: number): void {
    for (const { model } of this.#streams.values()) model.settle(write);
  }

  /** The broker stops, unless the disk fails; a crash may come at any time. */
  async #stop(): Promise<void> {
    this.#disk.fault = null;
    // no change of streams is under way when a broker stops
    for (let left = 200; this.#busy && left > 0; left--) await this.#happen();
    if (this.#busy > 0 || this.#failed) return;
    const state = { over: false };
    const storages = this.#storages!;
    const stopped = storages.close().then(() => {
      state.over = true;
    });
    for (let left = 2_000; !state.over && left > 0; left--) {
      await this.#happen();
      if (this.#random(4) === 0) this.#lookAtCrashes();
    }
    if (!state.over) throw new Error('a stop does not end');
    await stopped;
  }

  async #happen(): Promise<void> {
    if (!this.#disk.step()) this.#timers.step();
    await settled();
  }

  /** A broker starts on what the disk has, which is what the models allow; they go on from there. */
  async #start(): Promise<void> {
    // reading back brings what it has read to the disk
    const found = readBack(this.#disk.copy(), this.#buffered);
    this.#check(found, false);
    this.#timers = new SimTimers();
    this.#failed = false;
    this.#busy = 0;
    this.#storages = new DurableStorages(simSetting(this.#disk, this.#timers, () => this.#numbers++, this.#buffered));
    await this.#drive(settleStreams(this.#disk, '/streams'));
    const opened = await this.#drive(openOwned(this.#storages));
    this.#streams.clear();
    for (const { name, description, storage, owner } of opened) {
      const { state } = found.streams.get(name)!;
      this.#same(new StreamState(state.next, owner.records, owner.notes), state, `what the owner of ${name} knows`);
      if (owner.restored) this.restored++;
      this.#follow(name, storage, new StreamModel(storage.position, state), [description]);
      this.#same(await this.#scanned(storage, owner), state, `${name} is opened as it was read`);
    }
    for (const stream of this.#streams.values()) keep(stream);
    this.#disk.fault = this.#random(3) === 0 ? this.#anyFault() : null;
  }

  #anyFault(): Fault {
    const kinds = ['open', 'write', 'sync', 'syncDirectory', 'other'] as const;
    const codes = ['EIO', 'ENOSPC'];
    return { kind: kinds[this.#random(5)]!, code: codes[this.#random(2)]!, countdown: this.#random(40) };
  }

  async #scanned(storage: Storage, { notes }: RecordMap): Promise<StreamState> {
    const state = new StreamState(storage.nextSequence, new Map(), notes);
    let last = 0;
    await this.#drive(
      storage.scan((record) => {
        if (record.sequence <= last) throw new Error(`${record.sequence} is shown behind ${last}`);
        last = record.sequence;
        state.records.set(last, textOf(record));
      }),
    );
    return state;
  }

  /** Lets things happen until a promise is settled. */
  async #drive<T>(promise: Promise<T>): Promise<T> {
    const state = { over: false };
    const mark = () => {
      state.over = true;
    };
    promise.then(mark, mark);
    await settled();
    for (let idle = 0; !state.over; ) {
      idle = this.#disk.step() || this.#timers.step() ? 0 : idle + 1;
      if (idle > 10) throw new Error('nothing happens any more');
      await settled();
    }
    return promise;
  }

  #follow(name: string, storage: Storage, model: StreamModel, descriptions: (string | null)[]): void {
    const stream = { name, storage, model, descriptions };
    storage.syncMs = [5, 100, Number.POSITIVE_INFINITY][this.#random(3)]!;
    this.#streams.set(name, stream);
    storage.owner = new RewritingMap(model, storage, () => this.renoted++);
    storage.events = {
      onCommitted: () => {
        if (this.#buffered) model.acknowledge(storage.committed, this.#disk.writes);
        else model.commit(storage.committed);
      },
      onFailed: () => {
        this.#failed = true;
      },
    };
  }

  #act(): void {
    const way = this.#random(10);
    if (way < 4) this.#disk.step();
    else if (way < 6) this.#timers.step();
    else if (way === 6 && this.#random(3) === 0) this.#changeStreams();
    else this.#write();
  }

  #changeStreams(): void {
    const makes = this.#streams.size < streamsMax;
    // they are made side by side, and changed when nothing else is done, as the catalogue does it
    if (this.#failed || (this.#busy > 0 && !(makes && this.#makes))) return;
    this.#makes = makes;
    this.#busy++;
    void this.#changeOne().then(
      () => {
        this.#busy--;
      },
      () => {
        this.#failed = true;
      },
    );
  }

  async #changeOne(): Promise<void> {
    const streams = [...this.#streams.values()];
    const storages = this.#storages!;
    if (streams.length < streamsMax) {
      const name = `s${this.#text++}`;
      const first = 1 + 10 * this.#random(2);
      const stream: Stream = {
        name,
        storage: null,
        model: new StreamModel(0, new StreamState(first)),
        descriptions: [null, 'new'],
      };
      this.#streams.set(name, stream);
      const storage = await storages.create(name, 'new', first);
      if (this.#storages !== storages) return;
      this.#follow(name, storage, new StreamModel(storage.position, new StreamState(first)), ['new']);
      return;
    }
    const stream = streams[this.#random(streams.length)]!;
    const description = this.#random(2) === 0 ? null : `d${this.#text++}`;
    stream.descriptions.push(description);
    if (description === null) {
      stream.storage = null;
      await storages.destroy(stream.name);
      if (this.#storages === storages) this.#streams.delete(stream.name);
    } else {
      await storages.describe(stream.name, description);
      stream.descriptions = [description];
    }
  }

  #write(): void {
    const streams = [...this.#streams.values()].filter(({ storage }) => storage !== null);
    if (streams.length === 0 || this.#failed) return;
    const stream = streams[this.#random(streams.length)]! as Stream & { storage: Storage };
    if (stream.storage.intake !== 'behind') this.#writeTo(stream);
    keep(stream);
  }

  #writeTo({ storage, model }: Stream & { storage: Storage }): void {
    const live = [...model.latest.records.keys()];
    const way = this.#random(11);
    if (way > 7) this.#note(storage, model, live);
    else if (way === 0 && live.length > 0) {
      const sequence = live[this.#random(live.length)]!;
      this.#remove(storage, model, sequence);
    } else if (way === 1 || live.length > 20) {
      const sequence = live.length > 0 ? live[this.#random(live.length)]! + 1 : storage.nextSequence;
      for (const each of live.filter((one) => one < sequence)) this.#remove(storage, model, each);
    } else if (way === 2) {
      const sequence = storage.nextSequence + this.#random(3);
      model.begin({ kind: 'skip', sequence });
      storage.skipTo(sequence);
    } else if (storage.intake === 'open') this.#append(storage, model);
  }

  /** Notes something, perhaps together with removals, as a work queue does. */
  #note(storage: Storage, model: StreamModel, live: readonly number[]): void {
    const key = this.#random(5);
    const isKnown = model.latest.notes.has(key);
    const way = this.#random(isKnown ? 8 : 1);
    const isLong = isKnown && model.latest.notes.get(key)!.length > 8_000;
    const note = way === 7 ? 'end' : way === 0 || isLong ? 'whole' : 'change';
    const text = note === 'end' ? '' : `${this.#text++};`.padEnd(this.#random(8) === 0 ? this.#random(9_000) : 0, '-');
    const removed = this.#random(3) === 0 ? live.slice(0, 4) : [];
    if (removed.length > 0) storage.together(removed.length + 1, text.length);
    for (const sequence of removed) this.#remove(storage, model, sequence, false);
    model.begin({ kind: 'note', key, note, text });
    storage.note(key, note, latin1Bytes(text));
  }

  #remove(storage: Storage, model: StreamModel, sequence: number, mayBeLast = true): void {
    model.begin({ kind: 'remove', sequence }, mayBeLast);
    storage.remove(sequence, false);
  }

  #append(storage: Storage, model: StreamModel): void {
    const count = 1 + this.#random(4);
    const payloads = Array.from({ length: count }, () => `${this.#text++}`.padEnd(this.#anyLength(), '.'));
    for (const [i, payload] of payloads.entries()) {
      const sequence = storage.nextSequence + i;
      model.begin({ kind: 'append', sequence, text: `${sequence}@${this.#text} a.b ${payload}\r\n` });
    }
    storage.append(subjectOf('a.b'), runOf(payloads), 0, count, this.#text);
  }

  #anyLength(): number {
    const way = this.#random(8);
    return way === 0 ? 15_000 : way === 1 ? this.#random(6_000) : this.#random(100);
  }

  #lookAtCrashes(): void {
    this.#settle(this.#disk.durableWrites('.jnl'));
    for (let i = 0; i < this.#crashes; i++) {
      this.points++;
      const image = this.#disk.crashed(this.#random);
      this.#check(
        readBack(image, this.#buffered, () => this.resumed++),
        false,
      );
    }
  }

  /** @param complete whether nothing may be missing, acknowledged or not */
  #check({ streams, damages }: ReadBack, complete: boolean): void {
    if (damages.length > 0) throw new Error(`damage where nothing was damaged: ${JSON.stringify(damages)}`);
    for (const { name, model, descriptions } of this.#streams.values()) {
      const found = streams.get(name);
      const description = found?.meta.description ?? null;
      if (!descriptions.includes(description)) throw new Error(`${name} is described as ${description}`);
      if (found === undefined || descriptions.includes(null)) continue;
      if (complete) this.#same(found.state, model.latest, name);
      else if (!model.allows(found.state))
        throw new Error(`${name}: ${shown(model.committedState)}, found ${shown(found.state)}`);
    }
    for (const name of streams.keys())
      if (!this.#streams.has(name)) throw new Error(`${name} was not made, or is gone`);
  }

  #same(found: StreamState, expected: StreamState, what: string): void {
    if (!expected.equals(found)) throw new Error(`${what}: ${shown(expected)}, found ${shown(found)}`);
  }
}

/** An owner that knows what a model does, and writes notes anew as that has them. */
class RewritingMap extends RecordMap {
  readonly #model: StreamModel;
  readonly #onRenote: () => void;

  constructor(model: StreamModel, storage: Storage, onRenote: () => void) {
    super(model.latest.records, model.latest.notes);
    this.#model = model;
    this.storage = storage;
    this.#onRenote = onRenote;
  }

  override renote(key: number): void {
    this.#onRenote();
    const text = this.notes.get(key)!;
    this.#model.begin({ kind: 'note', key, note: 'whole', text });
    super.renote(key);
  }
}

/** Says half of what a stream has: so its files are copied sooner. */
function keep({ storage, model }: Stream): void {
  if (storage === null) return;
  let bytes = 0;
  for (const text of model.latest.records.values()) bytes += text.length;
  storage.keptBytes = bytes / 4;
}
