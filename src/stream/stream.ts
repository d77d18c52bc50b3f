import { assert } from '../base/assert.js';
import { streamStepMessages } from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import { copySpan, type Place, Span } from '../base/span.js';
import type { RecordView, Storage, StorageFailure } from '../log/storage.js';
import { ApiError, apiErrors } from './api/apiError.js';
import { DedupWindow } from './dedupWindow.js';
import type { MemoryShare } from './memoryShare.js';
import { MessageIndex } from './messageIndex.js';
import { MessageEntry } from './messageLeaf.js';
import { type Rollup, refusalBefore, refusalBehind, rollupOf } from './publishChecks.js';
import { PublishHeaders, publishHeader, versionBytes } from './publishHeaders.js';
import type { StreamConfig } from './streamConfig.js';
import { countedBytes, limitsOf, type StreamLimits } from './streamLimits.js';
import type { SubjectFilter } from './subjectFilter.js';
import { type StoredSubject, SubjectIndex } from './subjectIndex.js';

const refused = {
  tooLarge: new ApiError(400, 10054, 'message size exceeds maximum allowed'),
  headersTooLarge: new ApiError(400, 10097, 'header size exceeds maximum allowed of 64k'),
  tooLargeToStore: new ApiError(503, 10077, 'message too large'),
  messages: new ApiError(503, 10077, 'maximum messages exceeded'),
  bytes: new ApiError(503, 10077, 'maximum bytes exceeded'),
  perSubject: new ApiError(503, 10077, 'maximum messages per subject exceeded'),
} as const;

const headerBytesMax = 65_535;
/** Behind a message's payload. */
const lineEndBytes = 2;

/** What became of a publish. */
export interface Published {
  /** Of the message, or of the one that it is a duplicate of; 0 when it was refused. */
  sequence: number;
  duplicate: boolean;
  refusal: ApiError | null;
}

/** What a walk over many messages does: in steps, between which others have their turn. What it yields it waits for; that never rejects. */
export type Steps<T = void> = Generator<void | Promise<void>, T>;

/** One stream: what it has, what it takes, and what it gives up for that. */
export class Stream {
  readonly createdUs: number;
  readonly storage: Storage;
  /** When the last message was stored; 0 when none was. */
  lastTimeUs = 0;
  /** What its messages count, in bytes. */
  bytes = 0;
  lastId = '';
  /** Why nothing is stored or changed any more; what was committed before can still be read. */
  failure: ApiError | null = null;
  /** Of the publish before; one object, since most of them are looked at once. */
  readonly published: Published = { sequence: 0, duplicate: false, refusal: null };
  #config: StreamConfig;
  #limits: StreamLimits;
  #messages = new MessageIndex();
  #subjects = new SubjectIndex();
  readonly #ids = new DedupWindow();
  readonly #memory: MemoryShare;
  #countedMemory = 0;
  readonly #headers = new PublishHeaders();
  readonly #entry = new MessageEntry();
  readonly #removed = new MessageEntry();
  /** A message as it is stored that came with a status. */
  readonly #plain = new MessageView();

  /** @param storage empty, or of a stream whose records will be shown to `recover` */
  constructor(config: StreamConfig, createdUs: number, storage: Storage, memory: MemoryShare) {
    this.#config = config;
    this.#limits = limitsOf(config);
    this.createdUs = createdUs;
    this.storage = storage;
    this.#memory = memory;
    this.#account();
  }

  get config(): StreamConfig {
    return this.#config;
  }

  get name(): string {
    return this.#config.name;
  }

  /** Whether it takes time until what it has taken lasts. */
  get isDurable(): boolean {
    return this.#config.storage === 'file';
  }

  get messages(): number {
    return this.#messages.size;
  }

  get subjects(): number {
    return this.#subjects.size;
  }

  get lastSequence(): number {
    return this.storage.nextSequence - 1;
  }

  /** Of the first message, or of the next one when there is none; 0 when there never was one. */
  get firstSequence(): number {
    if (this.messages > 0) return this.#messages.first;
    return this.lastSequence === 0 ? 0 : this.storage.nextSequence;
  }

  /** When the first message was stored; 0 when there is none. */
  get firstTimeUs(): number {
    return this.#messages.findFrom(0, this.#entry) ? this.#entry.timeUs : 0;
  }

