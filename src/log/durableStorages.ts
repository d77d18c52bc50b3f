import { lineEndBytes } from '../base/ownMessage.js';
import { BlockCache } from './blockCache.js';
import { Checkpoints } from './checkpoints.js';
import { Compaction } from './compaction.js';
import type { Damage, LostRange } from './damage.js';
import type { DataPlace } from './dataDirectory.js';
import type { Disk } from './disk.js';
import { DurableStorage, type JournalAccess } from './durableStorage.js';
import { recordHeadBytes } from './entryLayout.js';
import { Journal } from './journal.js';
import { journalDirectory, journalNumbers, journalPath } from './journalFiles.js';
import { type OpenedJournal, openJournal } from './journalOpening.js';
import type { JournalEnd, JournalSetting } from './journalSetting.js';
import { blockBytesMax } from './journalShape.js';
import { type NoteSource, readNotes } from './noteReading.js';
import { NoteRewriting } from './noteRewriting.js';
import { ScanPass } from './scanPass.js';
import type { Gap, SealedFiles } from './scrub.js';
import { SharedSync } from './sharedSync.js';
import { forgetSnapshot, type SnapshotName, settleSnapshots } from './snapshotFile.js';
import { committed, type Owning, type Storage, type Storages } from './storage.js';
import { metaNumbersNow, readMetaNow, removeHalfMade, removeMeta, type StreamMeta, writeMeta } from './streamFile.js';
import type { Timers } from './timers.js';

export interface DurableSetting {
  readonly disk: Disk;
  readonly timers: Timers;
  readonly place: DataPlace;
  readonly shard: number;
  /** Whether its journal is the buffered one: what is committed is in the system's hands, and on disk later. */
  readonly buffered: boolean;
  /** An integer below 2^48, another one each time. */
  random(): number;
  /** Whether the stream of that name is this shard's. */
  owns(name: string): boolean;
  /** Once for each damage, when its streams are opened. */
  onDamage(damage: Damage): void;
  /** A stop could not leave what a start needs, which reads the journal then. */
  onUnsaved(reason: string): void;
  /** A block of its journal was written, in so many milliseconds. */
  readonly onWritten?: (milliseconds: number) => void;
}

export interface JournalWrites {
  readonly commits: number;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly waitingBytes: number;
}

/** Streams of one shard whose records are on disk before anybody is told of them, or in the system's hands where the journal is buffered. */
export class DurableStorages implements Storages {
  readonly #setting: DurableSetting;
  readonly #streams: string;
  readonly #directory: string;
  readonly #byName = new Map<string, DurableStorage>();
  readonly #byNumber = new Map<number, DurableStorage>();
  /** Records that are there, and last whole notes, in each file of the journal. */
  readonly #live = new Map<number, number>();
  /** Those among them that are notes. */
  readonly #notes = new Map<number, number>();
  #rewritesSoon = false;
  readonly #cache: BlockCache;
  /** Brings the names of streams' files to the disk. */
  readonly #names: SharedSync;
  #journal: Promise<Journal> | null = null;
  #opened: Journal | null = null;
  #noteRewriting: NoteRewriting | null = null;
  #compaction: Compaction | null = null;
  #checkpoints: Checkpoints | null = null;
  /** Settled when no stream's file is written. */
  #describing: Promise<unknown> = Promise.resolve();
  #failure: string | null = null;
  #isDamaged = false;
  readonly #access: JournalAccess;

  constructor(setting: DurableSetting) {
    const { disk, timers, place, shard, buffered } = setting;
    const { shape } = place;
    this.#setting = setting;
    this.#streams = place.streams;
    this.#names = new SharedSync(() => disk.syncDirectory(place.streams));
    this.#directory = journalDirectory(place.journals, shard, buffered);
    this.#cache = new BlockCache(disk, this.#directory, place.id, shape.fileBytes, blockBytesMax(shape));
    const journal = () => this.#opened as Journal;
    this.#access = {
      get journal() {
        return journal();
      },
      cache: this.#cache,
      scans: new ScanPass(this.#cache, timers),
      messageBytesMax: shape.entryBytesMax - recordHeadBytes - lineEndBytes - shape.subjectBytesMax,
      count: (position, records) => this.#count(position, records),
      countNotes: (position, notes) => this.#countNotes(position, notes),
      staged: (ordinal, position) => journal().blocks.find(ordinal, position),
    };
  }

