import { setTimeout as sleep } from 'node:timers/promises';
import { mainAccount } from '../base/account.js';
import { AdaptiveSpin } from '../base/adaptiveSpin.js';
import { Alarm } from '../base/alarm.js';
import { assert } from '../base/assert.js';
import { latin1Bytes, readableText } from '../base/bytes.js';
import { fullness } from '../base/fullness.js';
import { HistogramWriter } from '../base/histogram.js';
import { blockWarnMs, healthTickMs, topicSweepMs } from '../base/limits.js';
import { LossWatch } from '../base/lossWatch.js';
import { MessageView } from '../base/messageView.js';
import { Span } from '../base/span.js';
import { histogramIn, type TallyRow, tally, tallyRow, tallyRows } from '../base/tally.js';
import { Turn } from '../base/turn.js';
import { Work } from '../base/work.js';
import { Exchange } from '../exchange/exchange.js';
import type { ExchangeMemory, PeerMemory } from '../exchange/memory.js';
import { Shortage } from '../exchange/shortage.js';
import type { BrokerOptions } from '../options/brokerOptions.js';
import type { DeadReason } from '../protocol/deadLetter.js';
import { errors, subscriptionDenied } from '../protocol/errors.js';
import type { ServerInfo } from '../protocol/info.js';
import { DeadLetters } from '../router/deadLetters.js';
import { Handover } from '../router/handover.js';
import { LetterLines } from '../router/letterLines.js';
import type { AnnounceStep } from '../router/ownerChanges.js';
import type { Rights } from '../router/rights.js';
import { Router } from '../router/router.js';
import { SpanOutbox, type SpanWay } from '../router/spanOutbox.js';
import { TokenRoles } from '../router/tokenRoles.js';
import type { Topic } from '../router/topic.js';
import { Traces } from '../router/traces.js';
import { Blocks } from './blocks.js';
import type { EndpointCensus } from './census.js';
import { ClientDelivery } from './clientDelivery.js';
import { ClientTracing } from './clientTracing.js';
import type { Delivered } from './delivered.js';
import type { EndpointSettings } from './endpointSettings.js';
import { BrokerError, ClosedError, PermissionError, UnknownTopicError } from './errors.js';
import { Publisher } from './publisher.js';
import { Requests } from './requests.js';
import { Roster } from './roster.js';
import { publicSubject } from './subjects.js';
import type { Subscription, SubscriptionHost } from './subscription.js';
import { SyncPublishes } from './syncPublishes.js';

/** What an endpoint is made with; it can be posted to another thread. */
export interface EndpointData extends EndpointSettings {
  readonly self: number;
  /** How many endpoints the broker had opened before this one. */
  readonly opening: number;
  readonly shards: number;
  readonly endpoints: number;
  readonly order: BrokerOptions['order'];
  readonly hashSeed: number;
  /** Subjects and patterns whose last message is kept. */
  readonly lastValue: readonly string[];
  readonly exchange: ExchangeMemory;
  /** What gateways count in what they hold for clients. */
  readonly budget: SharedArrayBuffer;
  /** What threads count. */
  readonly tallies: SharedArrayBuffer;
  /** Where spans of messages go; null where they have none. */
  readonly spans: SpanWay | null;
}

/** How often a thread that leaves looks whether its handlers have finished, in milliseconds. */
const finishPauseMs = 2;

/**
 * The exchange's endpoint of a thread that is not the broker's own: a gateway whose clients are in the same thread, without
 * a shard. Its turns are like those of `src/broker/shardThread.ts`; asleep it keeps neither the processor busy nor the
 * process alive.
 */
