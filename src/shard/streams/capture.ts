import { assert } from '../../base/assert.js';
import { byteText, latin1String } from '../../base/bytes.js';
import { deferredBytesMax } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import type { PublishedSubject } from '../../base/publishedSubject.js';
import { Span } from '../../base/span.js';
import { bodyShift, cost, type Work } from '../../base/work.js';
import { isForNobody, isSpanToken, isTraceToken } from '../../exchange/syncToken.js';
import { isWildcardSubject } from '../../protocol/subject.js';
import { storeUntraced } from '../../protocol/trace/traceHeaders.js';
import { SubjectTree } from '../../router/subjectTree.js';
import { Topic } from '../../router/topic.js';
import type { ApiError } from '../../stream/api/apiError.js';
import { type DiskPlace, deliversAtOnce } from '../../stream/extensions.js';
import { refusalOfReply } from '../../stream/publishChecks.js';
import type { Published } from '../../stream/publishing.js';
import type { Stream } from '../../stream/stream.js';
import type { Clock } from '../../stream/times.js';
import type { AnswerQueues } from './answerQueues.js';
import { captureEvent } from './captureTrace.js';
import type { DeferralQueues } from './deferralQueues.js';
import { ackBytesMax, PubAck } from './pubAck.js';

/** A stream as messages come to it. */
class Captor {
  readonly stream: Stream;
  readonly ack: PubAck;
  readonly deliversAtOnce: boolean;
  /** Of the runs that were ever deferred here, so many have to be delivered before another one of this stream may be. */
  deferred: number;

  constructor(stream: Stream, ack: PubAck, deferred: number) {
    this.stream = stream;
    this.ack = ack;
    this.deliversAtOnce = deliversAtOnce(stream.config);
    this.deferred = deferred;
  }

  /** What is kept with a topic; only its owner keeps captors there. */
  static of({ captor }: Topic): Captor | null {
    assert(captor === null || captor instanceof Captor, "a topic's captor is its shard's");
    return captor;
  }
}

/** Whether a run may be seen at once, or is delivered later. */
export type Captured = 'seen' | 'deferred';

/** Hears that a message is not stored whose publisher waits for it. */
export type OnRefused = (token: number, refusal: ApiError) => void;

/** What a shard does with what its streams take. */
export interface CaptureParts {
  readonly answers: AnswerQueues;
  readonly deferral: DeferralQueues;
  readonly work: Pick<Work, 'units'>;
  /** Whoever published with a token is told that the message is not stored. */
  readonly onRefused: OnRefused;
  /** The publisher of a message that is traced is told what becomes of it. */
  readonly onTraced: (token: number, events: string) => void;
  /** Has publishers of a topic wait: too much waits for a disk. */
  readonly onBehind: (topic: Topic, place: DiskPlace) => void;
}

/** Stores what is put in order on a shard in the streams that take it, and acknowledges it. */
export class Capture {
  readonly #parts: CaptureParts;
  readonly #clock: Clock;
  readonly #tree = new SubjectTree<Captor>();
  readonly #scratch = new Span(new Uint8Array(ackBytesMax));
  /** Where the reply of a message lies; filled anew for each. */
  readonly #reply: { span: Span; start: number; end: number } = { span: this.#scratch, start: 0, end: 0 };
  /** A traced message as it is stored. */
  readonly #stored = new MessageView();
  readonly #domain: string;
  /** Moves with what streams take. */
  #version = 0;

  constructor(parts: CaptureParts, clock: Clock, domain: string) {
    this.#parts = parts;
    this.#clock = clock;
    this.#domain = domain;
  }