  /** What its journal has written since it was opened, and has to write yet; null before. */
  get written(): JournalWrites | null {
    return this.#opened === null ? null : { ...this.#opened.writes, waitingBytes: this.#opened.blocks.bytes };
  }

  async open(own: Owning): Promise<void> {
    const metas = this.#readMetas();
    const { disk } = this.#setting;
    // it is made before the first stream is
    if (metas.length > 0 && journalNumbers(disk.namesNow(this.#directory)).length === 0)
      throw new Error(`${this.#directory} has no journal, though there are ${metas.length} streams`);
    const opened = this.#read(metas, own);
    const lacking = metas.filter(({ number }) => opened.unknown.has(number)).map((meta) => this.#own(meta, own));
    this.#tellNotes(lacking);
    if (opened.end.position > 0 || metas.length > 0) await this.#start(opened.end, opened.from);
    // together: those that share a journal are read in one pass
    await Promise.all(lacking.map((storage) => this.#scan(storage)));
    for (const { owner } of this.#byName.values()) owner?.recovered();
  }

  #read(metas: readonly StreamMeta[], own: Owning): OpenedJournal {
    const { disk, place, onDamage } = this.#setting;
    const opened = openJournal({
      disk,
      directory: this.#directory,
      place,
      begin: () => this.#begin(metas, own),
      files: () => [...this.#live].flatMap(([file, records]) => (records > 0 ? [file] : [])),
    });
    for (const damage of opened.damages) onDamage(damage);
    this.#isDamaged = opened.damages.length > 0;
    return opened;
  }

  /** Makes all streams, which know nothing yet. */
  #begin(metas: readonly StreamMeta[], own: Owning): ReadonlyMap<number, DurableStorage> {
    this.#live.clear();
    this.#notes.clear();
    this.#byName.clear();
    this.#byNumber.clear();
    for (const meta of metas) {
      this.#add(meta.name, new DurableStorage(meta.number, this.#access));
      this.#own(meta, own);
    }
    return this.#byNumber;
  }

  /** Gives a stream an owner that knows nothing yet. */
  #own({ name, description, number }: StreamMeta, own: Owning): DurableStorage {
    const storage = this.#byNumber.get(number) as DurableStorage;
    storage.owner = own({ name, description, storage });
    return storage;
  }

  /** Tells owners who know nothing yet of all notes. */
  #tellNotes(storages: readonly DurableStorage[]): void {
    const noting = storages.filter(({ notes }) => (notes?.keys ?? 0) > 0);
    if (noting.length === 0) return;
    const source = { ...this.noteSource, storages: new Map(noting.map((each) => [each.number, each])) };
    for (const _ of readNotes(source, ({ owner }, key, kind, bytes) => owner?.noted(key, kind, bytes)));
  }

  /** Where notes of its streams can be read again, as long as nothing is stored. */
  get noteSource(): NoteSource {
    const { disk, place } = this.#setting;
    return { disk, place, directory: this.#directory, storages: this.#byNumber };
  }

  async #scan(storage: DurableStorage): Promise<void> {
    const { owner } = storage;
    if (owner !== null) await storage.scan((record) => owner.recover(record));
  }

  async create(name: string, description: string, nextSequence: number): Promise<Storage> {
    const storage = await this.adopt(name, this.#setting.random());
    storage.keptBytes = 0;
    try {
      if (nextSequence > 1) {
        storage.skipTo(nextSequence);
        await committed(storage);
        await this.#opened?.synced();
        if (this.#failure !== null) throw new Error(this.#failure);
      }
      await this.#write(this.#metaOf(storage.number, name, description));
    } catch (error) {
      await this.#undo(name, storage);
      throw error;
    }
    return storage;
  }

  /**
   * Makes the empty storage of a stream that has its number and its file.
   *
   * @throws rejects with what the disk said, or when there are too many
   */
  async adopt(name: string, number: number): Promise<DurableStorage> {
    if (this.#byName.has(name)) throw new Error(`${name} is there, or what was half made of it could not be removed`);
    if (this.#journal === null) await this.#start(emptyJournal(), null);
    else await this.#journal;
    if (this.#failure !== null) throw new Error(this.#failure);
    const { streamsMax } = this.#setting.place.shape;
    if (this.#byName.size >= streamsMax) throw new Error(`a shard keeps no more than ${streamsMax} streams on disk`);
    const storage = new DurableStorage(number, this.#access);
    this.#add(name, storage);
    return storage;
  }

  async describe(name: string, description: string): Promise<void> {
    const { number } = this.#byName.get(name) as DurableStorage;
    const written = this.#write(this.#metaOf(number, name, description));
    this.#describing = Promise.allSettled([this.#describing, written]);
    await written;
  }

  #metaOf(number: number, name: string, description: string): StreamMeta {
    return { number, name, description, buffered: this.#setting.buffered };
  }

  async destroy(name: string): Promise<void> {
    const storage = this.#byName.get(name) as DurableStorage;
    await removeMeta(this.#setting.disk, this.#streams, storage.number, this.#names.run);
    this.#forget(name, storage);
  }

  /** Writes what is not on disk yet. Nothing is stored any more. */
  async close(): Promise<void> {
    this.#noteRewriting?.stop();
    this.#compaction?.stop();
    await this.#describing;
    const journal = await this.#journal;
    const stopping = this.#checkpoints?.stop();
    await journal?.close();
    await this.#cache.close();
    const end = journal?.end ?? null;
    if (end === null) return;
    await stopping;
    // what is damaged is looked for, and told of, at each start
    if (!this.#isDamaged) await this.#writeStopped(end);
  }

  async #writeStopped(end: JournalEnd): Promise<void> {
    try {
      await this.#checkpoints?.writeStopped(end);
    } catch (error) {
      this.#setting.onUnsaved((error as Error).message);
    }
  }

  #add(name: string, storage: DurableStorage): void {
    this.#byName.set(name, storage);
    this.#byNumber.set(storage.number, storage);
  }

  #forget(name: string, storage: DurableStorage): void {
    this.#byName.delete(name);
    this.#byNumber.delete(storage.number);
    storage.destroy();
  }

  /** Removes what was half made: a start would find it otherwise, perhaps beside another one of its name. */
  async #undo(name: string, storage: DurableStorage): Promise<void> {
    await removeHalfMade(this.#setting.disk, this.#streams, storage.number);
    this.#forget(name, storage);
  }

  #readMetas(): StreamMeta[] {
    const { disk, owns, buffered } = this.#setting;
    const metas = metaNumbersNow(disk, this.#streams).map((number) => readMetaNow(disk, this.#streams, number));
    return metas.filter((meta) => meta.buffered === buffered && owns(meta.name));
  }

  async #start(end: JournalEnd, from: OpenedJournal['from']): Promise<void> {
    const { disk, timers, place, buffered, onWritten } = this.#setting;
    const { id, shape } = place;
    const directory = this.#directory;
    this.#journal = this.#openJournal(
      { disk, timers, id, shape, directory, buffered, onWritten },
      end,
      from?.name ?? null,
    );
    try {
      this.#opened = await this.#journal;
    } catch (error) {
      this.#journal = null;
      throw error;
    }
    this.#noteRewriting = new NoteRewriting({
      journal: this.#opened,
      storages: this.#byNumber,
      fileBytes: this.#setting.place.shape.fileBytes,
      hasNotesAlone: () => this.#hasNotesAlone,
    });
    if (this.#isDamaged) this.#noteRewriting.onDamage(end.position);
    this.#compaction = this.#compactionOf(this.#opened, this.#noteRewriting);
    this.#checkpoints = this.#checkpointsOf(this.#opened, from?.position ?? end.begin, from?.bytes ?? 0);
    this.#release();
  }

  #compactionOf(journal: Journal, notes: NoteRewriting): Compaction {
    const { shape } = this.#setting.place;
    const onUnreadable = (position: number, bytes: number) => this.#tellUnreadable(position, bytes);
    return new Compaction({ journal, cache: this.#cache, shape, storages: this.#byNumber, notes, onUnreadable });
  }

  #checkpointsOf(journal: Journal, position: number, bytes: number): Checkpoints {
    const { disk, timers, place, onUnsaved } = this.#setting;
    const setting = { disk, timers, directory: this.#directory, place, journal, storages: this.#byNumber, onUnsaved };
    return new Checkpoints(setting, position, bytes);
  }

  async #openJournal(setting: JournalSetting, end: JournalEnd, believed: SnapshotName | null): Promise<Journal> {
    await setting.disk.makeDirectory(this.#directory);
    await setting.disk.syncDirectory(this.#setting.place.journals);
    await settleSnapshots(setting.disk, this.#directory, believed);
    const events = {
      streams: this.#byNumber,
      onTurned: () => {
        this.#release();
        this.#look();
      },
      onIdle: () => this.#look(),
      onFailed: (error: Error) => this.#fail(error),
    };
    return Journal.open(setting, events, end);
  }

  #look(): void {
    this.#noteRewriting?.look();
    this.#compaction?.look();
    this.#checkpoints?.look();
  }

  #write(meta: StreamMeta): Promise<void> {
    return writeMeta(this.#setting.disk, this.#streams, meta, this.#names.run);
  }

  #count(position: number, records: number): void {
    const file = Math.floor(position / this.#setting.place.shape.fileBytes);
    const live = (this.#live.get(file) ?? 0) + records;
    this.#live.set(file, live);
    if (live === 0) this.#release();
    else if (live === this.#notes.get(file)) this.#rewriteSoon();
  }

  #countNotes(position: number, notes: number): void {
    const file = Math.floor(position / this.#setting.place.shape.fileBytes);
    this.#notes.set(file, (this.#notes.get(file) ?? 0) + notes);
    this.#count(position, notes);
  }

  /** Notes alone are left in a file: others may be in front of it. */
  #rewriteSoon(): void {
    if (this.#rewritesSoon || this.#opened === null) return;
    this.#rewritesSoon = true;
    this.#setting.timers.soon(() => {
      this.#rewritesSoon = false;
      this.#noteRewriting?.look();
    });
  }

  /** Whether the first file has nothing left but notes. */
  get #hasNotesAlone(): boolean {
    const { firstFile, fileNumber } = this.#opened as Journal;
    const notes = this.#notes.get(firstFile) ?? 0;
    return firstFile < fileNumber && notes > 0 && notes === this.#live.get(firstFile);
  }

  /** Gives back the first files of the journal, as many as have nothing in them. */
  #release(): void {
    const journal = this.#opened;
    if (journal === null) return;
    while (journal.firstFile < journal.fileNumber && (this.#live.get(journal.firstFile) ?? 0) === 0) {
      this.#live.delete(journal.firstFile);
      this.#notes.delete(journal.firstFile);
      journal.releaseFirst();
    }
    if (this.#hasNotesAlone) this.#rewriteSoon();
  }

  /** Name of the stream with a number; null when there is none. */
  nameOf(number: number): string | null {
    for (const [name, storage] of this.#byName) if (storage.number === number) return name;
    return null;
  }

  /** What may be checked while the shard works; null without a journal. */
  get sealedFiles(): SealedFiles | null {
    const journal = this.#opened;
    return journal && { directory: this.#directory, first: journal.firstFile, end: journal.fileNumber };
  }

  /** Somebody who has checked a sealed file has found these. Returns how many of them are damage: not those of a file that is not needed any more. */
  onScrubbed(gaps: readonly Gap[]): number {
    const { fileBytes } = this.#setting.place.shape;
    const firstFile = this.#opened?.firstFile ?? Number.POSITIVE_INFINITY;
    const needed = gaps.filter(({ position }) => position >= firstFile * fileBytes);
    for (const { position, bytes } of needed) this.#tellUnreadable(position, bytes);
    return needed.length;
  }

  /** What lies there cannot be read: who reads records of it is told, too. */
  #tellUnreadable(position: number, bytes: number): void {
    this.#isDamaged = true;
    void this.#forgetSnapshot();
    const { fileBytes } = this.#setting.place.shape;
    const number = Math.floor(position / fileBytes);
    const lost: LostRange[] = [];
    for (const storage of this.#byNumber.values()) {
      storage.forEachBlock((block, _, first, end) => {
        if (block >= position && block < position + bytes) lost.push({ stream: storage.number, first, last: end - 1 });
      });
    }
    const file = journalPath(this.#directory, number);
    this.#setting.onDamage({ file, offset: position - number * fileBytes, position, bytes, lost });
    this.#noteRewriting?.onDamage(position + bytes);
    this.#noteRewriting?.look();
  }

  /** The next start is to find what is damaged, too. */
  async #forgetSnapshot(): Promise<void> {
    const { disk, onUnsaved } = this.#setting;
    try {
      await this.#checkpoints?.stop();
      await forgetSnapshot(disk, this.#directory);
    } catch (error) {
      onUnsaved((error as Error).message);
    }
  }

  #fail(error: Error): void {
    this.#failure = error.message;
    this.#noteRewriting?.stop();
    this.#compaction?.stop();
    void this.#checkpoints?.stop();
    for (const storage of this.#byName.values()) storage.events?.onFailed({ reason: error.message });
  }
}

function emptyJournal(): JournalEnd {
  return { last: -1, position: 0, check: new Uint8Array(8), epoch: 1, begin: 0 };
}
