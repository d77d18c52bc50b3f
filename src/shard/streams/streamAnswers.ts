import { assert } from '../../base/assert.js';
import { latin1Bytes } from '../../base/bytes.js';
import { MessageView } from '../../base/messageView.js';
import type { Role } from '../../base/role.js';
import { copySpan, type Place, Span } from '../../base/span.js';
import type { Stream } from '../../stream/stream.js';
import type { Said, Voice } from '../voice.js';
import { entryKind, kindAt } from './answerEntry.js';
import { CommitQueue } from './commitQueue.js';
import type { AckTexts } from './pubAck.js';
import { PubAckEntries } from './pubAckEntries.js';

// An answer:
//
//   0            4           8            12
//   | kind u32   | reply u32 | headers u32 | reply, headers and payload, CR LF
//
const replyAt = kindAt + 4;
const headersAt = replyAt + 4;
const headBytes = headersAt + 4;
const lineEnd = new Span(new Uint8Array([13, 10]));

/** What a shard is to say for its streams, in order: each when what it tells of is committed. */
export class StreamAnswers implements Role {
  readonly #voice: Pick<Voice, 'say' | 'sayAll'>;
  readonly #texts: AckTexts;
  readonly #queue = new CommitQueue();
  readonly #acks = new PubAckEntries(this.#queue);
  readonly #message = new MessageView();

  constructor(voice: Pick<Voice, 'say' | 'sayAll'>, texts: AckTexts) {
    this.#voice = voice;
    this.#texts = texts;
  }

  /** What waits to be said, in bytes. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  /** Called now and then. */
  tidy(): void {
    this.#queue.tidy();
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
   * @param kind of the entry
   */
  add(
    reply: Place,
    span: Span,
    start: number,
    end: number,
    headerBytes: number,
    stream: Stream | null,
    kind: number = entryKind.answer,
  ): void {
    this.#acks.seal();
    const replyBytes = reply.end - reply.start;
    const total = headBytes + replyBytes + end - start + lineEnd.bytes.length;
    const at = this.#queue.add(total, stream);
    const target = this.#queue.span;
    target.view.setUint32(at + kindAt, kind, true);
    target.view.setUint32(at + replyAt, replyBytes, true);
    target.view.setUint32(at + headersAt, headerBytes, true);
    const messageAt = copySpan(target, at + headBytes, reply.span, reply.start, reply.end);
    const endAt = copySpan(target, messageAt, span, start, end);
    assert(
      copySpan(target, endAt, lineEnd, 0, lineEnd.bytes.length) === at + total,
      'an answer takes what was counted',
    );
  }

  /**
   * Says that `count` messages of a run from `from` on were taken, under sequences that follow each other. What is added in one turn for
   * messages that follow each other waits for the commit of all of them.
   *
   * @param prefix what the texts begin with, of at most `ackRunPartBytesMax`, the same object for all of a stream
   * @returns false where a reply is too long for that: then its text is to be added as any other
   */
  addAcks(
    prefix: Place,
    first: number,
    message: MessageView,
    from: number,
    count: number,
    stream: Stream | null,
  ): boolean {
    return this.#acks.add(prefix, first, message, from, count, stream);
  }

  /** Says what may be said; returns whether there is more that need not wait for a commit. */
  doWork(): boolean {
    const queue = this.#queue;
    this.#acks.seal();
    for (let held = 0; queue.bytes > 0; ) {
      if (queue.firstCommit === 'waiting') return false;
      const said = this.#sayFirst();
      if (said === 'no-room') return true;
      // who wants to be waited for keeps nobody else waiting
      if (said === 'held' && (held++ >= heldMax || !this.#putOff())) return true;
    }
    return false;
  }

  /** Says the first entry, or as much of it as may be; what was said is not there any more. */
  #sayFirst(): Said {
    const kind = this.#firstKind;
    if (kind === entryKind.acks) return this.#sayAcks();
    const { span, first: at, firstEnd, firstCommit } = this.#queue;
    if (kind === entryKind.notice && firstCommit === 'failed') {
      this.#queue.drop();
      return 'nobody';
    }
    const replyStart = at + headBytes;
    const messageStart = replyStart + span.view.getUint32(at + replyAt, true);
    const headerBytes = span.view.getUint32(at + headersAt, true);
    if (firstCommit === 'failed') this.#setFailed(headerBytes > 0);
    else {
      this.#message.set(span, messageStart, firstEnd - lineEnd.bytes.length);
      this.#message.setHeaders(headerBytes);
    }
    const said = this.#voice.say(span, replyStart, messageStart, this.#message);
    if (said !== 'no-room' && said !== 'held') this.#queue.drop();
    return said;
  }

  get #firstKind(): number {
    return this.#queue.span.view.getUint32(this.#queue.first + kindAt, true);
  }

  #sayAcks(): Said {
    const run = this.#acks.show();
    const isFailed = this.#queue.firstCommit === 'failed';
    const said = isFailed ? 'apart' : this.#voice.sayAll(run);
    if (said === 'apart') return this.#sayApart(run, isFailed);
    if (said !== 'no-room') this.#acks.drop(run.count);
    return said;
  }

  /** Says acknowledgements one by one. */
  #sayApart(run: MessageView, isFailed: boolean): Said {
    const { span, starts, ends, replyStarts, replyEnds, count } = run;
    for (let i = 0; i < count; i++) {
      if (isFailed) this.#setFailed(false);
      else this.#message.set(span, starts[i], ends[i]);
      const said = this.#voice.say(span, replyStarts[i], replyEnds[i], this.#message);
      if (said !== 'no-room' && said !== 'held') continue;
      this.#acks.drop(i);
      return said;
    }
    this.#acks.drop(count);
    return 'said';
  }

  /** What was asked of a stream will never be committed: whoever waits for it is told. */
  #setFailed(withHeaders: boolean): void {
    const text = this.#texts.failed(this.#queue.firstStream as Stream, withHeaders);
    this.#message.set(new Span(latin1Bytes(`${text}\r\n`)), 0, text.length);
    this.#message.setHeaders(withHeaders ? text.length : 0);
  }

  /** Moves the first answer behind all others; drops it when much waits. Returns whether there are others. */
  #putOff(): boolean {
    const queue = this.#queue;
    if (this.#firstKind === entryKind.acks && !this.#acks.isLastOne) return this.#putOffAck();
    if (queue.isLast) return false;
    if (this.bytes > heldBytesMax) queue.drop();
    else queue.putOff();
    return true;
  }

  /** The same of the first of several acknowledgements. */
  #putOffAck(): boolean {
    const { span, starts, ends, replyStarts, replyEnds } = this.#acks.show();
    if (this.bytes <= heldBytesMax) {
      const reply = { span, start: replyStarts[0], end: replyEnds[0] };
      const stream = this.#queue.firstCommit === 'failed' ? this.#queue.firstStream : null;
      this.add(reply, span, starts[0], ends[0], 0, stream);
    }
    this.#acks.drop(1);
    return true;
  }
}

/** How many of those who want to be waited for are put off in one turn, and how much may wait for them, in bytes. */
const heldMax = 64;
const heldBytesMax = 1024 * 1024;
