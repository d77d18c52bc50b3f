import {
  clientScratchBytes,
  clientWaitingBytesMax,
  memoryScanMs,
  publishFlushBytes,
  runMessagesMax,
} from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import { OwnMessage, ownBytes } from '../base/ownMessage.js';
import { Shown } from '../base/shown.js';
import { Span } from '../base/span.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Shortage } from '../exchange/shortage.js';
import { publishDenied } from '../protocol/errors.js';
import { type Hold, Waiter } from '../router/holds.js';
import type { Rights } from '../router/rights.js';
import type { Router } from '../router/router.js';
import { noHome, type Topic } from '../router/topic.js';
import {
  AbortedError,
  ClosedError,
  PayloadTooLargeError,
  PermissionError,
  SubjectError,
  TopicFullError,
  UnknownTopicError,
} from './errors.js';
import { publicSubject } from './subjects.js';
import type { SyncPublishes } from './syncPublishes.js';

/** A message that waits for its topic to take it. */
interface Waiting {
  readonly message: OwnMessage;
  readonly span: Span;
  /** Resolves when it has left the line, either way. */
  readonly settled: Promise<void>;
  resolve(sequenced: Promise<boolean>): void;
  reject(error: Error): void;
}

/** What was published between two looks, and how far the lanes stood then. */
interface Batch {
  marks: Int32Array | null;
  readonly sequenced: Promise<boolean>;
  resolve(): void;
  reject(error: Error): void;
}

/** Gives a text to this thread's subscribers of a reply subject. */
export type Answer = (reply: Uint8Array, text: string) => void;

/** The publishing half of an endpoint: to the lanes at once, or in line behind what waits for the same topic. */
export class Publisher {
  maxPayloadBytes: number;
  readonly #router: Router;
  readonly #exchange: Exchange<Topic>;
  readonly #requestTurn: () => void;
  readonly #view = new MessageView();
  /** The address that a message is for. */
  readonly #shown = new Shown();
  #scratch = new Span(new Uint8Array(clientScratchBytes));
  /** By subject, in the order of their calls. */
  readonly #waiting = new Map<string, Waiting[]>();
  #waitingBytes = 0;
  /** What was published since the last look; null when nobody wants to know. */
  #open: Batch | null = null;
  readonly #marked: Batch[] = [];
  #unflushedBytes = 0;
  /** Whether a publish is taken; null while all are. */
  #accepts: (() => boolean) | null = null;
  /** What this thread is to those that hold publishers up. */
  readonly #waiter = new Waiter();
  /** Whether handlers of this thread have work of a group in hand. */
  readonly #isBusy: () => boolean;
  readonly #answer: Answer;
  /** What this thread may do; null where nothing is forbidden. */
  readonly #rights: Rights | null;
  readonly #stores: Pick<SyncPublishes, 'store'>;
  /** While memory is short publishes wait. */
  readonly #shortage: Shortage;

  constructor(
    router: Router,
    exchange: Exchange<Topic>,
    maxPayloadBytes: number,
    requestTurn: () => void,
    isBusy: () => boolean,
    answer: Answer,
    rights: Rights | null,
    shortage: Shortage,
    stores: Pick<SyncPublishes, 'store'>,
  ) {
    this.#stores = stores;
    this.#shortage = shortage;
    this.#answer = answer;
    this.#rights = rights;
    this.#router = router;
    this.#exchange = exchange;
    this.maxPayloadBytes = maxPayloadBytes;
    this.#requestTurn = requestTurn;
    this.#isBusy = isBusy;
  }

