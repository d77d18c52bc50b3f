import { assert } from '../../base/assert.js';
import { latin1Bytes } from '../../base/bytes.js';
import { MessageView } from '../../base/messageView.js';
import type { Role } from '../../base/role.js';
import { copySpan, type Place, Span } from '../../base/span.js';
import type { Stream } from '../../stream/stream.js';
import type { Said, Voice } from '../voice.js';
import { CommitQueue } from './commitQueue.js';
import type { AckTexts } from './pubAck.js';

// What is to be said:
//
//   0            4
//   | reply u32  | headers u32  | reply, headers and payload, CR LF
//
const replyAt = 0;
const headersAt = replyAt + 4;
const headBytes = headersAt + 4;
const lineEnd = new Span(new Uint8Array([13, 10]));

/** What a shard is to say for its streams, in order: each when what it tells of is committed. */
export class Answers implements Role {
  readonly #voice: Pick<Voice, 'say'>;
  readonly #texts: AckTexts;
  readonly #queue = new CommitQueue();
  readonly #message = new MessageView();

  constructor(voice: Pick<Voice, 'say'>, texts: AckTexts) {
    this.#voice = voice;
    this.#texts = texts;
  }

  /** What waits to be said, in bytes. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  /** What need not wait for a commit any more, or all that waits, in bytes. */
  get sayableBytes(): number {
    return this.bytes === 0 || this.#queue.firstCommit === 'waiting' ? 0 : this.bytes;
  }

  /**
   * Says `span[start, end)`, of which the first `headerBytes` are headers.
   *
   * @param reply where to; a literal subject
   * @param stream what has to be committed first, as far as it has been asked to; null for nothing
   */
  add(reply: Place, span: Span, start: number, end: number, headerBytes: number, stream: Stream | null): void {
    const replyBytes = reply.end - reply.start;
    const total = headBytes + replyBytes + end - start + lineEnd.bytes.length;
    const at = this.#queue.add(total, stream);
    const target = this.#queue.span;
    target.view.setUint32(at + replyAt, replyBytes, true);
    target.view.setUint32(at + headersAt, headerBytes, true);
    const messageAt = copySpan(target, at + headBytes, reply.span, reply.start, reply.end);
    const endAt = copySpan(target, messageAt, span, start, end);
    assert(
      copySpan(target, endAt, lineEnd, 0, lineEnd.bytes.length) === at + total,
      'an answer takes what was counted',
    );
  }

  /** Says what may be said; returns whether there is more that need not wait for a commit. */
  doWork(): boolean {
    const queue = this.#queue;
    for (let held = 0; queue.bytes > 0; ) {
      if (queue.firstCommit === 'waiting') return false;
      const said = this.#sayFirst();
      if (said === 'no-room') return true;
      if (said !== 'held') queue.drop();
      // who wants to be waited for keeps nobody else waiting
      else if (held++ >= heldMax || !this.#putOff()) return true;
    }
    return false;
  }

  #sayFirst(): Said {
    const { span, first: at, firstEnd } = this.#queue;
    const replyStart = at + headBytes;
    const messageStart = replyStart + span.view.getUint32(at + replyAt, true);
    const headerBytes = span.view.getUint32(at + headersAt, true);
    if (this.#queue.firstCommit === 'failed') this.#setFailed(headerBytes > 0);
    else {
      this.#message.set(span, messageStart, firstEnd - lineEnd.bytes.length);
      this.#message.setHeaders(headerBytes);
    }
    return this.#voice.say(span, replyStart, messageStart, this.#message);
  }

  /** What was asked of a stream will never be committed: whoever waits for it is told. */
  #setFailed(withHeaders: boolean): void {
    const text = this.#texts.failed(this.#queue.firstStream as Stream, withHeaders);
    this.#message.set(new Span(latin1Bytes(`${text}\r\n`)), 0, text.length);
    this.#message.setHeaders(withHeaders ? text.length : 0);
  }

  /** Moves the first answer behind all others; drops it when much waits. Returns whether there are others. */
  #putOff(): boolean {
    if (this.#queue.isLast) return false;
    if (this.bytes > heldBytesMax) this.#queue.drop();
    else this.#queue.putOff();
    return true;
  }
}

/** How many of those who want to be waited for are put off in one turn, and how much may wait for them, in bytes. */
const heldMax = 64;
const heldBytesMax = 1024 * 1024;
