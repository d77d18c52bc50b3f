import { assert } from '../base/assert.js';
import { streamStepMessages } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { PieceReader, type PieceWriter } from '../base/pieces.js';
import type { PublishedSubject } from '../base/publishedSubject.js';
import type { RecordRows } from '../log/recordRows.js';
import type { NoteKind, RecordOwner, RecordRun, RecordView, Storage, StorageFailure } from '../log/storage.js';
import { ApiError } from './api/apiError.js';
import { StreamConsumers } from './consumer/streamConsumers.js';
import { StreamContents } from './contents.js';
import { inTurn } from './copyOnWrite.js';
import { type DiskPlace, placeOf, type StreamPlace, syncMsOf } from './extensions.js';
import { FilteredMessages } from './filteredMessages.js';
import { type MemoryShare, Taken } from './memoryShare.js';
import { type Published, type PublishingStream, StreamPublishing } from './publishing.js';
import { StreamPurges } from './purges.js';
import { StreamRecovery } from './recovery.js';
import { StreamSearch } from './search.js';
import type { Steps } from './steps.js';
import type { StreamConfig } from './streamConfig.js';
import { limitsOf, type StreamLimits } from './streamLimits.js';
import type { SubjectFilter } from './subjectFilter.js';

/** Another one for whatever changes in what is laid out. */
const summaryVersion = 5;