  /** Messages that wait for their topics. */
  get waiting(): number {
    let waiting = 0;
    for (const line of this.#waiting.values()) waiting += line.length;
    return waiting;
  }

  /** Whether nothing waits and nobody waits for the order of anything. */
  get quiet(): boolean {
    return this.#waiting.size === 0 && this.#open === null && this.#marked.length === 0;
  }

  /**
   * Publishes if there is room now.
   *
   * @returns false when the topic or the way to it is full; nothing has happened then
   * @throws PermissionError, UnknownTopicError, PayloadTooLargeError, ClosedError; SubjectError for what asks a gateway, and is no request
   */
  offer(topic: Topic, headers: Uint8Array, payload: Uint8Array, reply: Uint8Array): boolean {
    this.#check(topic, headers.length + payload.length);
    if (topic.endpoint?.answerer === 'gateway') return this.#answerHere(topic, reply, 0);
    if (!topic.goes) return true;
    if (mustWait(this.#holdOf(topic, false)) || (this.#waiting.size > 0 && this.#waiting.has(topic.text))) return false;
    this.#fill(headers, payload, reply, 0);
    return this.#send(topic, this.#view);
  }

  /**
   * Publishes, now or when there is room.
   *
   * @param token of a synchronous publish, else 0
   * @returns resolves when its shard has put it in order; with false when nobody wanted it
   * @throws as `offer`; TopicFullError when the topic refuses while it is full, or too much waits already
   */
  publish(
    topic: Topic,
    headers: Uint8Array,
    payload: Uint8Array,
    reply: Uint8Array,
    token: number,
    signal: AbortSignal | null,
  ): Promise<boolean> {
    this.#check(topic, headers.length + payload.length);
    return this.#publish(topic, headers, payload, reply, token, signal);
  }

  /** What may be published is. */
  #publish(
    topic: Topic,
    headers: Uint8Array,
    payload: Uint8Array,
    reply: Uint8Array,
    token: number,
    signal: AbortSignal | null,
  ): Promise<boolean> {
    const lengthBytes = headers.length + payload.length;
    if (topic.endpoint?.answerer === 'gateway') return Promise.resolve(this.#answerHere(topic, reply, token));
    if (!topic.goes) {
      // not before the turn has ended: who publishes in a loop must not keep out whoever is about to subscribe
      this.#requestTurn();
      return this.#whenDone(topic);
    }
    const hold = this.#holdOf(topic, !topic.refuses);
    if (hold !== 'goes' && hold !== 'parks' && topic.refuses) throw new TopicFullError(publicSubject(topic.text));
    const line = this.#waiting.get(topic.text);
    this.#fill(headers, payload, reply, token);
    if (line === undefined && !mustWait(hold) && this.#send(topic, this.#view)) return this.#whenDone(topic);
    if (this.#waitingBytes + lengthBytes > clientWaitingBytesMax) throw new TopicFullError(publicSubject(topic.text));
    return this.#wait(topic, signal);
  }

  /**
   * Publishes as `publish`, for whoever hears of nothing else what becomes of the message.
   *
   * @returns resolves when it is in order and, where a stream takes it, stored; with false when nobody wanted it
   * @throws as `publish`; rejects with StreamError when the stream does not store it
   */
  publishStored(
    topic: Topic,
    headers: Uint8Array,
    payload: Uint8Array,
    reply: Uint8Array,
    signal: AbortSignal | null,
  ): Promise<boolean> {
    this.#check(topic, headers.length + payload.length);
    if (!topic.captured) return this.#publish(topic, headers, payload, reply, 0, signal);
    return optional(this.#stores.store((token) => this.#publish(topic, headers, payload, reply, token, signal)));
  }

  /** Resolves when everything published so far, and everything that waits in line now, is in order. */
  async settled(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all([...this.#waiting.values()].map((line) => line.at(-1)!.settled));
    this.#requestTurn();
    await this.#whenSequenced();
  }

  /** A turn's part: what waited is tried again, and what has been put in order is told. */
  doWork(): void {
    for (const [subject, line] of this.#waiting) this.#retry(subject, line);
    this.#mark();
    while (this.#marked.length > 0 && this.#exchange.isSequenced(this.#marked[0].marks as Int32Array))
      this.#marked.shift()!.resolve();
  }

  /** From now on takes what is published while `accepts` says so. */
  beginStop(accepts: () => boolean): void {
    this.#accepts ??= accepts;
  }

  /** Takes no more. What waits is still published if there is time. */
  close(): void {
    this.#accepts = () => false;
  }

  /** Gives up what was not published. */
  abandon(): void {
    const error = new ClosedError();
    for (const line of this.#waiting.values()) for (const waiting of line) waiting.reject(error);
    this.#waiting.clear();
    for (const batch of this.#marked.splice(0)) batch.reject(error);
    this.#open?.reject(error);
    this.#open = null;
  }

  #check(topic: Topic, lengthBytes: number): void {
    if (this.#accepts?.() === false) throw new ClosedError();
    // what others announced before they caused this must be known
    this.#exchange.drainControl();
    this.#router.freshen(topic);
    if (this.#rights !== null && !this.#rights.mayPublish(topic))
      throw new PermissionError(publishDenied(publicSubject(topic.text)).text);
    if (!topic.allowed) throw new UnknownTopicError(publicSubject(topic.text));
    if (lengthBytes > this.maxPayloadBytes)
      throw new PayloadTooLargeError(publicSubject(topic.text), lengthBytes, this.maxPayloadBytes);
  }

  /** Answers what asks the gateway of a connection: there is none. */
  #answerHere(topic: Topic, reply: Uint8Array, token: number): true {
    if (reply.length === 0 || token !== 0)
      throw new SubjectError(`nobody can publish to ${topic.text} in the process: subscribe with options`);
    this.#answer(reply, noConnection);
    return true;
  }

  #fill(headers: Uint8Array, payload: Uint8Array, reply: Uint8Array, token: number): void {
    const neededBytes = reply.length + headers.length + payload.length + 2;
    if (neededBytes > this.#scratch.bytes.length) this.#scratch = new Span(new Uint8Array(neededBytes * 2));
    const { bytes } = this.#scratch;
    const start = reply.length;
    const payloadStart = start + headers.length;
    const end = payloadStart + payload.length;
    if (start > 0) bytes.set(reply);
    if (payloadStart > start) bytes.set(headers, start);
    bytes.set(payload, payloadStart);
    bytes[end] = 13;
    bytes[end + 1] = 10;
    const view = this.#view;
    view.set(this.#scratch, start, end);
    view.setReply(0, start);
    view.setHeaders(headers.length);
    view.syncToken = token;
  }

  #holdOf(topic: Topic, stays: boolean): Hold {
    const { holds } = this.#router;
    if (this.#shortage.short) {
      // nobody tells this thread when there is room again
      holds.dueMs = Math.min(holds.dueMs, performance.now() + memoryScanMs);
      return 'parks';
    }
    // others who take a request to the broker itself hold it up for nobody
    if (holds.active === 0 || topic.served) return 'goes';
    this.#waiter.busy = this.#isBusy();
    const hold = holds.ask(topic, this.#waiter, stays);
    // others of this thread publish, too, that have no work in hand
    return hold === 'refuses' ? 'waits' : hold;
  }

  /** Sends a message for an address without naming that as a topic; null when it has to be published as to one. */
  #sendToAddress(topic: Topic, view: MessageView): boolean | null {
    if (topic.home === noHome || this.#rights !== null || view.withReplies || view.syncToken !== 0) return null;
    const { span, start, end } = topic;
    const inbox = this.#router.inboxes.find(span, start, end, topic.account);
    if (inbox === null) return null;
    this.#router.freshen(inbox);
    if (!this.#router.inboxes.serves(inbox, span, start, end)) return null;
    this.#shown.setBytes(span, start, end - start, 0);
    view.shown = this.#shown;
    const answered = this.#exchange.shards[inbox.owner].answer(inbox, view);
    view.shown = null;
    return answered === 'as-topic' ? null : answered === 'taken';
  }

  #send(topic: Topic, view: MessageView): boolean {
    const sent = this.#sendToAddress(topic, view) ?? this.#exchange.shards[topic.owner].publish(topic, view) === 1;
    this.#unflushedBytes += view.ends[0] - view.starts[0];
    // a loop that never ends its turn must not keep its messages from the shards
    if (!sent || this.#unflushedBytes > publishFlushBytes) this.flush();
    this.#requestTurn();
    return sent;
  }

  /** Makes what was published visible to the shards. */
  flush(): void {
    this.#unflushedBytes = 0;
    this.#exchange.publish();
  }

  #whenSequenced(): Promise<boolean> {
    this.#open ??= openBatch();
    return this.#open.sequenced;
  }

  #wait(topic: Topic, signal: AbortSignal | null): Promise<boolean> {
    const span = new Span(new Uint8Array(ownBytes(this.#view, 0)));
    const message = new OwnMessage();
    message.copy(this.#view, 0, span, 0);
    const subject = topic.text;
    const sequenced = new Promise<boolean>((resolve, reject) => {
      let leave!: () => void;
      const settled = new Promise<void>((onLeft) => {
        leave = onLeft;
      });
      const onAbort = (): void => this.#leaveLine(subject, waiting, new AbortedError(signal?.reason));
      const settle = (): void => {
        signal?.removeEventListener('abort', onAbort);
        leave();
      };
      const waiting: Waiting = {
        message,
        span,
        settled,
        resolve: (sequenced) => {
          settle();
          resolve(sequenced);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort);
      const line = this.#waiting.get(subject);
      if (line === undefined) this.#waiting.set(subject, [waiting]);
      else line.push(waiting);
      this.#waitingBytes += message.lengthBytes;
      this.#requestTurn();
    });
    return optional(sequenced);
  }

  #leaveLine(subject: string, waiting: Waiting, reason: Error): void {
    const line = this.#waiting.get(subject);
    const at = line === undefined ? -1 : line.indexOf(waiting);
    if (line === undefined || at < 0) return;
    line.splice(at, 1);
    if (line.length === 0) this.#waiting.delete(subject);
    this.#waitingBytes -= waiting.message.lengthBytes;
    waiting.reject(reason);
  }

  #retry(subject: string, line: Waiting[]): void {
    const topic = this.#router.topics.obtain(topicSpan(subject), 0, subject.length);
    this.#router.freshen(topic);
    let sent = 0;
    const most = mustWait(this.#holdOf(topic, true)) ? 0 : Math.min(line.length, runMessagesMax);
    for (; sent < most; sent++) {
      const waiting = line[sent];
      if (topic.goes && !this.#sendWaiting(topic, waiting)) break;
      this.#waitingBytes -= waiting.message.lengthBytes;
      waiting.resolve(this.#whenDone(topic));
    }
    line.splice(0, sent);
    if (line.length === 0) this.#waiting.delete(subject);
    else if (sent === runMessagesMax) this.#requestTurn();
  }

  /** Resolves when everything published so far is in order; with whether anybody takes the topic, not only keeps it. */
  #whenDone(topic: Topic): Promise<boolean> {
    return topic.answered ? this.#whenSequenced() : optional(this.#whenSequenced().then(() => false));
  }

  #sendWaiting(topic: Topic, waiting: Waiting): boolean {
    waiting.message.showAt(waiting.span, 0, this.#view);
    return this.#send(topic, this.#view);
  }

  #mark(): void {
    if (this.#open === null) return;
    const marks = this.#exchange.markPublished();
    if (marks === null) return;
    this.#open.marks = marks;
    this.#marked.push(this.#open);
    this.#open = null;
  }
}

function mustWait(hold: Hold): boolean {
  return hold === 'waits' || hold === 'parks';
}

/** The process has options of its own for all that clients of sockets ask for. */
const noConnection = JSON.stringify({ error: 'there is no connection in the process: subscribe with options' });

function topicSpan(subject: string): Span {
  return new Span(new Uint8Array(Buffer.from(subject, 'latin1')));
}

function openBatch(): Batch {
  let resolve!: (sent: true) => void;
  let reject!: (error: Error) => void;
  const sequenced = new Promise<boolean>((onDone, onFailure) => {
    resolve = onDone;
    reject = onFailure;
  });
  return { marks: null, sequenced: optional(sequenced), resolve: () => resolve(true), reject };
}

/** A publish's outcome for its publisher. Who does not keep it does not want to know: it is never an unhandled rejection. */
export function optional<T>(outcome: Promise<T>): Promise<T> {
  outcome.catch(() => {});
  return outcome;
}
