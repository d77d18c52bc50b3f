import { assert } from '../../base/assert.js';
import { answerBytesKept, answerBytesMin } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import type { Role } from '../../base/role.js';
import { copySpan, type Place, Span } from '../../base/span.js';
import type { Storage } from '../../log/storage.js';
import type { Voice } from '../voice.js';

// What is to be said:
//
//   0          4            8              12             16                   24
//   | total u32 | reply u32  | headers u32  | waiting u32  | position f64       | reply, headers and payload, CR LF
//
const totalAt = 0;
const replyAt = totalAt + 4;
const headersAt = replyAt + 4;
const waitingAt = headersAt + 4;
const positionAt = waitingAt + 4;
const headBytes = positionAt + 8;
const lineEnd = new Span(new Uint8Array([13, 10]));

/**
 * What a shard is to say for its streams, in order: each when what it tells of is committed. Kept as bytes one behind the other, so that
 * an acknowledgement costs no object.
 */
export class Answers implements Role {
  readonly #voice: Pick<Voice, 'say'>;
  #span = new Span(new Uint8Array(answerBytesMin));
  #start = 0;
  #end = 0;
  readonly #message = new MessageView();
  /** What is waited for, by its number; 0 is nothing. */
  readonly #storages: (Storage | null)[] = [null];
  readonly #numbers = new Map<Storage, number>();

  constructor(voice: Pick<Voice, 'say'>) {
    this.#voice = voice;
  }

  /** What waits to be said, in bytes. */
  get bytes(): number {
    return this.#end - this.#start;
  }

  /**
   * Says `span[start, end)`, of which the first `headerBytes` are headers.
   *
   * @param reply where to; a literal subject
   * @param storage what has to be committed first, as far as it has been asked to; null for nothing
   */
  add(reply: Place, span: Span, start: number, end: number, headerBytes: number, storage: Storage | null): void {
    const replyBytes = reply.end - reply.start;
    const total = headBytes + replyBytes + end - start + lineEnd.bytes.length;
    this.#makeRoom(total);
    const { view } = this.#span;
    const at = this.#end;
    view.setUint32(at + totalAt, total, true);
    view.setUint32(at + replyAt, replyBytes, true);
    view.setUint32(at + headersAt, headerBytes, true);
    view.setUint32(at + waitingAt, storage === null ? 0 : this.#numberOf(storage), true);
    view.setFloat64(at + positionAt, storage === null ? 0 : storage.position, true);
    const messageAt = copySpan(this.#span, at + headBytes, reply.span, reply.start, reply.end);
    const endAt = copySpan(this.#span, messageAt, span, start, end);
    this.#end = copySpan(this.#span, endAt, lineEnd, 0, lineEnd.bytes.length);
    assert(this.#end === at + total, 'an answer takes what was counted');
  }

  /** Says what may be said; returns whether there is more that need not wait for a commit. */
  doWork(): boolean {
    for (let held = 0; this.#start < this.#end; ) {
      const at = this.#start;
      const total = this.#span.view.getUint32(at + totalAt, true);
      if (!this.#isCommitted(at)) return false;
      const said = this.#say(at, total);
      if (said === 'no-room') return true;
      if (said !== 'held') this.#start += total;
      // who wants to be waited for keeps nobody else waiting
      else if (held++ >= heldMax || !this.#putOff(at, total)) return true;
    }
    this.#clear();
    return false;
  }

  #clear(): void {
    this.#start = this.#end = 0;
    if (this.#numbers.size > 0) {
      this.#storages.length = 1;
      this.#numbers.clear();
    }
    if (this.#span.bytes.length > answerBytesKept) this.#span = new Span(new Uint8Array(answerBytesMin));
  }

  #isCommitted(at: number): boolean {
    const storage = this.#storages[this.#span.view.getUint32(at + waitingAt, true)];
    return storage === null || storage.committed >= this.#span.view.getFloat64(at + positionAt, true);
  }

  #say(at: number, total: number): ReturnType<Voice['say']> {
    const { view } = this.#span;
    const replyStart = at + headBytes;
    const messageStart = replyStart + view.getUint32(at + replyAt, true);
    this.#message.set(this.#span, messageStart, at + total - lineEnd.bytes.length);
    this.#message.setHeaders(view.getUint32(at + headersAt, true));
    return this.#voice.say(this.#span, replyStart, messageStart, this.#message);
  }

  /** Moves the first answer behind all others; drops it when much waits. Returns whether there are others. */
  #putOff(at: number, total: number): boolean {
    const alone = total === this.bytes;
    if (alone) return false;
    this.#start += total;
    if (this.bytes > heldBytesMax) return true;
    const copy = new Span(this.#span.bytes.slice(at, at + total));
    this.#makeRoom(total);
    this.#end = copySpan(this.#span, this.#end, copy, 0, total);
    return true;
  }

  #numberOf(storage: Storage): number {
    let number = this.#numbers.get(storage);
    if (number === undefined) {
      number = this.#storages.push(storage) - 1;
      this.#numbers.set(storage, number);
    }
    return number;
  }

  #makeRoom(neededBytes: number): void {
    if (this.#end + neededBytes <= this.#span.bytes.length) return;
    const { bytes: usedBytes } = this;
    const old = this.#span;
    if (2 * (usedBytes + neededBytes) > old.bytes.length)
      this.#span = new Span(new Uint8Array(2 * Math.max(old.bytes.length, usedBytes + neededBytes)));
    this.#span.bytes.set(old.bytes.subarray(this.#start, this.#end));
    this.#start = 0;
    this.#end = usedBytes;
  }
}

/** How many of those who want to be waited for are put off in one turn, and how much may wait for them, in bytes. */
const heldMax = 64;
const heldBytesMax = 1024 * 1024;
