import { mainAccount } from '../../base/account.js';
import { togetherMessagesMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { type PublishedSubject, ReadSubject } from '../../base/publishedSubject.js';
import { Shown } from '../../base/shown.js';
import type { Span } from '../../base/span.js';
import { cost } from '../../base/work.js';
import { dollar } from '../../protocol/ascii.js';
import { errors } from '../../protocol/errors.js';
import type { Publication } from '../../protocol/publication.js';
import { isReservedReply, userInfoSubject } from '../../protocol/subject.js';
import { firstTraced } from '../../protocol/trace/traceHeaders.js';
import { firstSampled } from '../../protocol/trace/traceParent.js';
import { isWorkReply } from '../../protocol/workReply.js';
import { isSettled } from '../../router/settling.js';
import type { Topic } from '../../router/topic.js';
import type { Connection } from '../connection.js';
import type { PlainLines } from './commands.js';
import type { CommandsHost } from './host.js';
import { ReplyAddresses } from './replyAddresses.js';
import { SharedRequests } from './sharedRequests.js';
import { TracedPublishes } from './tracedPublishes.js';
import type { Verdicts } from './verdicts.js';
import { WorkAnswers } from './workAnswers.js';

/** Publishes what clients send: by runs where it can, message by message where something has to be looked at. */
export class Publishes {
  readonly #host: CommandsHost;
  readonly #verdicts: Verdicts;
  readonly #replyAddresses: ReplyAddresses;
  readonly #requests: SharedRequests;
  readonly #workAnswers: WorkAnswers;
  readonly #traced: TracedPublishes;
  /** The address that a message is for. */
  readonly #shown = new Shown();
  /** The topic of what is published; null where it has none. */
  #published: Topic | null = null;
  /** Subjects of messages that are published together, and room for those that are no topics'. */
  readonly #together: PublishedSubject[] = [];
  readonly #lone = Array.from({ length: togetherMessagesMax }, () => new ReadSubject());

  constructor(host: CommandsHost, verdicts: Verdicts) {
    this.#host = host;
    this.#verdicts = verdicts;
    this.#replyAddresses = new ReplyAddresses(host);
    this.#requests = new SharedRequests(host, verdicts, this.#replyAddresses);
    this.#workAnswers = new WorkAnswers(host, verdicts);
    this.#traced = new TracedPublishes(host, verdicts, {
      publishPlain: (...published) => this.#publishUntraced(...published),
      waitForPlan: (topic) => this.#waitForPlan(topic),
      answerHere: (...asked) => this.#answerHere(...asked),
      waitOrRefuse: (...published) => this.#waitOrRefuse(...published),
      isUnanswered: (connection, topic, { withReplies }) =>
        withReplies && connection.options.noResponders && !(topic.goes && this.#answerable(connection, topic)),
      accept: (connection, topic) => this.#accept(connection, topic, 1),
    });
  }

  publish(connection: Connection, publication: Publication): number {
    this.#published = null;
    const taken = this.#publishOrRefuse(connection, publication);
    if (taken > 0) this.#host.meter.notePublished(connection, this.#published, publication.message, taken);
    return taken;
  }

  #publishOrRefuse(connection: Connection, publication: Publication): number {
    const { message } = publication;
    if (message.withHeaders) {
      let first = firstTraced(message);
      if (this.#host.tracing.spansMore) first = firstSampled(message, first);
      if (first === 0) return this.#traced.publish(connection, publication);
      if (first > 0) publication.cut(first);
    }
    return this.#publishUntraced(connection, publication);
  }

  #publishUntraced(connection: Connection, publication: Publication): number {
    const { router } = this.#host;
    const { message } = publication;
    connection.asked = null;
    if (connection.topic === null || !publication.subjectIsMemo || !connection.topic.live) {
      const done = this.#find(connection, publication);
      if (done >= 0) return done;
    }
    const topic = connection.topic as Topic;
    this.#published = topic;
    if (!router.ready(topic) || router.ahead?.has(topic)) return this.#waitForPlan(topic);
    const done = this.#serveOrRefuse(connection, topic, publication);
    if (done >= 0) return done;
    const { options } = connection;
    const asks = message.withReplies && options.noResponders;
    if (asks && this.#runsOut(topic)) {
      if (!this.#settled(connection)) return 0;
      publication.cut(1);
      // the last message may just have come
      if (!router.ready(topic)) return this.#waitForPlan(topic);
    }
    let taken = message.count;
    let unanswered = asks;
    if (topic.goes) {
      const waits = this.#waitOrRefuse(connection, topic, message);
      if (waits >= 0) return waits;
      // before it is delivered: it may be the last that somebody takes
      unanswered = asks && !this.#answerable(connection, topic);
      message.exceptConnection = options.echo ? 0 : connection.id;
      const isAnsweredLater = connection.requestId !== null && topic.captured;
      if (isAnsweredLater) taken = this.#publishToStore(connection, topic, message);
      else if (topic.endpoint !== null) taken = this.#ask(connection, topic, publication);
      else taken = this.#publish(topic, message);
      if (topic.owner !== this.#host.self) connection.order.noteSent();
      if (taken === 0) return 0;
    } else {
      topic.published += taken;
      this.#host.meter.noteUnwanted(taken);
    }
    if (unanswered) this.#host.answers.noResponders(connection, topic, message, taken);
    this.#accept(connection, topic, taken);
    return taken;
  }

  #accept(connection: Connection, topic: Topic, taken: number): void {
    if (connection.options.verbose || (connection.requestId !== null && !topic.captured))
      this.#verdicts.accept(connection, taken);
  }

  publishKnown(connection: Connection, span: Span, position: number, end: number, tries: boolean): number {
    const { address } = span;
    const { topic, options, rights, requestId, account } = connection;
    if (address < 0 || topic === null || !options.echo || options.verbose || rights !== null) return position;
    const { router, exchange, delivery, limits, memoryShort } = this.#host;
    const { knownTopics } = delivery;
    if (knownTopics === null || requestId !== null || account !== mainAccount) return position;
    knownTopics.learn(topic);
    if (!tries || router.holds.active !== 0 || memoryShort || !exchange.takesOwn || router.ahead?.asking)
      return position;
    const { meter } = this.#host;
    const { readMs } = connection.traffic;
    const next = knownTopics.publish(address + position, address + end, limits, meter.samples, readMs) - address;
    meter.noteRead(connection, knownTopics.published, knownTopics.payloadBytes);
    exchange.shards[this.#host.self].onSequenced(knownTopics.published - knownTopics.forwarded);
    if (knownTopics.forwarded > 0) connection.order.noteSent();
    return next;
  }

  publishTogether(connection: Connection, lines: PlainLines, position: number, end: number): number {
    const { topic, asked } = connection;
    if (asked !== null) return this.#requests.publishTogether(connection, lines, position, end);
    if (topic === null || !this.#mayTogether(connection, topic)) return position;
    const { message } = lines;
    const { router, exchange, self } = this.#host;
    const shard = exchange.shards[self];
    const subjects = this.#together;
    const mayBeLone = router.lone.beside(topic) && shard.takesTogether(topic, topic);
    let count = 0;
    let next = position;
    for (; count < togetherMessagesMax && lines.readNext(next, end, count); next = lines.nextPosition) {
      const { subjectStart, subjectEnd } = lines;
      const other = router.topics.at(message.span, subjectStart, subjectEnd, connection.account);
      if (other !== null) {
        if (!this.#joins(topic, other)) break;
        connection.topic = other;
      } else if (!mayBeLone || !router.lone.has(message.span, subjectStart, subjectEnd)) break;
      else this.#lone[count].set(message.span, subjectStart, subjectEnd);
      const { replyStarts, replyEnds, withReplies, span } = message;
      if (withReplies && !connection.awaited.covers(span, replyStarts[count], replyEnds[count])) break;
      subjects[count] = other ?? this.#lone[count];
      count++;
    }
    message.count = count;
    message.exceptConnection = 0;
    if (count === 0 || !shard.publishTogether(topic, subjects, message)) return position;
    router.work.units += count * cost.publish;
    const { meter } = this.#host;
    meter.noteRead(connection, count, message.messageBytes(count));
    for (let i = 0; i < count; i++)
      meter.samples.note(subjects[i] === this.#lone[i] ? null : (subjects[i] as Topic), connection.traffic.readMs, 1);
    return next;
  }

  /** Finds the topic of a message that is not on the last one's. @returns how many were taken or refused; -1 when there is a topic to publish to */
  #find(connection: Connection, publication: Publication): number {
    const { topics } = this.#host.router;
    const { message, subjectStart, subjectEnd } = publication;
    if (publication.tainted)
      return this.#verdicts.refusePublish(connection, message.count, errors.invalidPublishSubject);
    if (isWorkReply(message.bytes, subjectStart, subjectEnd)) return this.#workAnswers.take(connection, publication);
    let topic = topics.at(message.span, subjectStart, subjectEnd, connection.account);
    if (topic === null) {
      const isAnswer = message.bytes[subjectStart] !== dollar;
      const done = isAnswer ? this.#answer(connection, publication) : this.#requests.publish(connection, publication);
      if (done >= 0) return done;
      topic = topics.obtain(message.span, subjectStart, subjectEnd, connection.account);
    }
    connection.topic = topic;
    if (connection.rights === null || connection.rights.mayPublish(topic)) return -1;
    return this.#verdicts.deny(connection, topic, message.count);
  }

  /** What is not published: what the gateway answers by itself, and what nobody may publish so. @returns how many were taken or refused; -1 when they go on */
  #serveOrRefuse(connection: Connection, topic: Topic, { message, withHeaders }: Publication): number {
    const { options } = connection;
    if (withHeaders && !options.headers) {
      if (!this.#settled(connection)) return 0;
      this.#host.lifecycle.fail(connection, errors.headersUnsupported);
      return message.count;
    }
    // one that is reserved is alone in its run
    if (message.withReplies && isReservedReply(message.bytes, message.replyStarts[0], message.replyEnds[0]))
      return this.#verdicts.refuseReply(connection, message);
    if (topic.endpoint?.answerer === 'gateway') return this.#answerHere(connection, topic, message);
    if (options.pedantic && topic.kind !== 'literal')
      return this.#verdicts.refusePublish(connection, message.count, errors.invalidPublishSubject);
    return topic.allowed ? -1 : this.#verdicts.refusePublish(connection, message.count, errors.unknownTopic);
  }

  /** Answers requests to the gateway itself, behind all that the connection has asked for before. @returns how many */
  #answerHere(connection: Connection, topic: Topic, message: MessageView): number {
    if (!this.#settled(connection)) return 0;
    const { asking, userInfo } = this.#host;
    return topic.text === userInfoSubject ? userInfo.tell(connection, message) : asking.ask(connection, message);
  }

  /** What messages wait for before they are sequenced. @returns 0 while they do, or how many were refused; -1 when they go */
  #waitOrRefuse(connection: Connection, topic: Topic, message: MessageView): number {
    const { router, memoryShort } = this.#host;
    if (memoryShort) return 0;
    // others who take a request to the broker itself hold it up for nobody
    if (router.holds.active !== 0 && !topic.served) {
      const held = this.#hold(connection, topic, message);
      if (held >= 0) return held;
    }
    if (!message.withReplies) return -1;
    if (!this.#replyAddresses.claim(connection, message)) return 0;
    // the reply may be the topic itself
    return router.ready(topic) ? -1 : this.#waitForPlan(topic);
  }

  /** Whether nothing has to be looked at message by message of a connection whose last one was taken by a stream. */
  #mayTogether({ rights, requestId, options }: Connection, topic: Topic): boolean {
    const { router, self, memoryShort } = this.#host;
    if (!topic.live || !topic.captured || topic.owner !== self || rights !== null || requestId !== null) return false;
    return !options.verbose && router.holds.active === 0 && !memoryShort;
  }

  /** Whether a message on a topic may follow one on another topic that a stream has taken. */
  #joins(before: Topic, topic: Topic): boolean {
    const { router, exchange, self } = this.#host;
    if (!router.ready(topic) || router.ahead?.has(topic)) return false;
    if (!topic.captured || topic.served || topic.owner !== self || !topic.allowed) return false;
    return exchange.shards[self].takesTogether(before, topic);
  }

  /** Publishes what is answered when a stream has stored it, or has not. */
  #publishToStore(connection: Connection, topic: Topic, message: MessageView): number {
    const { stores } = this.#host;
    const token = stores.begin(connection);
    message.syncToken = token;
    const taken = this.#publish(topic, message);
    message.syncToken = 0;
    if (taken === 0) stores.cancel(token);
    return taken;
  }

  /** Publishes requests to a shard; where somebody is told who asks for what, each goes by itself and says so. */
  #ask(connection: Connection, topic: Topic, publication: Publication): number {
    const { message } = publication;
    message.caller = this.#host.apiCallers.callerOf(connection, topic);
    if (message.caller !== null) publication.cut(1);
    const taken = this.#publish(topic, message);
    message.caller = null;
    return taken;
  }

  /**
   * Publishes a message for an address, which needs no topic of its own.
   *
   * @returns how many were taken; -1 when it has to be published as to a topic, be it for what is wrong with it
   */
  #answer(connection: Connection, { message, withHeaders, subjectStart, subjectEnd }: Publication): number {
    const { router, exchange, self } = this.#host;
    const { options } = connection;
    // rights are to single addresses
    if (message.count !== 1 || message.withReplies || (withHeaders && !options.headers) || connection.rights !== null)
      return -1;
    const inbox = router.inboxes.find(message.span, subjectStart, subjectEnd, connection.account);
    if (inbox === null) return -1;
    if (!router.ready(inbox)) return this.#waitForPlan(inbox);
    if (!router.inboxes.serves(inbox, message.span, subjectStart, subjectEnd)) return -1;
    if (this.#host.memoryShort) return 0;
    if (router.holds.active !== 0) {
      const hold = router.holds.ask(inbox, connection.waiter, true);
      if (hold !== 'goes') return hold === 'waits' || hold === 'parks' ? 0 : -1;
    }
    this.#shown.setBytes(message.span, subjectStart, subjectEnd - subjectStart, 0);
    message.exceptConnection = options.echo ? 0 : connection.id;
    message.shown = this.#shown;
    const answered = exchange.shards[inbox.owner].answer(inbox, message);
    message.shown = null;
    if (answered === 'as-topic') return -1;
    if (inbox.owner !== self) connection.order.noteSent();
    if (answered === 'no-room') return 0;
    this.#verdicts.accept(connection);
    return 1;
  }

  /** Hands a run to its shard: where that is here, or where it is for very many, as much of it as the share of work lasts for. */
  #publish(topic: Topic, message: MessageView): number {
    const shard = this.#host.exchange.shards[topic.owner];
    const { count, withHeaders } = message;
    const unitsEach =
      withHeaders || message.long || topic.isDear
        ? topic.unitsOf(Math.floor(message.lengthBytes / count), withHeaders)
        : topic.units;
    const isHere = topic.owner === this.#host.self;
    if (unitsEach <= 1 || (!isHere && topic.crowdUnits === 0)) return shard.publish(topic, message);
    const { work } = this.#host.router;
    let affordable = work.affordable(unitsEach, count);
    // where others wait for the room that lanes have, each has a part of it
    if (topic.crowdUnits !== 0 && (!isHere || topic.remotes.length > 0))
      affordable = Math.min(affordable, work.part(1 + this.#host.waiting, unitsEach, count));
    message.count = affordable;
    const taken = shard.publish(topic, message);
    message.count = count;
    // no thread asks more of another one in a turn than that would do
    if (!isHere) work.units += unitsEach * taken;
    // the next message would be too much, whatever is left of the share: it waits for nothing but the next one
    if (taken === affordable && taken < count) work.endShare();
    return taken;
  }

  /** What a publisher waits for goes on in every turn, here and on other threads: so does the publisher, to see whether it is done. */
  #waitForPlan(topic: Topic): number {
    const { ahead, work } = this.#host.router;
    ahead?.ask(topic);
    work.endShare();
    return 0;
  }

  /** Messages of a run that need not be sequenced, since the topic's publishers wait: none, or all when it refuses them; -1 when it goes. */
  #hold(connection: Connection, topic: Topic, message: MessageView): number {
    const { waiter, unacknowledged } = connection;
    waiter.busy = unacknowledged.count > 0;
    const hold = this.#host.router.holds.ask(topic, waiter, !topic.refuses);
    if (hold === 'goes') return -1;
    if (hold === 'parks') return 0;
    if (
      topic.refuses ||
      hold === 'refuses' ||
      (hold === 'drops' && isForGroupAlone(topic) && this.#asks(connection, message))
    )
      return this.#verdicts.refuseFull(connection, topic, message);
    return hold === 'waits' ? 0 : -1;
  }

  #settled(connection: Connection): boolean {
    return isSettled(connection.order, this.#host.exchange);
  }

  /** Whether a message to the topic may be the last that one of its subscriptions takes: who is left for the next is known once it is delivered. */
  #runsOut(topic: Topic): boolean {
    return !topic.served && !topic.captured && topic.entries.length > 0 && this.#host.delivery.endsWithin(topic);
  }

  /** Whether a request on the topic can reach anybody. */
  #answerable(connection: Connection, topic: Topic): boolean {
    if (!topic.wanted || topic.served || connection.options.echo) return topic.answered;
    return this.#host.delivery.wantedByOthers(topic, connection);
  }

  /** Whether the messages of a run want answers, and may be given a status. */
  #asks(connection: Connection, message: MessageView): boolean {
    return connection.options.headers && message.withReplies;
  }
}

/** Whether one group takes the topic, and nobody else. */
function isForGroupAlone({ wantedHere, remotes, queues }: Topic): boolean {
  return !wantedHere && remotes.length === 0 && queues.length === 1;
}
