import { mainAccount, mainAccountName } from '../base/account.js';
import { clientScratchBytes, memoryScanMs, publishFlushBytes, runMessagesMax } from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import type { OwnMessage } from '../base/ownMessage.js';
import { Shown } from '../base/shown.js';
import { Span } from '../base/span.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Shortage } from '../exchange/shortage.js';
import { awaitedKind } from '../exchange/syncToken.js';
import type { ApiCaller } from '../protocol/apiAudit.js';
import { publishDenied } from '../protocol/errors.js';
import { userInfoSubject } from '../protocol/subject.js';
import { ApiAudience } from '../router/apiAudience.js';
import { type Hold, Waiter } from '../router/holds.js';
import { RequestLayout } from '../router/requestLayout.js';
import type { Rights } from '../router/rights.js';
import type { Router } from '../router/router.js';
import { noHome, type Topic } from '../router/topic.js';
import { kindOf } from '../router/traces.js';
import type { ClientTracing } from './clientTracing.js';
import {
  ClosedError,
  PayloadTooLargeError,
  PermissionError,
  SubjectError,
  TopicFullError,
  UnknownTopicError,
} from './errors.js';
import { noBytes } from './headers.js';
import { optional, Sequencing } from './sequencing.js';
import { publicSubject } from './subjects.js';
import type { SyncPublishes } from './syncPublishes.js';
import { WaitingLines } from './waitingLines.js';

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
  readonly #lines = new WaitingLines();
  readonly #sequencing: Sequencing;
  readonly #audience: ApiAudience;
  readonly #layout: RequestLayout;
  /** What is told of this thread where it asks for something of streams. */
  readonly #caller = Buffer.from(JSON.stringify(thisThread()));
  #unflushedBytes = 0;
  /** Whether a publish is taken; null while all are. */
  #accepts: (() => boolean) | null = null;
  /** What this thread is to those that hold publishers up. */
  readonly #waiter = new Waiter();
  /** Whether handlers of this thread have work of a group in flight. */
  readonly #isBusy: () => boolean;
  readonly #answer: Answer;
  /** What this thread may do; null where nothing is forbidden. */
  readonly #rights: Rights | null;
  readonly #syncs: Pick<SyncPublishes, 'store' | 'publish'>;
  /** While memory is short publishes wait. */
  readonly #shortage: Shortage;
  readonly #tracing: ClientTracing;

  constructor(
    router: Router,
    exchange: Exchange<Topic>,
    maxPayloadBytes: number,
    requestTurn: () => void,
    isBusy: () => boolean,
    answer: Answer,
    rights: Rights | null,
    shortage: Shortage,
    syncs: Pick<SyncPublishes, 'store' | 'publish'>,
    tracing: ClientTracing,
  ) {
    this.#tracing = tracing;
    this.#syncs = syncs;
    this.#shortage = shortage;
    this.#answer = answer;
    this.#rights = rights;
    this.#router = router;
    this.#audience = new ApiAudience(router);
    this.#layout = new RequestLayout(router, this.#audience);
    this.#exchange = exchange;
    this.#sequencing = new Sequencing(exchange);
    this.maxPayloadBytes = maxPayloadBytes;
    this.#requestTurn = requestTurn;
    this.#isBusy = isBusy;
  }

  /** Messages that wait for their topics. */
  get waiting(): number {
    return this.#lines.count;
  }

  /** Whether nothing waits and nobody waits for the order of anything. */
  get quiet(): boolean {
    return this.#lines.empty && this.#sequencing.quiet;
  }

  /**
   * Publishes if there is room now.
   *
   * @returns false when the topic or the way to it is full; nothing has happened then
   * @throws PermissionError, UnknownTopicError, PayloadTooLargeError, ClosedError; SubjectError for what asks a gateway, and is no request
   */
  offer(topic: Topic, headers: Uint8Array, payload: Uint8Array, reply: Uint8Array): boolean {
    this.#check(topic, headers.length + payload.length);
    const goes = topic.goes && topic.endpoint?.answerer !== 'gateway';
    if (goes && (mustWait(this.#holdOf(topic, false)) || this.#lines.has(topic.text))) return false;
    const token = headers.length === 0 ? 0 : this.#beginTrace(topic, headers, payload, reply);
    if (token === 'nothing') return true;
    if (topic.endpoint?.answerer === 'gateway') return this.#answerHere(topic, reply, 0);
    if (!topic.goes) return true;
    this.#fill(headers, payload, reply, token);
    const isSent = this.#send(topic, this.#view);
    if (!isSent) this.#tracing.cancel(token);
    return isSent;
  }

  /**
   * Publishes, now or when there is room.
   *
   * @returns resolves when its shard has put it in order; with false when nobody wanted it
   * @throws as `offer`; TopicFullError when the topic refuses while it is full, or too much waits already
   */
  publish(
    topic: Topic,
    headers: Uint8Array,
    payload: Uint8Array,
    reply: Uint8Array,
    signal: AbortSignal | null,
  ): Promise<boolean> {
    this.#check(topic, headers.length + payload.length);
    if (headers.length === 0) return this.#publish(topic, headers, payload, reply, 0, signal);
    return this.#publishTraced(topic, headers, payload, reply, signal, false);
  }

  /**
   * Publishes as `publish`, for whoever waits until all who take it are done with it.
   *
   * @returns resolves when they are
   * @throws as `publish`; rejects as `SyncPublishes.publish`
   */
  publishSync(
    topic: Topic,
    headers: Uint8Array,
    payload: Uint8Array,
    reply: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const subject = publicSubject(topic.text);
    this.#check(topic, headers.length + payload.length);
    const trace = headers.length === 0 ? null : this.#prepareTrace(topic, headers, payload, reply);
    if (trace === 'nothing') return Promise.resolve();
    const publish = (token: number) => this.#publish(topic, headers, payload, reply, token, signal ?? null);
    if (trace === null) return this.#syncs.publish(subject, signal, publish);
    const publishTraced = (token: number): Promise<boolean> => {
      this.#tracing.beginAs(token, trace);
      return this.#orUntold(publish, token);
    };
    return this.#syncs.publish(subject, signal, publishTraced, awaitedKind(kindOf(trace)));
  }

  #prepareTrace(
    topic: Topic,
    headers: Uint8Array,
    payload: Uint8Array,
    reply: Uint8Array,
  ): ReturnType<ClientTracing['prepare']> {
    this.#fill(headers, payload, reply, 0);
    return this.#tracing.prepare(topic, this.#view);
  }

  /** Publishes what has headers, and is traced if these say so. @param stores whether it is told when a stream has not stored it */
  #publishTraced(
    topic: Topic,
    headers: Uint8Array,
    payload: Uint8Array,
    reply: Uint8Array,
    signal: AbortSignal | null,
    stores: boolean,
  ): Promise<boolean> {
    const token = this.#beginTrace(topic, headers, payload, reply);
    if (token === 'nothing') return Promise.resolve(false);
    const publish = (by: number) => this.#publish(topic, headers, payload, reply, by, signal);
    if (stores) return optional(this.#syncs.store(publish, token));
    return this.#orUntold(publish, token);
  }

  /** Publishes under a token of a trace; of what is refused nothing is told. */
  #orUntold(publish: (token: number) => Promise<boolean>, token: number): Promise<boolean> {
    try {
      return publish(token);
    } catch (error) {
      this.#tracing.cancel(token);
      throw error;
    }
  }

  #beginTrace(topic: Topic, headers: Uint8Array, payload: Uint8Array, reply: Uint8Array): number | 'nothing' {
    this.#fill(headers, payload, reply, 0);
    return this.#tracing.begin(topic, this.#view);
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
    const goesNow = !mustWait(hold) && !this.#lines.has(topic.text);
    this.#fill(headers, payload, reply, token);
    if (goesNow && this.#send(topic, this.#view)) return this.#whenDone(topic);
    if (!this.#lines.hasRoomFor(lengthBytes)) throw new TopicFullError(publicSubject(topic.text));
    const sequenced = this.#lines.add(topic.text, this.#view, signal);
    this.#requestTurn();
    return sequenced;
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
    if (headers.length > 0) return this.#publishTraced(topic, headers, payload, reply, signal, topic.captured);
    if (!topic.captured) return this.#publish(topic, headers, payload, reply, 0, signal);
    return optional(this.#syncs.store((token) => this.#publish(topic, headers, payload, reply, token, signal)));
  }

  /**
   * Publishes to the broker itself, now or when there is room, also while a stop lets nobody else publish. Where nobody answers it is gone.
   *
   * @param subject one character a byte
   */
  tell(subject: string, payload: Uint8Array, reply: Uint8Array): void {
    this.#exchange.drainControl();
    const shared = this.#rights === null ? this.#layout.share(subject, payload, reply, mainAccount) : null;
    if (shared !== null && !this.#lines.has(subject) && this.#send(shared, this.#layout.message)) return;
    const topic = this.#router.topics.obtain(topicSpan(subject), 0, subject.length);
    this.#router.freshen(topic);
    if (!topic.served || this.#rights?.mayPublish(topic) === false) return;
    this.#fill(noBytes, payload, reply, 0);
    if (!this.#lines.has(topic.text) && this.#send(topic, this.#view)) return;
    if (this.#lines.hasRoomFor(payload.length)) optional(this.#lines.add(topic.text, this.#view, null));
    this.#requestTurn();
  }

  /** Resolves when everything published so far, and everything that waits in line now, is in order. */
  async settled(): Promise<void> {
    while (!this.#lines.empty) await this.#lines.settled();
    this.#requestTurn();
    await this.#sequencing.whenSequenced();
  }

  /** A turn's part: what waited is tried again, and what has been put in order is told. */
  doWork(): void {
    if (!this.#lines.empty) this.#lines.visit((subject, count) => this.#retry(subject, count));
    this.#sequencing.doWork();
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
    this.#lines.abandon(error);
    this.#sequencing.abandon(error);
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
      throw new SubjectError(`nobody can publish to ${topic.text} in the process: ${insteadOf(topic)}`);
    this.#answer(reply, JSON.stringify({ error: `there is no connection in the process: ${insteadOf(topic)}` }));
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
    // others of this thread publish, too, that have no work in flight
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
    view.caller = this.#audience.listensTo(topic) ? this.#caller : null;
    const sent = this.#sendToAddress(topic, view) ?? this.#exchange.shards[topic.owner].publish(topic, view) === 1;
    view.caller = null;
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

  #retry(subject: string, count: number): void {
    const topic = this.#router.topics.obtain(topicSpan(subject), 0, subject.length);
    this.#router.freshen(topic);
    const most = mustWait(this.#holdOf(topic, true)) ? 0 : Math.min(count, runMessagesMax);
    const sent = this.#lines.take(subject, most, (message, span) => this.#sendWaiting(topic, message, span));
    if (sent < count && sent === runMessagesMax) this.#requestTurn();
  }

  #sendWaiting(topic: Topic, message: OwnMessage, span: Span): Promise<boolean> | null {
    message.showAt(span, 0, this.#view);
    return !topic.goes || this.#send(topic, this.#view) ? this.#whenDone(topic) : null;
  }

  /** Resolves when everything published so far is in order; with whether anybody takes the topic, not only keeps it. */
  #whenDone(topic: Topic): Promise<boolean> {
    const sequenced = this.#sequencing.whenSequenced();
    return topic.answered ? sequenced : optional(sequenced.then(() => false));
  }
}

/** It has no connection, and did not log in. */
function thisThread(): ApiCaller {
  return { start: new Date().toISOString(), acc: mainAccountName, client_type: 'inprocess' };
}

function mustWait(hold: Hold): boolean {
  return hold === 'waits' || hold === 'parks';
}

/** The process has options of its own for all that clients of sockets ask for; it has not logged in. */
function insteadOf({ text }: Topic): string {
  return text === userInfoSubject ? 'it is no user' : 'subscribe with options';
}

function topicSpan(subject: string): Span {
  return new Span(new Uint8Array(Buffer.from(subject, 'latin1')));
}