  /**
   * Takes message `index` of a run, or refuses it.
   *
   * @param subject that it was published to, which the stream takes
   * @param text the same, one byte a character
   * @returns what became of it, until the next publish
   */
  publish(subject: Place, text: string, message: MessageView, index: number, nowUs: number): Published {
    this.#headers.read(message, index);
    const { published } = this;
    published.sequence = 0;
    published.duplicate = false;
    published.refusal = this.#refusalOf(text, message, index, nowUs);
    if (published.refusal !== null || published.duplicate) return published;
    published.sequence = this.storage.nextSequence;
    this.lastTimeUs = nowUs;
    if (this.#keepsNothing) this.storage.skipTo(published.sequence + 1);
    else this.#store(subject, text, message, index, nowUs);
    this.#remember(published.sequence, nowUs);
    this.#account();
    return published;
  }

  /** Enters what is stored already; in order, before anything else. */
  recover(
    { sequence, timeUs, span, subjectStart, subjectEnd, start, end, headerBytes }: RecordView,
    text: string,
  ): void {
    const bytes = countedBytes(this.#config, subjectEnd - subjectStart, headerBytes, end - start - headerBytes);
    this.#enter(this.#subjects.obtain(text), sequence, timeUs, bytes);
    const view = this.#plain;
    view.set(span, start, end);
    view.setHeaders(headerBytes);
    this.#headers.read(view, 0);
    this.#remember(sequence, timeUs);
  }

  /** Whether no message is kept: whoever would want it is not there. */
  get #keepsNothing(): boolean {
    return this.#config.retention === 'interest';
  }

  #refusalOf(text: string, message: MessageView, index: number, nowUs: number): ApiError | null {
    if (this.failure !== null) return this.failure;
    const headers = this.#headers;
    const before = refusalBefore(headers, text, this);
    if (before !== null) return before;
    if (this.#isDuplicate(nowUs)) return null;
    return refusalBehind(headers, this) ?? this.#refusalOfSize(text, message, index);
  }

  #isDuplicate(nowUs: number): boolean {
    const id = this.#headers.get(publishHeader.id);
    if (id === '') return false;
    this.#ids.expire(nowUs - this.#limits.windowUs, streamStepMessages);
    const sequence = this.#ids.find(id, nowUs - this.#limits.windowUs);
    if (sequence === 0) return false;
    this.published.sequence = sequence;
    this.published.duplicate = true;
    return true;
  }

