import { mainAccount } from '../base/account.js';
import { assert } from '../base/assert.js';
import { togetherMessagesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { Shown } from '../base/shown.js';
import type { Span } from '../base/span.js';
import { cost, localShift } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import { type ConnectOptions, parseConnectOptions } from '../protocol/connectOptions.js';
import type { Dialect } from '../protocol/dialect.js';
import { errors, type ProtocolError, publishDenied, reservedReply, topicFull } from '../protocol/errors.js';
import type { Publication } from '../protocol/publication.js';
import { isReservedReply } from '../protocol/subject.js';
import { inboxEntry } from '../router/inboxes.js';
import type { InterestEntry, LocalSubscription } from '../router/interestEntry.js';
import type { Router } from '../router/router.js';
import { hasCaughtUp, isSettled } from '../router/settling.js';
import type { Topic } from '../router/topic.js';
import type { Answers } from './answers.js';
import type { Connection } from './connection.js';
import type { Delivery } from './delivery.js';
import type { Egress } from './egress.js';
import type { Greeter } from './greeter.js';
import type { Lifecycle } from './lifecycle.js';
import type { Logins } from './logins/logins.js';
import type { GatewayLimits } from './options.js';
import type { Asking } from './policies/asking.js';
import type { Policing } from './policies/policing.js';
import type { Asked } from './policies/wish.js';
import type { StoreAnswers } from './storeAnswers.js';
import { Subscription } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';

/** What the operations of a client do. */
export interface Commands {
  /**
   * Publishes a run of messages. Returns how many were taken: fewer than all when there is no room and the
   * connection has to wait.
   */
  publish(connection: Connection, publication: Publication): number;
  /**
   * Publishes the messages that follow a short run, `span[position, end)`, as far as they are plain and of topics that are known, without looking at
   * each of them. Returns where the first begins that was not published.
   *
   * @param tries false to have the run's own topic known, and no more
   */
  publishKnown(connection: Connection, span: Span, position: number, end: number, tries: boolean): number;
  /**
   * Publishes the messages that follow what was published last, from `position` on, as far as one stream takes all of them and nobody else
   * does, whatever their subjects. Returns where the first begins that was not published.
   */
  publishTogether(connection: Connection, lines: PlainLines, position: number, end: number): number;
  /**
   * Whether all that the connection published is sequenced, and what it gets of that is on its way to it. Whatever is not a publish asks
   * this first, so that a connection's operations take effect in their order on all threads; when it is false the connection waits.
   */
  settled(connection: Connection): boolean;
  /** @param prefetch of a queue group's member that acknowledges: how many messages it has unacknowledged at most; else 0 */
  subscribe(connection: Connection, subject: string, queue: string, sid: string, prefetch: number): boolean;
  /** False when the connection has to wait. */
  unsubscribe(connection: Connection, sid: string, maxMessages: number): boolean;
  /** Takes that a client is done with a delivery; false when it has none of that number. */
  acknowledge(connection: Connection, delivery: number): boolean;
  connect(connection: Connection, json: string): void;
  /** Takes what a client says of itself once its credentials are found right; `connection.login.verifying` until then. */
  authenticate(connection: Connection, options: ConnectOptions): void;
  /** Takes what a subscription is to be treated like, before it is made or after; returns what is wrong, or null. */
  ask(connection: Connection, asked: Asked): string | null;
  /** Goes on with what an earlier operation has left to do (`connection.chore`); false while its share does not last for all of it. */
  finishChore(connection: Connection): boolean;
  /** Has a connection spoken to in another way from now on. */
  speak(connection: Connection, dialect: Dialect): void;
  /** Answers a PING; false while what the connection published before is not sequenced yet. */
  ping(connection: Connection): boolean;
  pong(connection: Connection): void;
  /** A client has reported an error, and is about to leave; false while what it published before is not sequenced yet. */
  leave(connection: Connection): boolean;
  fail(connection: Connection, error: ProtocolError): void;
  refuse(connection: Connection, error: ProtocolError): void;
  /** Called now and then while input is being processed, so that a long read does not hold back what it caused. */
  breathe(): void;
}

/** Lines of publishes that follow one another, as a parser reads them. */
export interface PlainLines {
  /** Of the publish that was read last. */
  readonly message: MessageView;
  readonly subjectStart: number;
  readonly subjectEnd: number;
  readonly nextPosition: number;
  readNext(position: number, end: number, index: number): boolean;
}

/** What commands need of the gateway around them. */
export interface CommandsHost {
  readonly self: number;
  readonly limits: GatewayLimits;
  readonly logins: Logins;
  readonly lifecycle: Lifecycle;
  readonly subscriptions: Subscriptions;
  readonly greeter: Greeter;
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly egress: Egress;
  readonly answers: Answers;
  readonly delivery: Delivery;
  readonly policing: Policing;
  readonly asking: Asking;
  readonly stores: StoreAnswers;
  /** Whether publishers wait until others were ended to make room for what they publish. */
  readonly memoryShort: boolean;
  /** Sends out what has collected, in the middle of a long read. */
  flush(): void;
}

/** Carries out what clients ask for. */
export class ClientCommands implements Commands {
  /** Messages accepted from publishers since the start. */
  published = 0;
  /** Messages refused because their topic was full. */
  refused = 0;
  readonly #host: CommandsHost;
  /** The address that a message is for. */
  readonly #shown = new Shown();
  /** Topics of messages that are published together. */
  readonly #together: Topic[] = [];

  constructor(host: CommandsHost) {
    this.#host = host;
  }

  publish(connection: Connection, publication: Publication): number {
    const router = this.#host.router;
    const message = publication.message;
    const options = connection.options;
    let topic = connection.topic;
    if (topic === null || !publication.subjectIsMemo || !topic.live) {
      if (publication.tainted) return this.refusePublish(connection, message.count, errors.invalidPublishSubject);
      const { subjectStart, subjectEnd } = publication;
      topic = router.topics.at(message.span, subjectStart, subjectEnd, connection.account);
      if (topic === null) {
        const answered = this.#answer(connection, publication);
        if (answered >= 0) return answered;
        topic = router.topics.obtain(message.span, subjectStart, subjectEnd, connection.account);
      }
      connection.topic = topic;
      if (connection.rights !== null && !connection.rights.mayPublish(topic))
        return this.#deny(connection, topic, message.count);
    }
    if (!router.ready(topic)) return this.#waitForPlan(topic);
    if (router.ahead?.holds(topic)) return this.#waitForPlan(topic);
    if (publication.withHeaders && !options.headers) {
      if (!this.settled(connection)) return 0;
      this.fail(connection, errors.headersUnsupported);
      return message.count;
    }
    // one that is reserved is alone in its run
    if (message.withReplies && isReservedReply(message.bytes, message.replyStarts[0], message.replyEnds[0]))
      return this.#refuseReply(connection, message);
    if (topic.endpoint?.answerer === 'gateway')
      return this.settled(connection) ? this.#host.asking.ask(connection, message) : 0;
    if (options.pedantic && topic.kind !== 'literal')
      return this.refusePublish(connection, message.count, errors.invalidPublishSubject);
    if (!topic.allowed) return this.refusePublish(connection, message.count, errors.unknownTopic);
    if (message.withReplies && options.noResponders && this.#runsOut(topic)) {
      if (!this.settled(connection)) return 0;
      publication.cut(1);
      // the last message may just have come
      if (!router.ready(topic)) return this.#waitForPlan(topic);
    }
    let taken = message.count;
    let answerable = false;
    if (topic.goes) {
      if (this.#host.memoryShort) return 0;
      // others who take a request to the broker itself hold it up for nobody
      if (router.holds.active !== 0 && !topic.served) {
        const held = this.#hold(connection, topic, message);
        if (held >= 0) return held;
      }
      if (message.withReplies) {
        if (!this.#awaitAnswers(connection, message)) return 0;
        // the reply may be the topic itself
        if (!router.ready(topic)) return this.#waitForPlan(topic);
      }
      answerable = !options.noResponders || !message.withReplies || this.#answerable(connection, topic);
      message.exceptConnection = options.echo ? 0 : connection.id;
      const isAnsweredLater = connection.requestId !== null && topic.captured;
      taken = isAnsweredLater ? this.#publishToStore(connection, topic, message) : this.#publish(topic, message);
      if (topic.owner !== this.#host.self) connection.order.noteSent();
      if (taken === 0) return 0;
    }
    if (!answerable && options.noResponders && message.withReplies)
      this.#host.answers.noResponders(connection, topic, message, taken);
    this.published += taken;
    if (options.verbose || (connection.requestId !== null && !topic.captured)) this.accept(connection, taken);
    return taken;
  }

  publishKnown(connection: Connection, span: Span, position: number, end: number, tries: boolean): number {
    const { address } = span;
    const { topic, options, rights, requestId, account } = connection;
    if (address < 0 || topic === null || !options.echo || options.verbose || rights !== null) return position;
    const { router, exchange, delivery, limits, memoryShort } = this.#host;
    const { knownTopics } = delivery;
    if (knownTopics === null || requestId !== null || account !== mainAccount) return position;
    knownTopics.learn(topic);
    if (!tries || router.holds.active !== 0 || memoryShort || !exchange.sequences || router.ahead?.asking)
      return position;
    const next = knownTopics.publish(address + position, address + end, limits) - address;
    this.published += knownTopics.published;
    exchange.shards[this.#host.self].onSequenced(knownTopics.published - knownTopics.handedOn);
    if (knownTopics.handedOn > 0) connection.order.noteSent();
    return next;
  }

  publishTogether(connection: Connection, lines: PlainLines, position: number, end: number): number {
    const { topic } = connection;
    if (topic === null || !this.#mayTogether(connection, topic)) return position;
    const { message } = lines;
    const { router, exchange, self } = this.#host;
    const topics = this.#together;
    let count = 0;
    let next = position;
    for (; count < togetherMessagesMax && lines.readNext(next, end, count); next = lines.nextPosition) {
      const other = router.topics.at(message.span, lines.subjectStart, lines.subjectEnd, connection.account);
      if (other === null || !this.#joins(connection, topic, other, message, count)) break;
      topics[count++] = other;
    }
    message.count = count;
    message.exceptConnection = 0;
    if (count === 0 || !exchange.shards[self].publishTogether(topics, message)) return position;
    connection.topic = topics[count - 1];
    router.work.units += count * cost.publish;
    this.published += count;
    return next;
  }

  /** Whether nothing has to be looked at message by message of a connection whose last one was taken by a stream. */
  #mayTogether({ rights, requestId, options }: Connection, topic: Topic): boolean {
    const { router, self, memoryShort } = this.#host;
    if (!topic.live || !topic.captured || topic.owner !== self || rights !== null || requestId !== null) return false;
    return !options.verbose && router.holds.active === 0 && !memoryShort;
  }

  /** Whether message `index`, on a topic, may follow one on another topic that a stream has taken. */
  #joins(connection: Connection, before: Topic, topic: Topic, message: MessageView, index: number): boolean {
    const { router, exchange, self } = this.#host;
    if (!router.ready(topic) || router.ahead?.holds(topic)) return false;
    if (!topic.captured || topic.served || topic.owner !== self || !topic.allowed) return false;
    if (!exchange.shards[self].takesTogether(before, topic)) return false;
    const { replyStarts, replyEnds, withReplies, span } = message;
    return !withReplies || connection.awaited.covers(span, replyStarts[index], replyEnds[index]);
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
    this.published++;
    this.accept(connection);
    return 1;
  }

  /**
   * What a client names as a reply, and takes by a subscription of its own, is an address, and so is what is like it but for the last token.
   * False when the connection has to wait: an address may have another owner than the topic had that it was, so what it published is to be in order.
   */
  #awaitAnswers(connection: Connection, message: MessageView): boolean {
    const { awaited, account } = connection;
    if (awaited.covers(message.span, message.replyStarts[0], message.replyEnds[0])) return true;
    const { interest } = this.#host.router;
    const reply = message.replyText(0);
    const find = () => inboxEntry(interest, reply, account, ({ local }) => this.#takesPlainly(connection, local));
    const found = find();
    if (found !== null && !interest.hasClaimed(found) && !this.settled(connection)) return false;
    // a subscription may have had its last message meanwhile
    const entry = found === null ? null : find();
    if (entry !== null && !this.#isTopic(entry)) interest.claimInbox(entry);
    awaited.set(reply, entry !== null && !entry.wildcard);
    return true;
  }

  /** Whether messages have come to the very subject of an entry: others may have more of them under way, so it keeps its owner. */
  #isTopic({ wildcard, local }: InterestEntry): boolean {
    if (wildcard) return false;
    this.#host.delivery.settle();
    this.#host.router.work.units += local.length >> localShift;
    return local.some((each) => Subscription.of(each).delivered > 0);
  }

  #takesPlainly(connection: Connection, local: readonly LocalSubscription[]): boolean {
    this.#host.router.work.units += local.length >> localShift;
    return local.some((each) => each.queue === '' && Subscription.of(each).connection === connection);
  }

  /** Hands a run to its shard: where that is here, as much of it as the share of work lasts for. */
  #publish(topic: Topic, message: MessageView): number {
    const shard = this.#host.exchange.shards[topic.owner];
    const { count, withHeaders } = message;
    const unitsEach =
      withHeaders || message.long ? topic.unitsOf(Math.floor(message.lengthBytes / count), withHeaders) : topic.units;
    if (unitsEach <= 1 || topic.owner !== this.#host.self) return shard.publish(topic, message);
    const { work } = this.#host.router;
    const affordable = work.affordable(unitsEach, count);
    message.count = affordable;
    const taken = shard.publish(topic, message);
    message.count = count;
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

  settled(connection: Connection): boolean {
    return isSettled(connection.order, this.#host.exchange);
  }

  /** Messages of a run that need not be sequenced, since the topic's publishers wait: none, or all when it refuses them; -1 when it goes. */
  #hold(connection: Connection, topic: Topic, message: MessageView): number {
    const { waiter, handedOut } = connection;
    waiter.busy = handedOut.count > 0;
    const hold = this.#host.router.holds.ask(topic, waiter, !topic.refuses);
    if (hold === 'goes') return -1;
    if (hold === 'parks') return 0;
    if (
      topic.refuses ||
      hold === 'refuses' ||
      (hold === 'drops' && isForGroupAlone(topic) && this.#asks(connection, message))
    )
      return this.#refuseFull(connection, topic, message);
    return hold === 'waits' ? 0 : -1;
  }

  subscribe(connection: Connection, subject: string, queue: string, sid: string, prefetch: number): boolean {
    if (!this.settled(connection)) return false;
    const begun = this.#host.subscriptions.begin(connection, subject, queue, sid, prefetch);
    if (begun === 'waits') return false;
    if (begun === 'begun') this.accept(connection);
    else this.refuse(connection, begun);
    return true;
  }

  unsubscribe(connection: Connection, sid: string, maxMessages: number): boolean {
    if (!this.settled(connection) || !this.#host.subscriptions.limit(connection, sid, maxMessages)) return false;
    connection.order.fenced = false;
    this.accept(connection);
    return true;
  }

  acknowledge(connection: Connection, delivery: number): boolean {
    if (!this.#host.delivery.prefetching.acknowledge(connection, delivery)) return false;
    this.accept(connection);
    return true;
  }

  connect(connection: Connection, json: string): void {
    const options = parseConnectOptions(json, connection.options);
    if (options === null) this.fail(connection, errors.parser);
    else this.authenticate(connection, options);
  }

  authenticate(connection: Connection, options: ConnectOptions): void {
    this.#host.logins.authenticate(connection, options);
  }

  ask(connection: Connection, asked: Asked): string | null {
    return this.#host.asking.askFor(connection, asked);
  }

  finishChore(connection: Connection): boolean {
    const { chore } = connection;
    const { work } = this.#host.router;
    while (connection.chore !== null) {
      if (chore?.next().done === true) connection.chore = null;
      else if (work.spent) return false;
    }
    return true;
  }

  speak(connection: Connection, dialect: Dialect): void {
    if (connection.dialect !== dialect) {
      connection.dialect = dialect;
      this.#host.delivery.looks.change(connection);
    }
    this.accept(connection);
  }

  ping(connection: Connection): boolean {
    if (connection.imagesOwed > 0) return false;
    const exchange = this.#host.exchange;
    if (!exchange.alone) {
      if (!exchange.controlClear || exchange.congested || !hasCaughtUp(connection.order, exchange)) return false;
      const { delivery } = this.#host;
      // what was given back to its shard is part of what the PONG promises; more may have been while the rest was waited for
      while (connection.order.noteRequeues(delivery.requeues) || connection.order.unsequenced)
        if (!this.settled(connection)) return false;
    }
    this.#host.egress.write(connection, connection.dialect.pong(connection.requestId));
    if (connection.login.onPong()) this.#host.greeter.greetConnected(connection);
    return true;
  }

  pong(connection: Connection): void {
    connection.clock.onPong();
    if (connection.backlogs.pacing !== null) this.#host.policing.onPong(connection, connection.backlogs.pacing);
  }

  leave(connection: Connection): boolean {
    return this.#host.lifecycle.finishInput(connection, 'client error');
  }

  /** Tells a client what it did wrong, and ends the connection where that is NATS's way. */
  fail(connection: Connection, error: ProtocolError): void {
    this.#host.lifecycle.fail(connection, error);
  }

  refuse(connection: Connection, error: ProtocolError): void {
    this.#host.egress.write(connection, connection.dialect.error(error.text, connection.requestId));
  }

  breathe(): void {
    if (this.#host.egress.pressing) this.#host.flush();
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

  /** Refuses what its publisher has no right to; it is not acknowledged, as with nats-server. */
  #deny(connection: Connection, { text }: Topic, count: number): number {
    // who may publish to the topic of the publish before is not asked again
    connection.topic = null;
    for (let i = 0; i < count; i++) this.refuse(connection, publishDenied(text));
    return count;
  }

  /** Refuses every message of a run because its topic is full: a request is answered, anything else is an error. */
  #refuseFull(connection: Connection, topic: Topic, message: MessageView): number {
    this.refused += message.count;
    const asks = this.#asks(connection, message);
    for (let i = 0; i < message.count; i++) {
      if (asks && this.#host.answers.topicFull(connection, message, i)) this.accept(connection);
      else this.refusePublish(connection, 1, topicFull(topic.text));
    }
    return message.count;
  }

  /** Refuses a message for its reply; it is not acknowledged, as with nats-server. */
  #refuseReply(connection: Connection, message: MessageView): number {
    assert(message.count === 1, 'a message with a reserved reply is alone in its run');
    this.refuse(connection, reservedReply(message.replyText(0)));
    return 1;
  }

  /** Refuses every message of a run; in verbose mode each is acknowledged all the same, as nats-server does. */
  refusePublish(connection: Connection, count: number, error: ProtocolError): number {
    for (let i = 0; i < count; i++) {
      this.refuse(connection, error);
      if (connection.options.verbose) this.accept(connection);
    }
    return count;
  }

  /** Says that an operation was right, to a client that wants to hear it. */
  accept(connection: Connection, count = 1): void {
    const { options, dialect, requestId } = connection;
    if (!options.verbose && requestId === null) return;
    for (let i = 0; i < count; i++) this.#host.egress.write(connection, dialect.ok(requestId));
  }
}

/** Whether one group takes the topic, and nobody else. */
function isForGroupAlone({ wantedHere, remotes, queues }: Topic): boolean {
  return !wantedHere && remotes.length === 0 && queues.length === 1;
}