  /** A stream takes its subjects from now on. */
  add(stream: Stream): void {
    const ack = new PubAck(stream.name, this.#domain);
    const deferred = stream.isDurable ? this.#parts.deferral.of(stream.diskPlace).deferred : 0;
    const captor = new Captor(stream, ack, deferred);
    for (const subject of stream.config.subjects) {
      const pattern = byteText(subject);
      this.#tree.add(pattern, isWildcardSubject(pattern), captor);
    }
    this.#version++;
  }

  /** A stream takes these subjects no longer. */
  remove(subjects: readonly string[]): void {
    for (const subject of subjects) {
      const pattern = byteText(subject);
      this.#tree.remove(pattern, isWildcardSubject(pattern));
    }
    this.#version++;
  }

  /** A run of messages has been put in order. Says whether it may be delivered. */
  onMessages(topic: Topic, message: MessageView): Captured {
    const captor = this.#captorOf(topic);
    if (captor === null || topic.kind === 'invalid') return 'seen';
    const { stream } = captor;
    const nowUs = this.#clock.nowUs();
    for (let i = 0; i < message.count; ) i += this.#publishFrom(captor, topic, message, i, nowUs);
    return stream.isDurable ? this.#defer(captor, topic, message) : 'seen';
  }

  /** Whether one stream takes both, and nobody else does. */
  takesTogether(one: Topic, other: Topic): boolean {
    if (other.wanted || other.kind !== 'literal') return false;
    const captor = this.#captorOf(other);
    return captor !== null && captor === this.#captorOf(one);
  }

  /** Messages have been put in order that may come together with a topic's, each on a subject, which need be no topic's. */
  onTogether(topic: Topic, subjects: readonly PublishedSubject[], messages: MessageView): void {
    const captor = this.#captorOf(topic);
    assert(captor !== null, 'what comes together is taken');
    const nowUs = this.#clock.nowUs();
    for (let i = 0; i < messages.count; ) i += this.#publishTogether(captor, subjects, messages, i, nowUs);
    const { stream } = captor;
    if (!stream.isDurable || !this.#isBehind(stream)) return;
    this.#parts.onBehind(topic, stream.diskPlace);
    for (let i = 0; i < messages.count; i++) {
      const subject = subjects[i];
      if (subject instanceof Topic) this.#parts.onBehind(subject, stream.diskPlace);
    }
  }

  /** Stores messages from `from` on: as many as can be at one go, or one. Returns how many. */
  #publishTogether(
    captor: Captor,
    subjects: readonly PublishedSubject[],
    messages: MessageView,
    from: number,
    nowUs: number,
  ): number {
    const { count } = messages;
    const end = messages.withReplies ? endBeforeBatch(messages, from) : count;
    const taken = end === from ? 0 : captor.stream.publishTogether(subjects, messages, from, end, nowUs);
    if (taken > 0) {
      this.#parts.work.units += taken * cost.storedApart;
      this.#acknowledgeAll(captor, messages, from, taken);
    } else {
      messages.count = from + 1;
      this.#publishFrom(captor, subjects[from], messages, from, nowUs);
      messages.count = count;
    }
    return Math.max(taken, 1);
  }

  /** Stores messages of a run from `from` on: as many as can be at one go, or one. Returns how many. */
  #publishFrom(captor: Captor, subject: PublishedSubject, message: MessageView, from: number, nowUs: number): number {
    const { stream } = captor;
    const acks = message.withReplies && !stream.config.no_ack;
    const end = message.withReplies ? endBeforeBatch(message, from) : message.count;
    const isPlain = end > from && !isTraceToken(message.syncToken);
    const taken = isPlain ? stream.publishRun(subject, message, from, end, nowUs) : 0;
    if (taken === 0) {
      const published = this.#publish(stream, subject, message, from, nowUs);
      this.#charge(stream, message, from);
      if (message.syncToken !== 0) this.#trace(captor, subject, message, published);
      if (published.refusal !== null && message.syncToken !== 0) this.#refuse(message, published.refusal);
      if (acks) this.#acknowledge(captor, message, from, published);
      return 1;
    }
    this.#parts.work.units += cost.storedRun;
    this.#acknowledgeAll(captor, message, from, taken);
    return taken;
  }

  /** Messages from `from` on were taken, so many of them, the last ones of the stream. */
  #acknowledgeAll(captor: Captor, message: MessageView, from: number, taken: number): void {
    const { stream } = captor;
    if (!message.withReplies || stream.config.no_ack) return;
    const first = stream.lastSequence - taken + 1;
    if (this.#parts.answers.addAcks(captor.ack.prefix, first, message, from, taken, stream)) return;
    for (let i = 0; i < taken; i++) this.#acknowledgeTaken(captor, message, from + i, first + i);
  }

