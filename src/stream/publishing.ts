import { runMessagesMax, streamStepMessages } from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import { copySpan, type Place, Span } from '../base/span.js';
import type { RecordView } from '../log/storage.js';
import { ApiError, apiErrors } from './api/apiError.js';
import type { StreamContents } from './contents.js';
import { DedupWindow } from './dedupWindow.js';
import type { MemoryShare } from './memoryShare.js';
import { type PublishedTo, type Rollup, refusalBefore, refusalBehind, rollupOf } from './publishChecks.js';
import { PublishHeaders, publishHeader, versionBytes } from './publishHeaders.js';
import type { StreamConfig } from './streamConfig.js';
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
const lineEndBytes = 2;

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
}

/** Takes what is published to a stream, or refuses it. */
export class StreamPublishing {
  lastId = '';
  readonly #stream: PublishingStream;
  readonly #contents: StreamContents;
  readonly #memory: MemoryShare;
  readonly #ids = new DedupWindow();
  readonly #headers = new PublishHeaders();
  /** Of the publish before; one object, since most of them are looked at once. */
  readonly #published: Published = { sequence: 0, duplicate: false, refusal: null };
  /** A message as it is stored that came with a status. */
  readonly #plain = new MessageView();

  constructor(stream: PublishingStream, contents: StreamContents, memory: MemoryShare) {
    this.#stream = stream;
    this.#contents = contents;
    this.#memory = memory;
  }

  /** What the ids that are known take, in bytes. */
  get memoryBytes(): number {
    return this.#ids.memoryBytes;
  }

