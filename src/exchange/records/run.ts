import { assert } from '../../base/assert.js';
import { runMessagesMax } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { copySpan } from '../../base/span.js';
import type { Work } from '../../base/work.js';
import { alignRecord } from '../../ring/layout.js';
import type { LaneReader } from '../laneReader.js';
import type { LaneWriter } from '../laneWriter.js';
import type { ExchangeQueue, ExchangeTopic } from '../roles.js';
import { kindMask, recordKind } from './kinds.js';

/*
 * Consecutive messages of one topic (`run`), or each for one member of a queue group (`queueRun`), and flags above the kind:
 *
 *     0        4              8       12      16       20      24
 *     | length | kind, flags, returns | topic | count | sender | queue | messages ... |
 *
 * Each message begins at a multiple of 4:
 *
 *     0              4                    (4 or 8)                (8 or 12)
 *     | body's bytes | reply's, if flagged | headers', if flagged | reply, body, CR LF |
 *
 * `sender` is the connection that must not get them, or 0; if flagged, the token of the synchronous publish that it is.
 * If flagged, who asks stands before the only message, of `queue` bytes, aligned to 4.
 * The body is the headers block and the payload. Its length is 24 and the messages, aligned.
 */
const topicWord = 2;
const countWord = 3;
const senderWord = 4;
const queueWord = 5;
const headerBytes = 24;

const flagReply = 0x100;
const flagHeaders = 0x200;
/** It is a dead letter. */
const flagDead = 0x400;
/** It is for a group whose members bound what they have in flight, and is not lost with the last of them. */
const flagWork = 0x800;
const flagSync = 0x1000;
const flagCaller = 0x2000;
/** Above the flags: how often each of the messages has come back, at most `returnsMax`. */
const returnsShift = 16;

/** A run that is still open grows no further than this, so that the reader's work between two looks is bounded. */
const runBytesMax = 16 * 1024;

/** Writes runs into a lane, and remembers the open one: the record that the next message may join. */
export class RunWriter {
  readonly #lane: LaneWriter;
  #topicSerial = 0;
  #queueSerial = 0;
  #kind = 0;
  #sender = 0;
  #count = 0;
  #index = 0;
  #usedBytes = 0;
  #lengthBytes = 0;

  constructor(lane: LaneWriter) {
    this.#lane = lane;
  }

  /** Something else follows: nothing joins the open run. */
  close(): void {
    this.#topicSerial = 0;
  }

