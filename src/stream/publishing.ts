import { latin1Bytes, latin1String } from '../base/bytes.js';
import { runMessagesMax, streamStepMessages } from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import { lineEndBytes } from '../base/ownMessage.js';
import type { PieceReader, PieceWriter } from '../base/pieces.js';
import type { PublishedSubject } from '../base/publishedSubject.js';
import { copySpan, nowhere, placeOf, Span, spansEqual } from '../base/span.js';
import type { RecordView } from '../log/storage.js';
import { FieldBounds } from '../protocol/messageKey.js';
import { ApiError, apiErrors } from './api/apiError.js';
import type { StreamContents } from './contents.js';
import { begun } from './copyOnWrite.js';
import { DedupWindow } from './dedupWindow.js';
import type { MemoryShare } from './memoryShare.js';
import {
  type PublishedTo,
  type Rollup,
  refusalBefore,
  refusalBehind,
  refusalOfTimeToLive,
  rollupOf,
} from './publishChecks.js';
import { PublishHeaders, publishHeader, readPlainHeaders, timeToLive, versionBytes } from './publishHeaders.js';
import { countedBytes, type StreamLimits } from './streamLimits.js';

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

const nothingRecovered = { rollup: 'none', sequence: 0 } as const;

/** What became of a publish. */
export interface Published {
  /** Of the message, or of the one that it is a duplicate of; 0 when it was refused. */
  sequence: number;
  duplicate: boolean;
  refusal: ApiError | null;
}

/** The stream that is published to. */
export interface PublishingStream extends PublishedTo {
  readonly limits: StreamLimits;
  readonly failure: ApiError | null;
  /** Whether it keeps all that it takes. */
  readonly keepsAll: boolean;
  /** Whether it keeps nothing of a subject. */
  ignores(subject: string): boolean;
}

/** Takes what is published to a stream, or refuses it. */
export class StreamPublishing {
  /** Id of the message that was accepted last. */
  #lastId = new Span(new Uint8Array(64));
  #lastIdBytes = 0;
  readonly #stream: PublishingStream;
  readonly #contents: StreamContents;
  readonly #memory: MemoryShare;
  readonly #ids = new DedupWindow();
  readonly #headers = new PublishHeaders();
  /** Of the publish before; one object, since most of them are looked at once. */
  readonly #published: Published = { sequence: 0, duplicate: false, refusal: null };
  /** The last message that has replaced others, of those that were stored before. */
  #recovered: { readonly rollup: Rollup; readonly sequence: number } = nothingRecovered;

  constructor(stream: PublishingStream, contents: StreamContents, memory: MemoryShare) {
    this.#stream = stream;
    this.#contents = contents;
    this.#memory = memory;
  }