  #refusalOfSize(text: string, message: MessageView, index: number): ApiError | null {
    const lengthBytes = message.ends[index] - message.starts[index];
    const headerBytes = message.headerBytes(index);
    if (lengthBytes > this.#limits.messageBytesMax) return refused.tooLarge;
    if (headerBytes > headerBytesMax) return refused.headersTooLarge;
    if (lengthBytes > this.storage.messageBytesMax) return refused.tooLargeToStore;
    if (this.#memory.full || this.storage.intake === 'full') return apiErrors.insufficientResources;
    if (this.#keepsNothing || this.#config.discard !== 'new') return null;
    return this.#refusalOfFull(text, countedBytes(this.#config, text.length, headerBytes, lengthBytes - headerBytes));
  }

  /** Why a stream that discards what is new takes nothing more, unless it replaces a message of its subject. */
  #refusalOfFull(text: string, bytes: number): ApiError | null {
    const { messagesMax, bytesMax, perSubjectMax } = this.#limits;
    const subject = this.#subjects.find(text);
    const replaced = subject !== null && subject.count >= perSubjectMax ? subject.first : 0;
    if (replaced !== 0 && this.#config.discard_new_per_subject && rollupOf(this.#headers) === 'none')
      return refused.perSubject;
    if (this.messages >= messagesMax && replaced === 0) return refused.messages;
    if (this.bytes + bytes <= bytesMax) return null;
    return replaced !== 0 && this.#bytesOf(replaced) >= bytes ? null : refused.bytes;
  }

  #bytesOf(sequence: number): number {
    assert(this.#messages.find(sequence, this.#entry), 'a subject names messages that are there');
    return this.#entry.bytes;
  }

  #store(subject: Place, text: string, message: MessageView, index: number, nowUs: number): void {
    const sequence = this.storage.nextSequence;
    const kept = this.#headers.statusBytes > 0 ? this.#withoutStatus(message, index) : message;
    const place = kept === message ? index : 0;
    this.storage.append(subject, kept, place, place + 1, nowUs);
    const headerBytes = kept.headerBytes(place);
    const payloadBytes = kept.ends[place] - kept.starts[place] - headerBytes;
    const stored = this.#subjects.obtain(text);
    this.#enter(stored, sequence, nowUs, countedBytes(this.#config, text.length, headerBytes, payloadBytes));
    this.#rollUp(rollupOf(this.#headers), stored, sequence);
    while (stored.count > this.#limits.perSubjectMax) this.#remove(stored.first, false);
    this.trim(streamStepMessages);
  }

  #enter(subject: StoredSubject, sequence: number, timeUs: number, bytes: number): void {
    const entry = this.#entry;
    entry.sequence = sequence;
    entry.timeUs = timeUs;
    entry.bytes = bytes;
    entry.subject = subject.number;
    entry.previous = subject.last;
    this.#messages.add(entry);
    if (subject.count++ === 0) subject.first = sequence;
    subject.last = sequence;
    this.bytes += bytes;
    this.lastTimeUs = timeUs;
  }

  #remember(sequence: number, timeUs: number): void {
    this.lastId = this.#headers.get(publishHeader.id);
    if (this.lastId !== '' && this.#limits.windowUs > 0) this.#ids.add(this.lastId, sequence, timeUs);
  }

  #rollUp(rollup: Rollup, subject: StoredSubject, sequence: number): void {
    if (rollup === 'sub') while (subject.first < sequence) this.#remove(subject.first, false);
    if (rollup === 'all') while (this.#messages.first < sequence) this.#remove(this.#messages.first, false);
  }

  /** A copy whose headers block begins without a status; it has none when a status was all that the block said. */
  #withoutStatus(message: MessageView, index: number): MessageView {
    const { keptBytes } = this.#headers;
    const { span, starts, ends } = message;
    const headBytes = Math.min(keptBytes, versionBytes);
    const rest = message.payloadStart(index) - (keptBytes - headBytes);
    const end = ends[index] + lineEndBytes;
    const copy = new Span(new Uint8Array(headBytes + end - rest));
    copySpan(copy, 0, span, starts[index], starts[index] + headBytes);
    copySpan(copy, headBytes, span, rest, end);
    this.#plain.set(copy, 0, copy.bytes.length - lineEndBytes);
    this.#plain.setHeaders(keptBytes);
    return this.#plain;
  }

  #remove(sequence: number, erase: boolean): void {
    const entry = this.#removed;
    assert(this.#messages.find(sequence, entry), 'only what is there is removed');
    const subject = this.#subjects.byNumber(entry.subject);
    if (subject.first === sequence) subject.first = entry.next;
    if (subject.last === sequence) subject.last = entry.previous;
    this.#messages.remove(sequence);
    this.bytes -= entry.bytes;
    if (--subject.count === 0) this.#subjects.remove(subject);
    this.storage.remove(sequence, erase);
  }

  /** Removes what is over the stream's limits, at most so many messages; returns whether there is more. */
  trim(messagesMax: number): boolean {
    const limits = this.#limits;
    for (let left = messagesMax; this.messages > limits.messagesMax || this.bytes > limits.bytesMax; left--) {
      if (left === 0) return true;
      this.#remove(this.#messages.first, false);
    }
    return false;
  }

  /** Removes what is too old, at most so many messages, and forgets as many ids; returns whether there is more. */
  expire(nowUs: number, messagesMax: number): boolean {
    const { ageUs, windowUs } = this.#limits;
    this.#ids.expire(nowUs - windowUs, messagesMax);
    for (let left = messagesMax; this.messages > 0 && this.firstTimeUs <= nowUs - ageUs; left--) {
      if (left === 0) return true;
      this.#remove(this.#messages.first, false);
    }
    this.#account();
    return false;
  }

  /** Becomes another stream, with the messages that it has; `settle` next. */
  update(config: StreamConfig): void {
    this.#config = config;
    this.#limits = limitsOf(config);
  }