export class ClientEndpoint implements SubscriptionHost {
  readonly blocks: Blocks;
  workInFlight = 0;
  readonly publisher: Publisher;
  readonly syncPublishes: SyncPublishes;
  readonly #traces: Traces;
  readonly requests = new Requests(this);
  readonly #deadLetters: DeadLetters;
  /** What policies here have dropped and is to be published. */
  readonly #letters: LetterLines<Subscription, Delivered>;
  /** Of dead letters that were not published it has been told so often. */
  #lettersTold = 0;
  #lettersToldMs = Number.NEGATIVE_INFINITY;
  readonly #tally: TallyRow;
  /** Of these all can see how many there were. */
  #lettersCounted = { posted: 0, denied: 0, lost: 0 };
  readonly handlerTimes: HistogramWriter;
  readonly #exchange: Exchange<Topic>;
  readonly #router: Router;
  readonly #handover: Handover;
  readonly #delivery: ClientDelivery;
  readonly #turn = new Turn(() => this.#doWork());
  /** Wakes the thread when something that is held up has waited long enough. */
  readonly #alarm = new Alarm(() => this.#turn.request());
  /** Wakes it for dead letters for which there was no room. */
  readonly #letterAlarm = new Alarm(() => this.#turn.request());
  readonly #traceAlarm = new Alarm(() => this.#turn.request());
  readonly #shown = new MessageView();
  readonly #work = new Work();
  readonly #sweeper: NodeJS.Timeout;
  readonly #roster: Roster;
  readonly #losses: LossWatch<Subscription>;
  readonly #spin = new AdaptiveSpin();
  #drainTimeoutMs: number;
  #subscriptionMemoryBytes: number;
  #server: ServerInfo;
  #closed = false;
  readonly #rights: Rights | null;