  /** Adds a message to the open run if it is of the same kind. */
  join(topic: ExchangeTopic, queueSerial: number, message: MessageView, index: number): boolean {
    if (this.#topicSerial !== topic.serial || this.#queueSerial !== queueSerial) return false;
    if (this.#sender !== senderOf(message)) return false;
    const kind = runKind(queueSerial !== 0, message);
    if (this.#kind !== kind) return false;
    const usedBytes = this.#usedBytes + messageBytes(message, index);
    if (usedBytes > runBytesMax || this.#count === runMessagesMax) return false;
    const lengthBytes = alignRecord(usedBytes);
    const more = lengthBytes - this.#lengthBytes;
    if (more > 0 && !this.#lane.extend(more)) return false;
    const word = this.#index >> 2;
    this.#write(this.#index + this.#usedBytes, message, index);
    this.#usedBytes = usedBytes;
    this.#lengthBytes = lengthBytes;
    this.#lane.words[word] = lengthBytes;
    this.#lane.words[word + countWord] = ++this.#count;
    return true;
  }

  /**
   * Begins a run with a message whose topic and queue group the reader knows.
   *
   * @param must whether it has to be taken, whatever the lane's state
   * @returns whether it was
   */
  begin(
    topic: ExchangeTopic,
    queue: ExchangeQueue | null,
    message: MessageView,
    messageIndex: number,
    must: boolean,
  ): boolean {
    const { caller } = message;
    const messagesAt = headerBytes + (caller === null ? 0 : callerBytes(caller.length));
    const usedBytes = messagesAt + messageBytes(message, messageIndex);
    const lengthBytes = alignRecord(usedBytes);
    const lane = this.#lane;
    this.#topicSerial = 0;
    if (!must && lengthBytes <= lane.inlineBytesMax) {
      if (!lane.tryBegin(lengthBytes)) return false;
    } else {
      lane.begin(lengthBytes);
    }
    const kind = runKind(queue !== null, message);
    const { words, index } = lane;
    const word = index >> 2;
    words[word] = lengthBytes;
    words[word + 1] = kind;
    words[word + topicWord] = topic.slot;
    words[word + countWord] = 1;
    words[word + senderWord] = senderOf(message);
    words[word + queueWord] = queue === null ? 0 : queue.slot;
    if (caller !== null) this.#writeCaller(caller, queue);
    this.#write(index + messagesAt, message, messageIndex);
    // nothing joins a request of which it is told who asks
    this.#topicSerial = caller === null ? topic.serial : 0;
    this.#queueSerial = queue === null ? 0 : queue.serial;
    this.#kind = kind;
    this.#sender = words[word + senderWord];
    this.#count = 1;
    this.#index = index;
    this.#usedBytes = usedBytes;
    this.#lengthBytes = lengthBytes;
    return true;
  }

  #writeCaller(caller: Uint8Array, queue: ExchangeQueue | null): void {
    const { span, words, index } = this.#lane;
    assert(queue === null, 'a request goes to its shard, and to no group');
    words[(index >> 2) + queueWord] = caller.length;
    span.bytes.set(caller, index + headerBytes);
  }

  #write(at: number, message: MessageView, index: number): void {
    const { span, words } = this.#lane;
    const replyBytes = message.replyBytes(index);
    const headersBytes = message.headerBytes(index);
    let word = at >> 2;
    const start = message.starts[index];
    const end = message.ends[index];
    words[word++] = end - start;
    if (replyBytes !== 0) words[word++] = replyBytes;
    if (headersBytes !== 0) words[word++] = headersBytes;
    let position = word << 2;
    if (replyBytes !== 0)
      position = copySpan(span, position, message.span, message.replyStarts[index], message.replyEnds[index]);
    copySpan(span, position, message.span, start, end + lineEndBytes);
  }
}

/** Reads runs, as many messages at a time as the share of work lasts for. */
export class RunReader {
  readonly message = new MessageView();
  readonly #lane: LaneReader;
  readonly #work: Work;
  /** Of a run some of which was taken: its kind, else 0; how many messages were, and where the next one begins. */
  #kind = 0;
  #taken = 0;
  #position = 0;

  constructor(lane: LaneReader, work: Work) {
    this.#lane = lane;
    this.#work = work;
  }

  /** The kind of the run some of which was taken; 0 when there is none. */
  get kind(): number {
    return this.#kind;
  }

  /** Where in the lane's span the next message of such a run begins. */
  get position(): number {
    return this.#position;
  }

  /** The number of the topic of the run found last. */
  get topic(): number {
    return this.#lane.words[(this.#lane.index >> 2) + topicWord];
  }

  /** The number of its queue group. */
  get queue(): number {
    return this.#lane.words[(this.#lane.index >> 2) + queueWord];
  }

  /** What a message of the run found last takes of it, on average, in bytes. */
  get messageBytes(): number {
    const { words, index } = this.#lane;
    return words[index >> 2] / words[(index >> 2) + countWord];
  }

  /**
   * Shows the next messages of the run found last in `message`, one at least.
   *
   * @param units what each of them costs
   * @returns whether they are the last ones
   */
  take(kind: number, units: number): boolean {
    const { span, words, index } = this.#lane;
    const word = index >> 2;
    const total = words[word + countWord];
    const count = this.#work.affordable(units, total - this.#taken);
    const message = this.message;
    message.span = span;
    message.count = count;
    const sync = (kind & flagSync) !== 0;
    message.exceptConnection = sync ? 0 : words[word + senderWord];
    message.syncToken = sync ? words[word + senderWord] : 0;
    message.withReplies = (kind & flagReply) !== 0;
    message.withHeaders = (kind & flagHeaders) !== 0;
    message.returns = kind >>> returnsShift;
    message.dead = (kind & flagDead) !== 0;
    message.work = (kind & flagWork) !== 0;
    message.caller = (kind & flagCaller) === 0 ? null : this.#caller();
    const extras = kind & (flagReply | flagHeaders);
    let position = this.#taken === 0 ? index + this.#messagesAt(message) : this.#position;
    for (let i = 0; i < count; i++) {
      let head = position >> 2;
      const bodyBytes = words[head++];
      let start = head << 2;
      if (extras !== 0) {
        const replyBytes = (kind & flagReply) !== 0 ? words[head++] : 0;
        if ((kind & flagHeaders) !== 0) message.headerLengths[i] = words[head++];
        const replyStart = head << 2;
        start = replyStart + replyBytes;
        message.replyStarts[i] = replyStart;
        message.replyEnds[i] = start;
      }
      message.starts[i] = start;
      message.ends[i] = start + bodyBytes;
      position = (start + bodyBytes + lineEndBytes + 3) & ~3;
    }
    this.#work.units += count;
    this.#taken = (this.#taken + count) % total;
    this.#position = position;
    const whole = this.#taken === 0;
    this.#kind = whole ? 0 : kind;
    return whole;
  }

  #caller(): Uint8Array {
    const { span, index } = this.#lane;
    return span.bytes.slice(index + headerBytes, index + headerBytes + this.queue);
  }

  #messagesAt({ caller }: MessageView): number {
    return headerBytes + (caller === null ? 0 : callerBytes(caller.length));
  }
}

function runKind(queue: boolean, message: MessageView): number {
  return (
    (queue ? recordKind.queueRun : recordKind.run) |
    (message.withReplies ? flagReply : 0) |
    (message.withHeaders ? flagHeaders : 0) |
    (message.returns << returnsShift) |
    (message.dead ? flagDead : 0) |
    (message.work ? flagWork : 0) |
    (message.syncToken !== 0 ? flagSync : 0) |
    (message.caller !== null ? flagCaller : 0)
  );
}

/** What a caller takes of a record, in bytes. */
function callerBytes(lengthBytes: number): number {
  return (lengthBytes + 3) & ~3;
}

function senderOf({ exceptConnection, syncToken }: MessageView): number {
  return syncToken !== 0 ? syncToken : exceptConnection;
}

/** Whether the messages of a run are each for one member of a queue group. */
export function isQueueRun(kind: number): boolean {
  return (kind & kindMask) === recordKind.queueRun;
}

/** Whether the messages of a run may have headers. */
export function hasHeaders(kind: number): boolean {
  return (kind & flagHeaders) !== 0;
}

/** What message `index` takes in a run, in bytes, a multiple of 4. */
function messageBytes(message: MessageView, index: number): number {
  const replyBytes = message.replyBytes(index);
  const headBytes = 4 + (message.withReplies ? 4 : 0) + (message.withHeaders ? 4 : 0);
  return headBytes + ((replyBytes + message.ends[index] - message.starts[index] + lineEndBytes + 3) & ~3);
}