  /** Removes what is over its limits, which are others now. */
  *settle(): Steps {
    while (this.trim(streamStepMessages)) yield;
    for (const subject of this.#subjects.all) {
      while (subject.count > this.#limits.perSubjectMax) this.#remove(subject.first, false);
      yield;
    }
    if (this.#keepsNothing) yield* this.purgeBelow(this.storage.nextSequence);
    this.#account();
  }

  /** Removes one message; returns whether it was there. */
  delete(sequence: number, erase: boolean): boolean {
    if (!this.has(sequence)) return false;
    this.#remove(sequence, erase);
    this.#account();
    return true;
  }

  has(sequence: number): boolean {
    return this.#messages.find(sequence, this.#entry);
  }

  /**
   * Removes all messages below a sequence; when that is beyond the next one, that sequence is the next. Returns how many there were.
   *
   * @param sequence at most `sequenceStartMax`, or the next one
   */
  *purgeBelow(sequence: number): Steps<number> {
    let removed = 0;
    const end = Math.min(sequence, this.storage.nextSequence);
    while (this.messages > 0 && this.#messages.first < end) {
      this.#remove(this.#messages.first, false);
      if (++removed % streamStepMessages === 0) yield;
    }
    if (sequence > this.storage.nextSequence) this.storage.skipTo(sequence);
    this.#account();
    return removed;
  }

  /** Removes all but the newest messages; returns how many there were. */
  *purgeToNewest(keep: number): Steps<number> {
    const first = this.#messages.newest(keep);
    return first === 0 ? 0 : yield* this.purgeBelow(first);
  }

  /** Removes the messages of some subjects below a sequence; returns how many there were. */
  *purgeSubjects(filter: SubjectFilter, sequence: number): Steps<number> {
    const end = Math.min(sequence, this.storage.nextSequence);
    let removed = 0;
    for (const subject of yield* this.matching(filter)) {
      while (subject.count > 0 && subject.first < end) {
        this.#remove(subject.first, false);
        if (++removed % streamStepMessages === 0) yield;
      }
    }
    this.#account();
    return removed;
  }

  /** Removes all but the newest messages of some subjects together; returns how many there were. */
  *purgeSubjectsToNewest(filter: SubjectFilter, keep: number): Steps<number> {
    const subjects = yield* this.matching(filter);
    const surplus = subjects.reduce((sum, { count }) => sum + count, 0) - keep;
    let removed = 0;
    for (let at = 0; removed < surplus; removed++) {
      at = yield* this.nextOf(filter, at + 1);
      if (at === 0) break;
      this.#remove(at, false);
    }
    this.#account();
    return removed;
  }

  /** The subjects that a filter takes of which there are messages. */
  *matching(filter: SubjectFilter): Steps<StoredSubject[]> {
    if (filter.isLiteral) {
      const subject = this.#subjects.find(filter.text);
      return subject === null ? [] : [subject];
    }
    const found: StoredSubject[] = [];
    let looked = 0;
    for (const subject of this.#subjects.all) {
      if (filter.takes(subject.text)) found.push(subject);
      if (++looked % streamStepMessages === 0) yield;
    }
    return found;
  }

  lastOf(filter: SubjectFilter): number {
    if (filter.isLiteral) return this.#subjects.find(filter.text)?.last ?? 0;
    let last = 0;
    for (const subject of this.#subjects.all)
      if (subject.last > last && filter.takes(subject.text)) last = subject.last;
    return last;
  }

  /** The first message at a sequence or behind it whose subject a filter takes; 0 when there is none. */
  *nextOf(filter: SubjectFilter, sequence: number): Steps<number> {
    if (filter.isLiteral) return yield* this.#nextOfSubject(filter.text, sequence);
    const entry = new MessageEntry();
    const verdicts = new Map<number, boolean>();
    let at = sequence;
    for (let looked = 1; this.#messages.findFrom(at, entry); looked++) {
      if (filter.isAll || this.#takes(filter, entry.subject, verdicts)) return entry.sequence;
      at = entry.sequence + 1;
      if (looked % streamStepMessages !== 0) continue;
      yield;
      // numbers of subjects may have been given out anew
      verdicts.clear();
    }
    return 0;
  }

  /** How many messages there are at a sequence or behind it whose subjects a filter takes. */
  *countOf(filter: SubjectFilter, sequence: number): Steps<number> {
    if (filter.isAll) return this.#messages.countFrom(sequence);
    let count = 0;
    const entry = new MessageEntry();
    for (const subject of yield* this.matching(filter)) {
      for (let at = subject.last, looked = 1; at !== 0 && at >= sequence; at = entry.previous, looked++) {
        if (!this.#messages.find(at, entry)) break;
        count++;
        if (looked % streamStepMessages === 0) yield;
      }
    }
    return count;
  }

  /** The last message of a subject that is not behind a sequence; 0 when there is none. */
  *lastUpTo({ last }: StoredSubject, sequence: number): Steps<number> {
    const entry = new MessageEntry();
    let at = last;
    for (let looked = 1; at > sequence; looked++) {
      at = this.#messages.find(at, entry) ? entry.previous : 0;
      if (looked % streamStepMessages === 0) yield;
    }
    return at;
  }

  #takes(filter: SubjectFilter, subject: number, verdicts: Map<number, boolean>): boolean {
    const known = verdicts.get(subject);
    if (known !== undefined) return known;
    const takes = filter.takes(this.#subjects.byNumber(subject).text);
    verdicts.set(subject, takes);
    return takes;
  }

  *#nextOfSubject(text: string, sequence: number): Steps<number> {
    const entry = new MessageEntry();
    // most often one of the same subject has been asked for before
    const subject = this.#subjects.find(text);
    if (this.#messages.find(sequence - 1, entry) && entry.subject === subject?.number) return entry.next;
    let at = subject?.first ?? 0;
    for (let looked = 1; at !== 0 && at < sequence; looked++) {
      // who was removed meanwhile has no successor any more
      at = this.#messages.find(at, entry) ? entry.next : (this.#subjects.find(text)?.first ?? 0);
      if (looked % streamStepMessages === 0) yield;
    }
    return at;
  }

  /** The sequence of the first message that was stored at that time or later; 0 when there is none. */
  firstSince(timeUs: number): number {
    return this.#messages.findSince(timeUs, this.#entry) ? this.#entry.sequence : 0;
  }

  /** Sequences between the first and the last that no message has, in order. */
  *gaps(): Steps<number[]> {
    const gaps: number[] = [];
    const entry = new MessageEntry();
    let at = this.firstSequence;
    while (this.#messages.findFrom(at, entry)) {
      for (; at < entry.sequence; at++) gaps.push(at);
      at++;
      if (gaps.length % streamStepMessages === 0) yield;
    }
    for (; at <= this.lastSequence && this.messages > 0; at++) gaps.push(at);
    return gaps;
  }

  /**
   * Takes something out of a message while it is shown; null when it is not there.
   *
   * @throws ApiError when it cannot be read
   */
  *read<T>(sequence: number, take: (record: RecordView) => T): Steps<T | null> {
    if (this.failure !== null && sequence >= this.storage.committedNext) throw this.failure;
    const outcome: { taken?: T | null; failure?: StorageFailure; goOn?: () => void } = {};
    this.storage.read(
      sequence,
      (record) => {
        outcome.taken = record === null ? null : take(record);
        outcome.goOn?.();
      },
      (failure) => {
        outcome.failure = failure;
        outcome.goOn?.();
      },
    );
    // what is in memory is shown at once
    if (outcome.taken === undefined && outcome.failure === undefined)
      yield new Promise<void>((resolve) => {
        outcome.goOn = resolve;
      });
    if (outcome.failure !== undefined) throw new ApiError(500, 10057, outcome.failure.reason);
    return outcome.taken as T | null;
  }

  /** It is no more: its memory is given back. */
  end(): void {
    this.#memory.usedBytes -= this.#countedMemory;
    this.#countedMemory = 0;
    this.#messages = new MessageIndex();
    this.#subjects = new SubjectIndex();
  }

  #account(): void {
    const indexBytes = this.#messages.memoryBytes + this.#subjects.memoryBytes + this.#ids.memoryBytes;
    const bytes = this.storage.memoryBytes + indexBytes;
    this.storage.keptBytes = this.bytes;
    this.#memory.usedBytes += bytes - this.#countedMemory;
    this.#countedMemory = bytes;
  }
}