  /** @param rights what its thread may do; null where nothing is forbidden */
  constructor(data: EndpointData, rights: Rights | null = null) {
    this.#rights = rights;
    this.#tally = tallyRow(data.tallies, tallyRows.endpoint(data.self));
    this.handlerTimes = new HistogramWriter(histogramIn(this.#tally, 'handler'));
    this.#exchange = new Exchange<Topic>(data.exchange, data.self, this.#work);
    this.#router = new Router(data, this.#exchange.announcer, (topic) => this.#exchange.forget(topic), this.#work);
    this.#router.setDeclared(data.declared);
    this.#router.setRefusing(data.refusing);
    this.#delivery = new ClientDelivery(this.#router, this.#exchange, () => this.#turn.request(), rights);
    this.syncPublishes = new SyncPublishes(data.self, data.shards, data.opening, () => this.#exchange.drainControl());
    this.#router.holds.blockMaxMs = data.blockMaxMs;
    this.#subscriptionMemoryBytes = data.subscriptionMemoryBytes;
    this.#router.holds.onSpent = (topic) => {
      this.#exchange.announcer.announceHoldSpent(topic.text);
      this.#turn.request();
    };
    this.#handover = new Handover(false, this.#router, this.#exchange, {
      deferral: { mark: () => [], hasPassed: () => true },
      onMoved: () => {},
      onReleased: () => this.#turn.request(),
      onDone: () => {},
    });
    const role = {
      ...this.#router.role(),
      onHandover: (...step: Parameters<AnnounceStep>) => {
        this.#handover.onStep(...step);
        this.#turn.request();
      },
    };
    const shortage = new Shortage(data.budget);
    const office = {
      ready: (topic: Topic) => {
        this.#router.freshen(topic);
        return true;
      },
      publish: (topic: Topic, message: MessageView) =>
        !shortage.short && this.#exchange.shards[topic.owner].publish(topic, message) > 0,
    };
    this.#server = data.server;
    const traceOffice = {
      ...office,
      onRoom: () => {},
      requestTurn: () => this.#turn.request(),
      server: () => this.#server,
    };
    const spans = data.spans === null ? null : new SpanOutbox(data.spans);
    this.#traces = new Traces(data.self, this.#router, traceOffice, spans);
    this.#exchange.connect(role, null, this.#delivery, new TokenRoles(this.syncPublishes, this.#traces));
    this.#roster = new Roster(this.#router.interest, this.#exchange, this.#delivery, (gone) =>
      this.#losses.forget(gone),
    );
    this.#deadLetters = new DeadLetters(this.#router, office);
    this.#letters = new LetterLines(this.#deadLetters, {
      show: (message: Delivered, view) => message.fill(view),
      bytesOf: ({ lengthBytes }) => lengthBytes,
      subjectOf: ({ text }) => text,
      release: () => {},
    });
    this.publisher = new Publisher(
      this.#router,
      this.#exchange,
      data.maxPayloadBytes,
      () => this.#turn.request(),
      () => this.workInFlight > 0,
      (reply, text) => this.#delivery.answer(reply, text),
      rights,
      shortage,
      this.syncPublishes,
      new ClientTracing(this.#traces, rights),
    );
    this.blocks = new Blocks((subject, blocked) => {
      const state = blocked ? fullness.held : fullness.ready;
      this.#router.holds.setFull(subject, data.self, state);
      this.#exchange.announcer.announceFull(subject, state);
      this.#turn.request();
    });
    this.#drainTimeoutMs = data.drainTimeoutMs;
    this.#losses = new LossWatch<Subscription>(data.lossWindowMs, () => {}, warnOfLosses);
    this.#sweeper = setInterval(() => this.#tick(), topicSweepMs).unref();
    this.#turn.request();
  }

  /** What a leak would show in. */
  census(): Omit<EndpointCensus, 'requests'> {
    const { interest, topics } = this.#router;
    return {
      subscriptions: this.#roster.size,
      interest: interest.size,
      queues: interest.queueNames.size,
      topics: topics.size,
      blocked: this.blocks.size,
      publishing: this.publisher.waiting,
      lettersDenied: this.#deadLetters.denied,
      lettersLost: this.#letters.lost,
      synchronous: this.syncPublishes.size,
      peers: this.#exchange.peers,
    };
  }

  /** The topic of a literal subject as kept here; whoever keeps it looks at `live` before using it again. */
  topicOf(subject: string): Topic {
    return this.#router.topics.obtain(new Span(latin1Bytes(subject)), 0, subject.length);
  }

  /** Whether anybody takes the topic. */
  isWanted(topic: Topic): boolean {
    this.#exchange.drainControl();
    this.#router.freshen(topic);
    return topic.wanted;
  }

  /**
   * Begins a subscription. When it returns, whatever is caused from then on finds it, on every thread.
   *
   * @param last whether it wants the last message of each subject first
   * @throws ClosedError, PermissionError, or BrokerError `TOO_MANY` when subscriptions take as much memory as they may
   */
  add(subscription: Subscription, last = false): void {
    if (this.#closed) throw new ClosedError();
    this.#check(subscription);
    if (this.#router.interest.heldBytes >= this.#subscriptionMemoryBytes)
      throw new BrokerError('TOO_MANY', 'subscriptions take as much memory as they may (subscriptionMemoryBytes)');
    this.#roster.add(subscription);
    if (last) this.#delivery.images.requestFirst(subscription);
    this.#exchange.publish();
    this.#turn.request();
  }

  #check({ subject, queue, letters }: Subscription): void {
    if (this.#rights?.maySubscribe(subject, queue) === false)
      throw new PermissionError(subscriptionDenied(publicSubject(subject), publicSubject(queue)).text);
    const noLetters = this.#deadLetters.whyNot(letters);
    if (noLetters === errors.unknownTopic) throw new UnknownTopicError(publicSubject(letters.deadLetter));
    if (noLetters !== null) throw new PermissionError(readableText(noLetters.text));
  }

  /** Answers are awaited by a subscription that has begun. */
  claimInbox({ subject }: Subscription): void {
    const { interest } = this.#router;
    const entry = interest.find(subject);
    assert(entry !== null, 'a subscription that has begun is known');
    interest.claimInbox(entry);
    this.#exchange.publish();
  }

  remove(subscription: Subscription): boolean {
    this.#turn.request();
    return this.#roster.remove(subscription);
  }

  wake(subscription: Subscription): void {
    if (this.#roster.wake(subscription)) this.#turn.request();
  }

  roomChanged(subscription: Subscription): void {
    this.#delivery.rooms.changed(subscription);
    this.#turn.request();
  }

  giveBack(subscription: Subscription, message: Delivered): boolean {
    // nobody reads what an endpoint writes that has left
    if (this.#closed) return false;
    this.#turn.request();
    return this.#delivery.giveBack(subscription, message);
  }

  get sender(): { account: number; rights: Rights | null } {
    return { account: mainAccount, rights: this.#rights };
  }

  bury(
    { letters, queue }: Subscription,
    message: Delivered,
    reason: DeadReason,
    deliveries: number,
    detail: string,
  ): boolean {
    if (this.#closed) return true;
    this.#exchange.drainControl();
    message.fill(this.#shown);
    const notes = { reason, detail, subject: message.text, group: queue, deliveries, dropped: 0 };
    this.#turn.request();
    return this.#deadLetters.post(letters, this.#shown, notes) !== 'waits';
  }

  dropLetter(subscription: Subscription, message: Delivered): void {
    if (this.#closed || !this.#letters.hasRoom(subscription, false)) return;
    this.#letters.add(subscription, subscription.policy.policy, message);
    this.#turn.request();
  }

  /** Publishes what policies have dropped, and looks again where there was no room. */
  #postLetters(): void {
    const goesOn = this.#letters.doWork();
    if (goesOn) this.#turn.request();
    else if (this.#letters.any) this.#letterAlarm.set(performance.now() + healthTickMs, performance.now());
  }

  /** Publishes traces, and looks again at those for which somebody has not told what became of the message. */
  #postTraces(): void {
    const nowMs = performance.now();
    this.#traces.tick(nowMs);
    this.#traces.doWork();
    if (this.#traces.size > 0) this.#traceAlarm.set(nowMs + healthTickMs, nowMs);
  }

  /** Counts dead letters where others see it. Whoever had this place before has counted there, too. */
  #countLetters(): void {
    const { posted, denied } = this.#deadLetters;
    const { lost } = this.#letters;
    const before = this.#lettersCounted;
    this.#tally[tally.deadLetters] += posted - before.posted;
    this.#tally[tally.lettersDenied] += denied - before.denied;
    this.#tally[tally.lettersLost] += lost - before.lost;
    this.#lettersCounted = { posted, denied, lost };
  }

  /** Tells of dead letters that were not published, once in a window. */
  #reviewLetters(nowMs: number): void {
    this.#countLetters();
    const lost = this.#deadLetters.denied + this.#letters.lost;
    if (lost === this.#lettersTold || nowMs < this.#lettersToldMs + this.#losses.windowMs) return;
    warnOfLetters(lost - this.#lettersTold);
    this.#lettersTold = lost;
    this.#lettersToldMs = nowMs;
  }

  /** Takes what may change while the broker runs. */
  reload(settings: EndpointSettings): void {
    this.#router.setDeclared(settings.declared);
    this.#router.setRefusing(settings.refusing);
    this.publisher.maxPayloadBytes = settings.maxPayloadBytes;
    this.#losses.windowMs = settings.lossWindowMs;
    this.#drainTimeoutMs = settings.drainTimeoutMs;
    this.#router.holds.blockMaxMs = settings.blockMaxMs;
    this.#subscriptionMemoryBytes = settings.subscriptionMemoryBytes;
    this.#server = settings.server;
  }

  /** Another endpoint has come. */
  join(peer: PeerMemory): void {
    this.#exchange.join(peer);
    this.syncPublishes.join(peer.endpoint);
    const announcer = this.#exchange.announcerTo(peer.endpoint);
    if (announcer !== null) this.#router.replay(announcer);
    this.#exchange.publish();
    this.#turn.request();
  }

  /** Another endpoint has gone, and all shards know. */
  leave(endpoint: number): void {
    // what shards said of it before they knew
    this.#exchange.drainControl();
    this.#router.dropGateway(endpoint);
    this.#exchange.leave(endpoint);
    this.syncPublishes.leave(endpoint);
    this.#turn.request();
  }

  /** What is not done yet, for the log; null when nothing is on its way from here or to here and no handler at work. */
  get unrest(): string | null {
    for (const { subject, consumer } of this.#roster.consuming())
      if (consumer?.idle === false) return `a subscription to ${publicSubject(subject)} has messages in flight`;
    if (!this.publisher.quiet || this.#letters.any || this.#traces.size > 0) return 'something waits to be published';
    if (this.#roster.retires) return 'a member leaves its group';
    return this.#exchange.quiet && !this.#roster.anyAwake ? null : 'something is on its way';
  }

  /** The broker, or this end of it, is about to stop: from now on only who has a message in flight may publish. */
  beginStop(): void {
    this.publisher.beginStop(() => {
      for (const { consumer } of this.#roster.consuming()) if (consumer?.atWork) return true;
      return false;
    });
  }

  /** Ends all subscriptions and waits until handlers have finished and what they sent is in order, but not for ever. */
  async finish(): Promise<void> {
    this.beginStop();
    this.#roster.end((subscription) => !subscription.consumer?.endsLast);
    const lateMs = performance.now() + this.#drainTimeoutMs;
    while (!this.#closed && this.unrest !== null && performance.now() < lateMs) await sleep(finishPauseMs);
  }

  /** Takes no more from its users; what it took is carried out. */
  stopPublishing(): void {
    this.publisher.close();
    this.#turn.request();
  }

  /** Ends all subscriptions, which still give what they have buffered, and leaves. */
  close(): void {
    if (this.#closed) return;
    this.publisher.close();
    this.#roster.end(() => true);
    this.#roster.abandon();
    this.publisher.abandon();
    this.syncPublishes.abandon();
    this.#letters.clear();
    this.#countLetters();
    this.#letterAlarm.clear();
    this.#traces.abandon();
    this.#traces.spans?.close();
    this.#traceAlarm.clear();
    this.#exchange.publish();
    this.#closed = true;
    clearInterval(this.#sweeper);
    this.#roster.dispatch();
  }

  #doWork(): void {
    if (this.#closed) {
      // what was buffered is still given out
      this.#roster.dispatch();
      return;
    }
    this.#work.nextTurn();
    this.#spin.begin(performance.now());
    const worked = this.#exchange.doWork();
    this.#roster.dispatch();
    this.#exchange.takeRelief();
    this.#handover.doWork();
    if (this.#roster.retires) this.#roster.retire();
    // who waits is looked at in every turn
    this.#router.holds.dueMs = Number.POSITIVE_INFINITY;
    this.publisher.doWork();
    if (this.#letters.any) this.#postLetters();
    if (this.#traces.size > 0) this.#postTraces();
    this.#alarm.set(this.#router.holds.dueMs, performance.now());
    const { images } = this.#delivery;
    if (images.waiting && images.goOn(performance.now())) this.#turn.request();
    this.#delivery.rooms.tell();
    this.publisher.flush();
    if (this.#spin.end(worked) && this.#exchange.sleep(this.#wake)) this.#spin.sleep(performance.now());
    else this.#turn.request();
  }

  #tick(): void {
    this.#router.topics.sweepStep(() => {});
    this.#router.holds.sweep();
    this.#losses.review(performance.now());
    this.#reviewLetters(performance.now());
    this.blocks.warn(blockWarnMs, warnOfBlock);
    this.#roster.sweep();
    // some image may have waited long enough for its subscriber
    if (this.#delivery.images.waiting) this.#turn.request();
  }

  lost(subscription: Subscription, dropped: number): void {
    this.#losses.note(subscription, dropped, performance.now());
  }

  readonly #wake = (): void => this.#turn.request();
}

/** The embedding process decides where its warnings go; they are the same for its other threads. */
function warnOfBlock(subject: string): void {
  const what = `publishers of ${publicSubject(subject)} have waited for a subscription in this thread for ${blockWarnMs} ms`;
  process.emitWarning(what, 'BrokerWarning');
}

function warnOfLosses({ subject, policy }: Subscription, dropped: number, delivered: number): void {
  const what = `a subscription to ${publicSubject(subject)} (${policy.policy}) lost ${dropped} messages and got ${delivered}`;
  process.emitWarning(what, 'BrokerWarning');
}

function warnOfLetters(lost: number): void {
  process.emitWarning(`${lost} dead letters were not published: they were denied, or too many`, 'BrokerWarning');
}
