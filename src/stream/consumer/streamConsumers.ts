import { byteText } from '../../base/bytes.js';
import type { PieceReader, PieceWriter } from '../../base/pieces.js';
import type { NoteKind } from '../../log/storage.js';
import { subjectIncludes } from '../../protocol/subject.js';
import { filtersOf } from '../consumerRules.js';
import type { Steps } from '../steps.js';
import type { Stream } from '../stream.js';
import type { Consumer } from './consumer.js';
import { type ConsumerState, writeChange, writeState } from './consumerState.js';
import { KeptConsumers } from './keptConsumers.js';

/** Messages that are looked at in a step. */
const looksAStep = 256;
const nothing = new Uint8Array(0);

/** The consumers of one stream: which messages somebody still needs, and what becomes of those that nobody does. */
export class StreamConsumers {
  readonly #stream: Stream;
  readonly #onChange: () => void;
  readonly #byName = new Map<string, Consumer>();
  /** Those of which notes are kept, by the keys of these. */
  readonly #byKey = new Map<number, Consumer>();
  readonly #keys = new Map<Consumer, number>();
  /** What the storage has of consumers, until they are at work again. */
  readonly #kept = new KeptConsumers();
  #nextKey = 1;

  /** @param onChange told when there are others */
  constructor(stream: Stream, onChange: () => void) {
    this.#stream = stream;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** A new one: it is found again after a start, if it is to be. */
  add(consumer: Consumer): void {
    this.#enter(consumer);
    if (!this.#stream.isDurable || consumer.config.mem_storage) return;
    this.#keep(this.#nextKey, consumer);
    this.noteWhole(consumer);
  }

  /** One that was here before a start. */
  resume(key: number, consumer: Consumer): void {
    this.#enter(consumer);
    this.#keep(key, consumer);
  }

  #enter(consumer: Consumer): void {
    this.#byName.set(consumer.name, consumer);
    this.#onChange();
  }

  #keep(key: number, consumer: Consumer): void {
    this.#byKey.set(key, consumer);
    this.#keys.set(consumer, key);
    this.#nextKey = Math.max(this.#nextKey, key + 1);
    consumer.keepChanges();
  }