  /** Id of the message that was accepted last, one byte a character; '' when it had none. */
  get lastId(): string {
    return latin1String(this.#lastId.bytes, 0, this.#lastIdBytes);
  }

  #setLastId(span: Span, start: number, end: number): void {
    const length = end - start;
    if (length > this.#lastId.bytes.length) this.#lastId = new Span(new Uint8Array(length));
    copySpan(this.#lastId, 0, span, start, end);
    this.#lastIdBytes = length;
  }

  /** What the ids that are known take, in bytes. */
  get memoryBytes(): number {
    return this.#ids.memoryBytes;
  }

  /** Takes message `index` of a run, or refuses it; returns what became of it, until the next one. */
  publish(subject: PublishedSubject, message: MessageView, index: number, nowUs: number): Published {
    this.#headers.read(message, index);
    const published = this.#published;
    published.sequence = 0;
    published.duplicate = false;
    published.refusal = this.#refusalOf(subject.text, message, index, nowUs);
    if (published.refusal !== null || published.duplicate) return published;
    const { storage } = this.#contents;
    published.sequence = storage.nextSequence;
    this.#contents.lastTimeUs = nowUs;
    if (this.#stream.ignores(subject.text)) storage.skipTo(published.sequence + 1);
    else this.#store(subject, message, index, nowUs);
    this.#remember(published.sequence, nowUs);
    return published;
  }

  /** Whether it would take message `index`, as far as that does not depend on how full it is; returns that until the next one. */
  look(subject: PublishedSubject, message: MessageView, index: number, nowUs: number): Published {
    this.#headers.read(message, index);
    const published = this.#published;
    published.sequence = 0;
    published.duplicate = false;
    published.refusal = this.#refusalAsSaid(subject.text, message, index, nowUs);
    return published;
  }

  /**
   * Takes messages `from` to `to` (exclusive) of a run as a whole, as far as they are plain: nothing has to be looked at that differs from
   * message to message but its size and its id. Does what `publish` would do with one after the other. Returns how many were taken; who
   * gets 0 has the first one looked at.
   */
  publishRun(subject: PublishedSubject, run: MessageView, from: number, to: number, nowUs: number): number {
    const subjectBytes = subject.end - subject.start;
    if (!this.#takesRuns(run.ends[to - 1] - run.starts[from] + (to - from) * subjectBytes)) return 0;
    const count = this.#countPlain(subjectBytes, run, from, to, nowUs);
    if (count === 0) return 0;
    const contents = this.#contents;
    const first = contents.storage.nextSequence;
    contents.storage.append(subject, run, from, from + count, nowUs);
    contents.enterRun(subject, first, nowUs, sizes, count);
    // as many as with one message after the other
    contents.trim(this.#stream.limits, count * streamStepMessages);
    return count;
  }

  /** The same for messages without headers, each of which has a subject of its own: `subjects[i]` is that of message `i`. */
  publishTogether(
    subjects: readonly PublishedSubject[],
    messages: MessageView,
    from: number,
    to: number,
    nowUs: number,
  ): number {
    const { starts, ends } = messages;
    // all but the first subject lie among them
    if (!this.#takesRuns(ends[to - 1] - starts[from] + subjects[from].end - subjects[from].start)) return 0;
    const contents = this.#contents;
    const { storage } = contents;
    const { config, limits } = this.#stream;
    const lengthMax = Math.min(limits.messageBytesMax, storage.messageBytesMax);
    const first = storage.nextSequence;
    let i = from;
    for (; i < to && ends[i] - starts[i] <= lengthMax; i++) {
      const subject = subjects[i];
      sizes[i - from] = countedBytes(config, subject.end - subject.start, 0, ends[i] - starts[i]);
      storage.append(subject, messages, i, i + 1, nowUs);
    }
    if (i === from) return 0;
    this.#lastIdBytes = 0;
    contents.enterTogether(subjects, from, first, nowUs, sizes, i - from);
    contents.trim(limits, (i - from) * streamStepMessages);
    return i - from;
  }

  /** Whether the stream takes whatever is not too large, and has memory for so many bytes of messages. */
  #takesRuns(bytes: number): boolean {
    const { config, limits, failure, keepsAll } = this.#stream;
    if (failure !== null || config.sealed || !keepsAll || config.discard === 'new') return false;
    if (limits.perSubjectMax !== Number.POSITIVE_INFINITY || this.#contents.storage.intake === 'full') return false;
    if (this.#memory.subjects.full) return false;
    return this.#memory.bytesMax - this.#memory.usedBytes >= runMemoryFactor * bytes + runMemoryBytes;
  }

  /** How many messages may be as large as they are, and say nothing but an id that is new, which is known from then on. `sizes` has what they count. */
  #countPlain(subjectBytes: number, run: MessageView, from: number, to: number, nowUs: number): number {
    const { config, limits } = this.#stream;
    const { storage } = this.#contents;
    const { starts, ends, withHeaders, headerLengths } = run;
    const lengthMax = Math.min(limits.messageBytesMax, storage.messageBytesMax);
    let headerBytes = 0;
    let i = from;
    for (; i < to; i++) {
      const length = ends[i] - starts[i];
      if (length > lengthMax) break;
      if (withHeaders) {
        headerBytes = headerLengths[i];
        if (!this.#takesHeaders(run, i, i > from, nowUs, storage.nextSequence + i - from)) break;
      }
      sizes[i - from] = countedBytes(config, subjectBytes, headerBytes, length - headerBytes);
    }
    if (i > from && !withHeaders) this.#lastIdBytes = 0;
    return i - from;
  }

  /** Whether the headers of a message say nothing but an id that is new: it will have that sequence. */
  #takesHeaders(run: MessageView, index: number, hasBefore: boolean, nowUs: number, sequence: number): boolean {
    const { span, starts, headerLengths } = run;
    const start = starts[index];
    const length = headerLengths[index];
    // many are the same as before
    if (hasBefore && this.#lastIdBytes === 0 && length === headerLengths[index - 1])
      if (spansEqual(span, starts[index - 1], span, start, length)) return true;
    if (length > headerBytesMax || !readPlainHeaders(span.bytes, start, start + length, plainId)) return false;
    if (plainId.start === plainId.end) {
      this.#lastIdBytes = 0;
      return true;
    }
    const { windowUs } = this.#stream.limits;
    if (this.#memory.ids.full) return false;
    this.expire(nowUs, streamStepMessages);
    if (this.#ids.find(span, plainId.start, plainId.end, nowUs - windowUs) !== 0) return false;
    this.#setLastId(span, plainId.start, plainId.end);
    if (windowUs > 0) this.#ids.add(span, plainId.start, plainId.end, sequence, nowUs);
    return true;
  }

  /** Remembers a message that was stored before. */
  recover(record: RecordView): void {
    this.#lastIdBytes = 0;
    if (record.headerBytes === 0) return;
    plain.set(record.span, record.start, record.end);
    plain.setHeaders(record.headerBytes);
    this.#headers.read(plain, 0);
    this.#remember(record.sequence, record.timeUs);
    this.#setLifetime(record.sequence, record.timeUs);
    if (rollupOf(this.#headers) !== 'none')
      this.#recovered = { rollup: rollupOf(this.#headers), sequence: record.sequence };
  }

  /** Removes what the last message that was stored has replaced: a kill may have come between. */
  rollUpAgain(): void {
    const { rollup, sequence } = this.#recovered;
    this.#recovered = nothingRecovered;
    const contents = this.#contents;
    if (sequence === contents.lastSequence && contents.has(sequence))
      this.#rollUp(rollup, contents.subjectOf(sequence), sequence);
  }

  /** Lays out what it knows of ids now, in steps. */
  save(target: PieceWriter): Generator<void> {
    return begun(saveSteps(this.lastId, this.#ids.save(target), target));
  }

  /** Takes over what was laid out. */
  restore(source: PieceReader): void {
    const id = latin1Bytes(source.text());
    this.#setLastId(new Span(id), 0, id.length);
    this.#ids.restore(source);
  }

  /** Forgets ids that are too old, at most so many. */
  expire(nowUs: number, countMax: number): void {
    this.#ids.expire(nowUs - this.#stream.limits.windowUs, countMax);
  }

  #refusalOf(text: string, message: MessageView, index: number, nowUs: number): ApiError | null {
    const refusal = this.#refusalAsSaid(text, message, index, nowUs);
    return refusal !== null || this.#published.duplicate ? refusal : this.#refusalOfRoom(text, message, index);
  }

  /** Why a message is refused for what it says, or what the stream is. */
  #refusalAsSaid(text: string, message: MessageView, index: number, nowUs: number): ApiError | null {
    const stream = this.#stream;
    if (stream.failure !== null) return stream.failure;
    if (stream.config.sealed) return apiErrors.sealed;
    const headers = this.#headers;
    const before = this.#refusalOfSize(message, index) ?? refusalBefore(headers, text, stream);
    if (before !== null) return before;
    if (this.#isDuplicate(nowUs)) return null;
    return refusalBehind(headers, stream);
  }

  #isDuplicate(nowUs: number): boolean {
    const id = this.#headers.get(publishHeader.id);
    if (id === '') return false;
    this.expire(nowUs, streamStepMessages);
    const { span, start, end } = placeOf(latin1Bytes(id));
    const sequence = this.#ids.find(span, start, end, nowUs - this.#stream.limits.windowUs);
    if (sequence === 0) return false;
    this.#published.sequence = sequence;
    this.#published.duplicate = true;
    return true;
  }

  #refusalOfSize(message: MessageView, index: number): ApiError | null {
    if (message.ends[index] - message.starts[index] > this.#stream.limits.messageBytesMax) return refused.tooLarge;
    return message.headerBytes(index) > headerBytesMax ? refused.headersTooLarge : null;
  }

  #refusalOfRoom(text: string, message: MessageView, index: number): ApiError | null {
    const { config } = this.#stream;
    const { storage } = this.#contents;
    const lengthBytes = message.ends[index] - message.starts[index];
    const headerBytes = message.headerBytes(index);
    if (lengthBytes > storage.messageBytesMax) return refused.tooLargeToStore;
    if (storage.intake === 'full' || this.#lacksMemory(text)) return apiErrors.insufficientResources;
    if (this.#stream.ignores(text)) return null;
    const refusal = refusalOfTimeToLive(this.#headers);
    if (refusal !== null || config.discard !== 'new') return refusal;
    return this.#refusalOfFull(text, countedBytes(config, text.length, headerBytes, lengthBytes - headerBytes));
  }

  /** Whether there is no memory for a message, or for what of it is new: its subject, or its id. */
  #lacksMemory(text: string): boolean {
    const { subjects, ids, full } = this.#memory;
    if (full || (subjects.full && this.#contents.subjects.find(text) < 0)) return true;
    return ids.full && this.#stream.limits.windowUs > 0 && this.#headers.get(publishHeader.id) !== '';
  }

  /** Why a stream that discards what is new takes nothing more, unless it replaces a message of its subject. */
  #refusalOfFull(text: string, bytes: number): ApiError | null {
    const { config, limits } = this.#stream;
    const contents = this.#contents;
    const subject = contents.subjects.find(text);
    const isFull = subject >= 0 && contents.subjects.count(subject) >= limits.perSubjectMax;
    const replaced = isFull ? contents.firstOf(subject) : 0;
    if (replaced !== 0 && config.discard_new_per_subject && rollupOf(this.#headers) === 'none')
      return refused.perSubject;
    if (contents.count >= limits.messagesMax && replaced === 0) return refused.messages;
    if (contents.bytes + bytes <= limits.bytesMax) return null;
    return replaced !== 0 && contents.bytesOf(replaced) >= bytes ? null : refused.bytes;
  }

  #store(subject: PublishedSubject, message: MessageView, index: number, nowUs: number): void {
    const { config, limits } = this.#stream;
    const contents = this.#contents;
    const sequence = contents.storage.nextSequence;
    const kept = this.#headers.statusBytes > 0 ? this.#withoutStatus(message, index) : message;
    const place = kept === message ? index : 0;
    contents.storage.append(subject, kept, place, place + 1, nowUs);
    const headerBytes = kept.headerBytes(place);
    const payloadBytes = kept.ends[place] - kept.starts[place] - headerBytes;
    const bytes = countedBytes(config, subject.end - subject.start, headerBytes, payloadBytes);
    const stored = contents.enterPublished(subject, sequence, nowUs, bytes);
    this.#setLifetime(sequence, nowUs);
    this.#rollUp(rollupOf(this.#headers), stored, sequence);
    contents.trimSubject(stored, limits.perSubjectMax);
    contents.trim(limits, streamStepMessages);
  }

  /** Has a message go that says how long it lives. */
  #setLifetime(sequence: number, timeUs: number): void {
    const seconds = timeToLive(this.#headers.get(publishHeader.ttl));
    if (seconds > 0) this.#contents.setLifetime(sequence, timeUs + seconds * 1e6);
  }

  #remember(sequence: number, timeUs: number): void {
    const id = this.#headers.get(publishHeader.id);
    const { span, start, end } = id === '' ? nowhere : placeOf(latin1Bytes(id));
    this.#setLastId(span, start, end);
    if (start < end && this.#stream.limits.windowUs > 0) this.#ids.add(span, start, end, sequence, timeUs);
  }

  #rollUp(rollup: Rollup, subject: number, sequence: number): void {
    const contents = this.#contents;
    if (rollup === 'sub') contents.trimSubject(subject, 1);
    if (rollup === 'all') while (contents.messages.first < sequence) contents.remove(contents.messages.first);
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
    plain.set(copy, 0, copy.bytes.length - lineEndBytes);
    plain.setHeaders(keptBytes);
    return plain;
  }
}

function* saveSteps(lastId: string, ids: Generator<void>, target: PieceWriter): Generator<void> {
  yield;
  target.text(lastId);
  yield* ids;
}

/** What each message of a run counts, in bytes. */
const sizes = new Int32Array(runMessagesMax);

/** A message as it is stored that came with a status, or is entered again: one for all streams of a thread, of which there may be many. */
const plain = new MessageView();
/** What a run takes of memory is at most so many times its bytes, and so much more. */
const runMemoryFactor = 4;
const runMemoryBytes = 64 * 1024;
const plainId = new FieldBounds();