  /** Takes message `index` of a run, or refuses it; returns what became of it, until the next one. */
  publish(subject: Place, text: string, message: MessageView, index: number, nowUs: number): Published {
    this.#headers.read(message, index);
    const published = this.#published;
    published.sequence = 0;
    published.duplicate = false;
    published.refusal = this.#refusalOf(text, message, index, nowUs);
    if (published.refusal !== null || published.duplicate) return published;
    const { storage } = this.#contents;
    published.sequence = storage.nextSequence;
    this.#contents.lastTimeUs = nowUs;
    if (keepsNothing(this.#stream.config)) storage.skipTo(published.sequence + 1);
    else this.#store(subject, text, message, index, nowUs);
    this.#remember(published.sequence, nowUs);
    return published;
  }

  /**
   * Takes a run as a whole where it is plain: nothing has to be looked at that differs from message to message but its size. Does what
   * `publish` would do with one message after the other. Returns the first one's sequence; 0 when each has to be taken by itself.
   */
  publishRun(subject: Place, text: string, run: MessageView, nowUs: number): number {
    if (!this.#takesRuns() || run.withHeaders || !this.#takesSizes(text, run)) return 0;
    const contents = this.#contents;
    const first = contents.storage.nextSequence;
    contents.storage.append(subject, run, 0, run.count, nowUs);
    contents.enterRun(text, first, nowUs, sizes, run.count);
    // as many as with one message after the other
    contents.trim(this.#stream.limits, run.count * streamStepMessages);
    this.lastId = '';
    return first;
  }

  /** Whether the stream takes whatever is not too large. */
  #takesRuns(): boolean {
    const { config, limits, failure } = this.#stream;
    if (failure !== null || config.sealed || keepsNothing(config) || config.discard === 'new') return false;
    return limits.perSubjectMax === Number.POSITIVE_INFINITY && this.#contents.storage.intake !== 'full';
  }

  /** Whether all messages of a run may be as large as they are; then `sizes` has what they count. */
  #takesSizes(text: string, { starts, ends, count, lengthBytes }: MessageView): boolean {
    const { config, limits } = this.#stream;
    const lengthMax = Math.min(limits.messageBytesMax, this.#contents.storage.messageBytesMax);
    // what is near the end of the memory is looked at one by one
    if (this.#memory.bytesMax - this.#memory.usedBytes < runMemoryFactor * (lengthBytes + count * text.length + 4096))
      return false;
    for (let i = 0; i < count; i++) {
      const length = ends[i] - starts[i];
      if (length > lengthMax) return false;
      sizes[i] = countedBytes(config, text.length, 0, length);
    }
    return true;
  }

  /** Remembers a message that was stored before. */
  recover(record: RecordView): void {
    const view = this.#plain;
    view.set(record.span, record.start, record.end);
    view.setHeaders(record.headerBytes);
    this.#headers.read(view, 0);
    this.#remember(record.sequence, record.timeUs);
  }

  /** Forgets ids that are too old, at most so many. */
  expire(nowUs: number, countMax: number): void {
    this.#ids.expire(nowUs - this.#stream.limits.windowUs, countMax);
  }

  #refusalOf(text: string, message: MessageView, index: number, nowUs: number): ApiError | null {
    const stream = this.#stream;
    if (stream.failure !== null) return stream.failure;
    const headers = this.#headers;
    const before = refusalBefore(headers, text, stream);
    if (before !== null) return before;
    if (this.#isDuplicate(nowUs)) return null;
    return refusalBehind(headers, stream) ?? this.#refusalOfSize(text, message, index);
  }

  #isDuplicate(nowUs: number): boolean {
    const id = this.#headers.get(publishHeader.id);
    if (id === '') return false;
    this.expire(nowUs, streamStepMessages);
    const sequence = this.#ids.find(id, nowUs - this.#stream.limits.windowUs);
    if (sequence === 0) return false;
    this.#published.sequence = sequence;
    this.#published.duplicate = true;
    return true;
  }

  #refusalOfSize(text: string, message: MessageView, index: number): ApiError | null {
    const { config, limits } = this.#stream;
    const { storage } = this.#contents;
    const lengthBytes = message.ends[index] - message.starts[index];
    const headerBytes = message.headerBytes(index);
    if (lengthBytes > limits.messageBytesMax) return refused.tooLarge;
    if (headerBytes > headerBytesMax) return refused.headersTooLarge;
    if (lengthBytes > storage.messageBytesMax) return refused.tooLargeToStore;
    if (this.#memory.full || storage.intake === 'full') return apiErrors.insufficientResources;
    if (keepsNothing(config) || config.discard !== 'new') return null;
    return this.#refusalOfFull(text, countedBytes(config, text.length, headerBytes, lengthBytes - headerBytes));
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

  #store(subject: Place, text: string, message: MessageView, index: number, nowUs: number): void {
    const { config, limits } = this.#stream;
    const contents = this.#contents;
    const sequence = contents.storage.nextSequence;
    const kept = this.#headers.statusBytes > 0 ? this.#withoutStatus(message, index) : message;
    const place = kept === message ? index : 0;
    contents.storage.append(subject, kept, place, place + 1, nowUs);
    const headerBytes = kept.headerBytes(place);
    const payloadBytes = kept.ends[place] - kept.starts[place] - headerBytes;
    const bytes = countedBytes(config, text.length, headerBytes, payloadBytes);
    const stored = contents.enter(text, sequence, nowUs, bytes);
    this.#rollUp(rollupOf(this.#headers), stored, sequence);
    contents.trimSubject(stored, limits.perSubjectMax);
    contents.trim(limits, streamStepMessages);
  }

  #remember(sequence: number, timeUs: number): void {
    this.lastId = this.#headers.get(publishHeader.id);
    if (this.lastId !== '' && this.#stream.limits.windowUs > 0) this.#ids.add(this.lastId, sequence, timeUs);
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
    this.#plain.set(copy, 0, copy.bytes.length - lineEndBytes);
    this.#plain.setHeaders(keptBytes);
    return this.#plain;
  }
}

/** Whether no message is kept: whoever would want it is not there. */
export function keepsNothing({ retention }: StreamConfig): boolean {
  return retention === 'interest';
}

/** What each message of a run counts, in bytes. */
const sizes = new Int32Array(runMessagesMax);
/** What a run takes of memory is at most so many times its bytes, and room for each message. */
const runMemoryFactor = 4;