  /** Whether more waits for the disk of a stream than should. */
  #isBehind({ storage, diskPlace }: Stream): boolean {
    const { deferral, answers } = this.#parts;
    const waitingBytes = Math.max(deferral.of(diskPlace).bytes, answers.bytesOf(diskPlace));
    return storage.intake === 'behind' || waitingBytes > deferredBytesMax;
  }

  /** What is not on disk is delivered later, and behind that whatever follows it. */
  #defer(captor: Captor, topic: Topic, message: MessageView): Captured {
    const { stream } = captor;
    const { storage, diskPlace } = stream;
    const deferral = this.#parts.deferral.of(diskPlace);
    if (this.#isBehind(stream)) this.#parts.onBehind(topic, diskPlace);
    // synchronous publishers wait for the commit, whoever else does
    if (!topic.wanted && message.syncToken === 0) return 'deferred';
    const waitsForCommit = message.syncToken !== 0 && !isForNobody(message.syncToken);
    if (captor.deliversAtOnce && !waitsForCommit && captor.deferred <= deferral.passed) return 'seen';
    const isCommitted = storage.committed === storage.position || stream.failure !== null;
    if (isCommitted && deferral.bytes === 0) return 'seen';
    deferral.add(topic, message, stream);
    captor.deferred = deferral.deferred;
    return 'deferred';
  }

  /** Who has a stream's subjects looked through, or headers read one by one, has the less of its turn left. */
  #charge({ search }: Stream, message: MessageView, index: number): void {
    this.#parts.work.units += cost.searched * search.looked + cost.stored + (message.headerBytes(index) >> bodyShift);
    search.looked = 0;
  }

  #publish(stream: Stream, subject: PublishedSubject, message: MessageView, index: number, nowUs: number): Published {
    if (message.withReplies) {
      const { bytes, replyStarts, replyEnds } = message;
      if (mayBeBatch(message, index)) {
        const refusal = refusalOfReply(latin1String(bytes, replyStarts[index], replyEnds[index]));
        if (refusal !== null) return { sequence: 0, duplicate: false, refusal };
      }
    }
    const { syncToken } = message;
    if (!isTraceToken(syncToken) || isSpanToken(syncToken)) return stream.publish(subject, message, index, nowUs);
    storeUntraced(message, index, this.#stored);
    return stream.publish(subject, this.#stored, 0, nowUs);
  }

  #acknowledgeTaken(captor: Captor, message: MessageView, index: number, sequence: number): void {
    const { stream, ack } = captor;
    if (!this.#parts.answers.addAcks(ack.prefix, sequence, message, index, 1, stream))
      this.#say(captor, message, index, { sequence, duplicate: false, refusal: null });
  }

  /** Who waits for the message is told, and waits no more; who has it traced is still told who gets it. */
  #refuse(message: MessageView, refusal: ApiError): void {
    this.#parts.onRefused(message.syncToken, refusal);
    if (!isTraceToken(message.syncToken)) message.syncToken = 0;
  }

  /** A message has been put in order that is only traced: nothing becomes of it, but what would is told. A refusal is acknowledged. */
  onTraceOnly(topic: Topic, message: MessageView): void {
    const captor = this.#captorOf(topic);
    if (captor === null || topic.kind === 'invalid') return;
    const { stream } = captor;
    const looked = stream.look(topic, message, 0, this.#clock.nowUs());
    this.#charge(stream, message, 0);
    this.#trace(captor, topic, message, looked);
    if ((looked.refusal !== null || looked.duplicate) && message.withReplies && !stream.config.no_ack)
      this.#say(captor, message, 0, looked);
  }

  #trace({ stream }: Captor, subject: PublishedSubject, message: MessageView, published: Published): void {
    if (!isTraceToken(message.syncToken)) return;
    const isIgnored = stream.ignores(subject.text);
    const event = captureEvent(stream.config.name, subject.text, published, isIgnored, message);
    this.#parts.onTraced(message.syncToken, event);
  }

  #acknowledge(captor: Captor, message: MessageView, index: number, published: Published): void {
    if (published.refusal !== null || published.duplicate) this.#say(captor, message, index, published);
    else this.#acknowledgeTaken(captor, message, index, published.sequence);
  }

  #say(captor: Captor, message: MessageView, index: number, published: Published): void {
    const reply = this.#reply;
    reply.span = message.span;
    reply.start = message.replyStarts[index];
    reply.end = message.replyEnds[index];
    const { stream, ack } = captor;
    const length = ack.write(this.#scratch, published);
    this.#parts.answers.add(reply, this.#scratch, 0, length, 0, stream);
  }

  #captorOf(topic: Topic): Captor | null {
    if (topic.captorVersion !== this.#version) {
      const found: Captor[] = [];
      this.#tree.match(topic.text, found);
      topic.captor = found[0] ?? null;
      topic.captorVersion = this.#version;
    }
    return Captor.of(topic);
  }
}

const letterF = 'F'.charCodeAt(0);
const letterI = 'I'.charCodeAt(0);

/** Whether a message's reply ends as those to batches do, which are refused. One letter alone ends many a client's. */
function mayBeBatch({ bytes, replyEnds }: MessageView, index: number): boolean {
  return bytes[replyEnds[index] - 1] === letterI && bytes[replyEnds[index] - 2] === letterF;
}

/** Up to where no message of a run has such a reply, from `from` on. */
function endBeforeBatch(message: MessageView, from: number): number {
  let end = from;
  while (end < message.count && !mayBeBatch(message, end)) end++;
  return end;
}