/** One stream: what it has, what it takes, and what it gives up for that. */
export class Stream implements PublishingStream, RecordOwner {
  readonly createdUs: number;
  readonly place: StreamPlace;
  readonly storage: Storage;
  readonly search: StreamSearch;
  readonly purges: StreamPurges;
  readonly consumers = new StreamConsumers(this, () => this.#followRemovals());
  /** Why nothing is stored or changed any more; what was committed before can still be read. */
  failure: ApiError | null = null;
  #config: StreamConfig;
  #limits: StreamLimits;
  readonly #contents: StreamContents;
  readonly #publishing: StreamPublishing;
  readonly #recovery: StreamRecovery;
  readonly #memory: Taken;
  readonly #subjectMemory: Taken;
  readonly #idMemory: Taken;

  /** @param storage empty, or of a stream that is told of its records before anything else */
  constructor(config: StreamConfig, createdUs: number, storage: Storage, memory: MemoryShare) {
    this.#config = config;
    this.#limits = limitsOf(config);
    this.createdUs = createdUs;
    this.place = placeOf(config);
    this.storage = storage;
    storage.syncMs = syncMsOf(config);
    this.#memory = new Taken(memory);
    this.#subjectMemory = new Taken(memory.subjects);
    this.#idMemory = new Taken(memory.ids);
    this.#contents = new StreamContents(storage);
    this.#contents.keepHistories(this.#keepsHistories);
    this.#publishing = new StreamPublishing(this, this.#contents, memory);
    this.#recovery = new StreamRecovery(config, this.#contents, this.#publishing);
    this.search = new StreamSearch(this.#contents);
    this.purges = new StreamPurges(this.#contents, this.search, this.consumers, () => this.#account());
    // what it keeps is not known before its records were shown
    this.#countMemory();
  }

  /** Consumers hear of what is removed, if there are any. */
  #followRemovals(): void {
    const { subjects } = this.#contents;
    const tell = (sequence: number, subject: number) =>
      this.consumers.onRemoved(sequence, () => subjects.text(subject));
    this.#contents.onRemoved = this.consumers.size === 0 ? null : tell;
  }

  get config(): StreamConfig {
    return this.#config;
  }

  get limits(): StreamLimits {
    return this.#limits;
  }

  get name(): string {
    return this.#config.name;
  }

  /** Whether it takes time until what it has taken lasts. */
  get isDurable(): boolean {
    return this.place !== 'memory';
  }

  /** Where on disk it is kept: not for one in memory. */
  get diskPlace(): DiskPlace {
    assert(this.place !== 'memory', 'a stream in memory waits for no disk');
    return this.place;
  }

  get messages(): number {
    return this.#contents.count;
  }

  get subjects(): number {
    return this.#contents.subjects.size;
  }

  /** What its messages count, in bytes. */
  get bytes(): number {
    return this.#contents.bytes;
  }

  get lastSequence(): number {
    return this.#contents.lastSequence;
  }

  /** When the last message was stored; 0 when none was. */
  get lastTimeUs(): number {
    return this.#contents.lastTimeUs;
  }

  /** Id of the message that was accepted last, '' when it had none. */
  get lastId(): string {
    return this.#publishing.lastId;
  }

  /** Of the first message, or of the next one when there is none; 0 when there never was one. */
  get firstSequence(): number {
    return this.#contents.firstSequence;
  }

  /** When the first message was stored; 0 when there is none. */
  get firstTimeUs(): number {
    return this.#contents.firstTimeUs;
  }

  /**
   * Takes message `index` of a run, or refuses it.
   *
   * @param subject that it was published to, which the stream takes
   * @returns what became of it, until the next publish
   */
  publish(subject: PublishedSubject, message: MessageView, index: number, nowUs: number): Published {
    const published = this.#publishing.publish(subject, message, index, nowUs);
    this.#account();
    return published;
  }

  /** Whether it would take a message, as far as that does not depend on how full it is; nothing becomes of it. */
  look(subject: PublishedSubject, message: MessageView, index: number, nowUs: number): Published {
    return this.#publishing.look(subject, message, index, nowUs);
  }

  /**
   * Takes messages `from` to `to` (exclusive) of a run, as `publish` would one by one, as far as it can tell at one go that they are taken.
   *
   * @returns how many; the last of them is the stream's last then
   */
  publishRun(subject: PublishedSubject, run: MessageView, from: number, to: number, nowUs: number): number {
    const taken = this.#publishing.publishRun(subject, run, from, to, nowUs);
    if (taken > 0) this.#account();
    return taken;
  }

  /** The same for messages each of which has a subject of its own: `subjects[i]` is that of message `i`. */
  publishTogether(
    subjects: readonly PublishedSubject[],
    messages: MessageView,
    from: number,
    to: number,
    nowUs: number,
  ): number {
    const taken = this.#publishing.publishTogether(subjects, messages, from, to, nowUs);
    if (taken > 0) this.#account();
    return taken;
  }

  recover(record: RecordView): void {
    this.#recovery.recover(record);
  }

  recoverRows(rows: RecordRows, from: number): void {
    this.#recovery.recoverRows(rows, from);
  }

  forget(sequence: number): void {
    this.#recovery.forget(sequence);
  }

  noted(key: number, kind: NoteKind, bytes: Uint8Array): void {
    this.consumers.noted(key, kind, bytes);
  }

  renote(key: number): void {
    this.consumers.renote(key);
  }

  recovered(): void {
    this.#recovery.end();
  }

  save(target: PieceWriter): Generator<void> {
    const [contents, publishing] = [this.#contents.save(target), this.#publishing.save(target)];
    return inTurn(target, [summaryVersion], contents, publishing, this.consumers.save(target));
  }

  restore(summary: Uint8Array): boolean {
    const source = new PieceReader(summary);
    if (source.number() !== summaryVersion) return false;
    this.#contents.restore(source);
    this.#publishing.restore(source);
    this.consumers.restore(source);
    return true;
  }

  lastOf(filter: SubjectFilter): number {
    return this.search.lastNow(filter);
  }

  has(sequence: number): boolean {
    return this.#contents.has(sequence);
  }

  /** Removes what is over the stream's limits, at most so many messages; returns whether there is more. */
  trim(messagesMax: number): boolean {
    return this.#contents.trim(this.#limits, messagesMax);
  }

  /** Removes what is too old, at most so many messages, and forgets as many ids; returns whether there is more. */
  expire(nowUs: number, messagesMax: number): boolean {
    this.#publishing.expire(nowUs, messagesMax);
    if (this.#contents.removeDue(nowUs, messagesMax)) return true;
    if (this.#contents.removeUpTo(nowUs - this.#limits.ageUs, messagesMax)) return true;
    this.#account();
    return false;
  }

  /** Becomes another stream, with the messages that it has; `settle` next. */
  update(config: StreamConfig): void {
    this.#config = config;
    this.#limits = limitsOf(config);
    this.storage.syncMs = syncMsOf(config);
    this.#contents.keepHistories(this.#keepsHistories);
  }

  get #trimsSubjects(): boolean {
    return this.#limits.perSubjectMax < Number.POSITIVE_INFINITY;
  }

  /** Where a subject has one message only the first is the last. */
  get #keepsHistories(): boolean {
    return this.#trimsSubjects && this.#limits.perSubjectMax > 1;
  }

  /** Removes what is over its limits, which are others now, or what a kill has left of that. */
  *settle(): Steps {
    this.#publishing.rollUpAgain();
    while (this.trim(streamStepMessages)) yield;
    const { perSubjectMax } = this.#limits;
    if (this.#trimsSubjects && this.#contents.needsTrim(perSubjectMax))
      yield* this.#contents.trimSubjects(perSubjectMax);
    yield* this.consumers.settle(0);
    this.#account();
  }

  /** The messages whose subjects filters take that do not overlap; all where there are none. */
  filtered(filters: readonly string[]): FilteredMessages {
    return new FilteredMessages(this.#contents, filters);
  }

  /** The subject of a message that is there. */
  subjectOf(sequence: number): string {
    return this.#contents.subjects.text(this.#contents.subjectOf(sequence));
  }

  /** Removes a message that is there and nobody needs. */
  drop(sequence: number): void {
    this.#contents.remove(sequence);
    this.#account();
  }

  /** Whether it keeps nothing of a subject: nobody takes it. */
  ignores(subject: string): boolean {
    return this.#config.retention === 'interest' && !this.consumers.takes(subject);
  }

  /** Whether it keeps all that it takes, whatever the subject. */
  get keepsAll(): boolean {
    return this.#config.retention !== 'interest' || this.consumers.takesAll;
  }

  /** Removes one message; returns whether it was there. */
  *delete(sequence: number, erase: boolean): Steps<boolean> {
    const before = yield* this.search.before(sequence);
    if (!this.has(sequence)) return false;
    this.#contents.remove(sequence, erase, before);
    this.#account();
    return true;
  }

  /**
   * Takes something out of a message while it is shown; null when it is not there.
   *
   * @throws ApiError when it cannot be read
   */
  *read<T>(sequence: number, take: (record: RecordView) => T): Steps<T | null> {
    let taken: T | null = null;
    yield* this.readOn(sequence, sequence, (records) => {
      taken = records === null ? null : take(records.view(0));
      return false;
    });
    return taken;
  }

  /**
   * Shows a message, and as long as it is asked to those behind it, as `Storage.readOn` does.
   *
   * @throws ApiError when it cannot be read
   */
  *readOn(
    sequence: number,
    end: number,
    show: (records: RecordRun | null) => boolean,
    done: () => void = () => {},
  ): Steps {
    if (this.failure !== null && sequence >= this.storage.committedNext) throw this.failure;
    const read: { isDone: boolean; failure: StorageFailure | null; goOn: (() => void) | null } = {
      isDone: false,
      failure: null,
      goOn: null,
    };
    const onDone = (): void => {
      done();
      read.isDone = true;
      read.goOn?.();
    };
    this.storage.readOn(sequence, end, show, onDone, (failure) => {
      read.failure = failure;
      read.goOn?.();
    });
    // what is in memory is shown at once
    if (!read.isDone && read.failure === null)
      yield new Promise<void>((resolve) => {
        read.goOn = resolve;
      });
    if (read.failure !== null) throw new ApiError(500, 10057, read.failure.reason);
  }

  /** It is no more: its memory is given back. */
  end(): void {
    for (const taken of [this.#memory, this.#subjectMemory, this.#idMemory]) taken.set(0);
    this.#contents.end();
  }

  #account(): void {
    this.storage.keptBytes = this.bytes;
    this.#countMemory();
  }

  #countMemory(): void {
    const contents = this.#contents;
    const idBytes = this.#publishing.memoryBytes;
    this.#memory.set(this.storage.memoryBytes + contents.memoryBytes + idBytes);
    this.#subjectMemory.set(contents.subjects.memoryBytes);
    this.#idMemory.set(idBytes);
  }
}