  remove(consumer: Consumer): void {
    this.#byName.delete(consumer.name);
    this.#onChange();
    const key = this.#keys.get(consumer);
    if (key === undefined) return;
    this.#keys.delete(consumer);
    this.#byKey.delete(key);
    if (this.#stream.failure === null) this.#stream.storage.note(key, 'end', nothing);
  }

  /** Notes all that a consumer is: it was made, or is another one. */
  noteWhole(consumer: Consumer): void {
    const key = this.#keys.get(consumer);
    if (key === undefined || this.#stream.failure !== null) return;
    this.#stream.storage.note(key, 'whole', writeState(consumer.state));
    consumer.takeChange();
  }

  /** Whether what changes of a consumer is noted. */
  keeps(consumer: Consumer): boolean {
    return this.#keys.has(consumer);
  }

  /** Notes what has changed of a consumer, and removes messages with which it is done and that nobody needs, all of it or nothing of it. */
  noteChange(consumer: Consumer, settled: readonly number[]): void {
    const { storage, failure } = this.#stream;
    if (failure !== null) return;
    const key = this.#keys.get(consumer);
    const note = key === undefined ? nothing : writeChange(consumer.takeChange());
    const done = settled.filter((sequence) => this.#isDone(sequence));
    if (done.length > 0 && done.length < storage.togetherMax) storage.together(done.length + 1, note.length);
    // a start removes what was acknowledged, and is still there: not what was removed, and not acknowledged
    if (key !== undefined) storage.note(key, 'change', note);
    for (const sequence of done) this.#stream.drop(sequence);
  }

  /** Of what is kept of a consumer the file is to be given up. */
  renote(key: number): void {
    const consumer = this.#byKey.get(key);
    if (consumer === undefined) this.#stream.storage.note(key, 'end', nothing);
    else this.noteWhole(consumer);
  }

  /** The storage tells of a note. */
  noted(key: number, kind: NoteKind, bytes: Uint8Array): void {
    this.#kept.noted(key, kind, bytes);
  }

  /** What the storage has told of, by keys; once. */
  takeKept(): ReadonlyMap<number, ConsumerState> {
    return this.#kept.take();
  }

  /** Lays out what is known of consumers, in steps; what becomes of them meanwhile may be in it or not. */
  save(target: PieceWriter): Generator<void> {
    const states = [...this.#byKey].map(
      ([key, consumer]) => [key, () => (this.#byKey.has(key) ? consumer.state : null)] as const,
    );
    return KeptConsumers.save(target, states);
  }

  restore(source: PieceReader): void {
    this.#kept.restore(source);
  }

  [Symbol.iterator](): IterableIterator<Consumer> {
    return this.#byName.values();
  }

  /** Whether somebody takes messages of a subject. */
  takes(subject: string): boolean {
    for (const { upcoming } of this.#byName.values()) if (upcoming.takes(subject)) return true;
    return false;
  }

  /** Whether somebody takes whatever comes. */
  get takesAll(): boolean {
    for (const { upcoming } of this.#byName.values()) if (upcoming.isAll) return true;
    return false;
  }

  /** A message is being removed. */
  onRemoved(sequence: number, subject: () => string): void {
    for (const consumer of this.#byName.values()) consumer.onRemoved(sequence, subject);
  }

  /** What is removed from now on is part of a purge. */
  beginPurge(): void {
    for (const consumer of this.#byName.values()) consumer.isPurging = true;
  }

  /**
   * Messages were purged.
   *
   * @param filter of which subjects
   * @param left the first that is left of them, or the stream's next one
   */
  endPurge(filter: string, left: number): void {
    const first = Math.max(1, this.#stream.firstSequence);
    for (const consumer of this.#byName.values()) {
      consumer.isPurging = false;
      const filters = filtersOf(consumer.config).map(byteText);
      const purged = filters.filter((each) => subjectIncludes(filter, each));
      if (filters.length > 0 && purged.length === filters.length) consumer.onPurged(left);
      else if (filters.length === 0 || purged.length > 0 || filters.some((each) => subjectIncludes(each, filter)))
        consumer.onPurged(first);
    }
  }

  /** Whether a message may go with which one of them is done. */
  #isDone(sequence: number): boolean {
    const { retention } = this.#stream.config;
    if (retention === 'limits' || !this.#stream.has(sequence)) return false;
    return retention === 'workqueue' || !this.#isNeeded(sequence);
  }

  /** Whether a message is still there that should have gone: a kill may leave it. */
  #isLeft(sequence: number): boolean {
    if (this.#stream.config.retention === 'interest') return !this.#isNeeded(sequence);
    const subject = this.#stream.subjectOf(sequence);
    for (const consumer of this.#byName.values())
      if (consumer.upcoming.takes(subject)) return consumer.isDoneWith(sequence);
    return false;
  }

  #isNeeded(sequence: number): boolean {
    let subject: string | null = null;
    for (const consumer of this.#byName.values()) {
      if (!consumer.needs(sequence)) continue;
      if (consumer.upcoming.isAll) return true;
      subject ??= this.#stream.subjectOf(sequence);
      if (consumer.upcoming.takes(subject)) return true;
    }
    return false;
  }

  /** Removes what nobody needs of a stream that keeps what is needed, from a message on. */
  *settle(from: number): Steps {
    const stream = this.#stream;
    if (stream.config.retention === 'limits') return;
    const found = new Float64Array(looksAStep);
    for (let at = from; ; ) {
      const count = yield* stream.filtered([]).next(at, Number.POSITIVE_INFINITY, found);
      for (const sequence of found.subarray(0, count)) if (this.#isLeft(sequence)) stream.drop(sequence);
      if (count < found.length) return;
      at = found[count - 1] + 1;
      yield;
    }
  }
}
