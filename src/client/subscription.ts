import { type AckTerms, defaultTerms } from '../base/ackTerms.js';
import { Alarm } from '../base/alarm.js';
import { assert } from '../base/assert.js';
import type { HistogramWriter } from '../base/histogram.js';
import { failurePauseMs, healthTickMs } from '../base/limits.js';
import type { SlowPolicy } from '../base/policy.js';
import type { DeadReason } from '../protocol/deadLetter.js';
import type { LetterSender } from '../router/deadLetters.js';
import { type ImageSubscription, type ImageWait, type ImageWindow, imageWindow } from '../router/images.js';
import type { LocalSubscription } from '../router/interestEntry.js';
import type { QueueInterest } from '../router/queueInterest.js';
import type { GroupMember } from '../subscriber/group.js';
import { InFlight } from '../subscriber/inFlight.js';
import type { WorkAnswer } from '../subscriber/workState.js';
import type { Backlog } from './backlog.js';
import type { Blocks } from './blocks.js';
import { Bound } from './bound.js';
import type { Delivered } from './delivered.js';
import { BrokerError, SlowConsumerError } from './errors.js';
import type { OnDrop } from './handlers.js';
import type { StoredFeed } from './streams/storedFeed.js';
import { publicSubject } from './subjects.js';
import { throwLater } from './throwLater.js';

/** What a subscription needs of its endpoint. */
export interface SubscriptionHost {
  readonly blocks: Blocks;
  /** Something waits for the subscription's consumer, or it has to hear of losses. */
  wake(subscription: Subscription): void;
  /** It has lost messages to its policy. */
  lost(subscription: Subscription, dropped: number): void;
  /** Takes its interest away; false while messages may still be on their way to it: `left` is called when none is. */
  remove(subscription: Subscription): boolean;
  /** Finds another member of the group for a message; true when that is another thread's now. */
  giveBack(subscription: Subscription, message: Delivered): boolean;
  /** As whom its thread publishes, but for the subject. */
  readonly sender: Omit<LetterSender, 'deadLetter'>;
  /** Publishes what nobody is to have again; false when it is to be tried again. */
  bury(subscription: Subscription, message: Delivered, reason: DeadReason, deliveries: number, detail: string): boolean;
  /** Its policy has dropped a message, for which it has named a subject. */
  dropLetter(subscription: Subscription, message: Delivered): void;
  /** Messages of groups that consumers here have taken and not acknowledged. */
  workInFlight: number;
  /** A member that bounds what it has in flight has room again. */
  roomChanged(subscription: Subscription): void;
  /** How long handlers take. */
  readonly handlerTimes: HistogramWriter;
}

/** Who takes a subscription's messages: a handler, or an iterator. */
export interface Consumer {
  /** Whether a stop need not wait for it. */
  readonly idle: boolean;
  /** Whether a message is in flight, of which more may come. */
  readonly atWork: boolean;
  /** Whether it takes what others wait for, so that it ends after them. */
  readonly endsLast: boolean;
  /** Takes what it can. */
  work(): void;
  /** Nothing more will come than what is buffered. */
  end(): void;
}

let subscriptionsMade = 0;

const lengthBytesOf = (message: Delivered): number => message.lengthBytes;

/** One subscription of this process: what waits for its consumer, what the consumer has in flight, and its end. */
export class Subscription implements ImageSubscription, GroupMember {
  subject: string;
  queue: string;
  /** A few objects of its own, about; what waits in its backlog has bounds of its own. */
  readonly heldBytes = 1200;
  readonly policy: SlowPolicy;
  /** Of a group's member: messages that it may have, waiting or in flight to its consumer; 0 is no limit. */
  readonly prefetch: number;
  /** Whether a message is in flight no more once its consumer has taken it. */
  readonly acknowledgesItself: boolean;
  readonly lossy: boolean;
  retired = false;
  index = 0;
  part: QueueInterest | null = null;
  readonly identity = Math.imul(++subscriptionsMade, 0x9e3779b1);
  /** The image that it waits for. */
  image: ImageWait | null = null;
  consumer: Consumer | null = null;
  /** Whether it is on its endpoint's list of subscriptions to be looked at. */
  awake = false;
  /** No more messages come; what is buffered may still be taken. */
  ended = false;
  /** Why it ended, when it was not asked to. */
  error: BrokerError | null = null;
  /** Messages that its consumer has taken. */
  delivered = 0;
  /** Messages whose value its handler could not read, when it does not want to know. */
  unreadable = 0;
  /** Messages with which its handler failed. */
  failed = 0;
  /** Called once when it ends. */
  onEnd: (() => void) | null = null;
  readonly onDrop: OnDrop | null;
  /** Where its messages come from, of one that reads a stream; else null. */
  readonly feed: StoredFeed | null;
  readonly #host: SubscriptionHost;
  readonly #terms: AckTerms;
  #ending = false;
  /** Whether what still comes is given up, too. */
  #unwanted = false;
  readonly #bound: Bound;
  /** With `prefetch`: what the consumer has not acknowledged. */
  readonly #inFlight: InFlight<Delivered, Delivered>;
  /** What is held back, until the timer gives it up. */
  readonly #pauses = new Map<Delivered, NodeJS.Timeout>();
  /** What nobody is to have again: until it is published it keeps its place in flight to the consumer. */
  readonly #dying = new Set<Delivered>();
  /** Rings when its consumer has given no sign for too long. */
  readonly #deadline = new Alarm(() => this.#giveUpOverdue());
  /** What its handler is busy with. */
  #running: Delivered | null = null;

  constructor(
    host: SubscriptionHost,
    subject: string,
    queue: string,
    policy: SlowPolicy,
    prefetch: number,
    onDrop: OnDrop | null,
    acknowledgesItself = false,
    terms = defaultTerms,
    feed: StoredFeed | null = null,
  ) {
    this.feed = feed;
    this.#host = host;
    this.subject = subject;
    this.queue = queue;
    this.policy = policy;
    this.prefetch = prefetch;
    this.onDrop = onDrop;
    this.acknowledgesItself = acknowledgesItself;
    this.#terms = terms;
    this.#inFlight = new InFlight(prefetch, terms.ackWaitMs, lengthBytesOf);
    this.#bound = new Bound(policy, host.blocks, (message) => this.#onDropped(message));
    this.lossy = policy.policy !== 'block';
  }

  /** What is kept as interest; only the endpoint's subscriptions are on its thread. */
  static of(local: LocalSubscription): Subscription {
    assert(local instanceof Subscription, "an endpoint's interest is its subscriptions");
    return local;
  }

  get backlog(): Backlog {
    return this.#bound.backlog;
  }

  /** Messages lost to its policy. */
  get dropped(): number {
    return this.#bound.dropped;
  }

  /** Whether another message would be one too many. */
  get full(): boolean {
    return this.#bound.full;
  }

  /** What it can take of its image now. */
  get imageRoom(): ImageWindow | null {
    return this.#bound.hasRoomAgain ? imageWindow(this.policy, this.backlog) : null;
  }

  /** How many messages of its group it takes more now; undefined when it sets no bound. One it takes however large it is. */
  get workRoom(): number | undefined {
    if (this.prefetch === 0) return undefined;
    if (this.ended) return 0;
    const { count, bytes } = this.backlog;
    return this.#inFlight.room(count, bytes + this.#inFlight.bytes >= this.policy.maxBytes);
  }

  /** Messages that it has, waiting or in flight to its consumer: by this a group chooses among members. */
  get load(): number {
    return this.backlog.count + this.#inFlight.count;
  }

  mayTake(): boolean {
    return !this.ended;
  }

  /** One with `prefetch` takes what it has room for. */
  get keepsUp(): boolean {
    return this.prefetch > 0 || !this.full;
  }

  /** Whether a message can be handed out now. */
  get ready(): boolean {
    return this.backlog.count > 0;
  }

  push(message: Delivered): void {
    if (this.ended) return;
    if (this.feed !== null && !this.feed.admits(message)) return;
    if (this.#unwanted) {
      message.sync?.begin();
      this.#pass(message);
      return;
    }
    // those that had it went without a word
    if (this.#isLast(message.returns)) {
      message.sync?.begin();
      this.#inHandAgain(message);
      this.#inFlight.on(message, 'nackLater', performance.now());
      // nothing is published while lanes are read
      this.#pause(message, 0, () => this.#bury(message, 'max-deliver', message.returns));
      this.#dying.add(message);
      return;
    }
    // what a group hands out has found room already
    const admission = this.prefetch === 0 ? this.#bound.admit(message) : 'waits';
    if (admission === 'ends') {
      this.#endSlow();
      return;
    }
    if (admission === 'waits') {
      message.sync?.begin();
      this.#bound.add(message);
    }
    this.#host.wake(this);
  }

  /** Messages were lost before they came here, since this thread did not take them in time. */
  loseOnTheWay(count: number): void {
    if (this.ended) return;
    if (this.#bound.loseOnTheWay(count)) this.#endSlow();
    else this.#host.wake(this);
  }

  /** Takes the next message to the consumer. */
  take(): Delivered | null {
    const message = this.#bound.take();
    if (message === null) return null;
    this.delivered++;
    if (this.acknowledgesItself) this.#roomChanged();
    else if (this.prefetch > 0) {
      this.#inHandAgain(message);
    }
    // it counts as one that it has by now
    this.feed?.onTaken(message);
    // the next of its image may have waited for that
    if (this.image !== null) this.#host.wake(this);
    return message;
  }

  /** Whether a message that was handed out so often is handed out no more. */
  #isLast(deliveries: number): boolean {
    const { maxDeliver } = this.#terms;
    return maxDeliver !== 0 && deliveries >= maxDeliver && this.prefetch > 0 && this.feed === null;
  }

  /** Where what nobody is to have goes, one character a byte; '' for nowhere. */
  get deadLetter(): string {
    return this.#terms.deadLetter;
  }

  /** How long handlers of this thread take. */
  get handlerTimes(): HistogramWriter {
    return this.#host.handlerTimes;
  }

  /** As whom its dead letters are published. */
  get letters(): LetterSender {
    return { ...this.#host.sender, deadLetter: this.deadLetter };
  }

  #onDropped(message: Delivered): void {
    if (this.deadLetter !== '' && !message.dead) this.#host.dropLetter(this, message);
  }

  /** Nobody is to have a message again: it is published where it is said to, now or later. */
  #bury(message: Delivered, reason: DeadReason, deliveries: number, detail = ''): void {
    if (this.deadLetter === '' || message.dead) {
      this.done(message);
      return;
    }
    this.#dying.add(message);
    this.#inFlight.on(message, 'nackLater', performance.now());
    if (this.#host.bury(this, message, reason, deliveries, detail)) this.done(message);
    else this.#pause(message, healthTickMs, () => this.#bury(message, reason, deliveries, detail));
  }

  /** The consumer is done with a message; false when it was already. */
  done(message: Delivered): boolean {
    if (this.prefetch > 0 && !this.acknowledgesItself) {
      if (!this.#letGo(message)) return false;
      this.feed?.answer(message, 'ack', 0);
      this.#roomChanged();
    }
    message.sync?.finish();
    return true;
  }

  /**
   * The consumer says something of a message that it has taken; false when it is not in flight any more.
   *
   * @param delayMs of `nackLater`: for how long it is held back
   * @param detail of `terminate`: why, as `deadDetail` has it
   */
  answer(message: Delivered, answer: WorkAnswer, delayMs: number, detail = ''): boolean {
    if (!this.#inFlight.has(message) || this.#dying.has(message)) return false;
    const nowMs = performance.now();
    if (this.feed !== null) return this.#answerStored(this.feed, message, answer, delayMs, detail);
    this.#inFlight.sign(nowMs);
    switch (this.#inFlight.on(message, answer, nowMs)) {
      case 'pausing':
        this.#pause(message, delayMs);
        break;
      case 'working':
        this.#endPause(message);
        this.#watch();
        break;
      case 'returned':
        this.giveUp(message);
        break;
      case 'done':
        this.done(message);
        break;
      case 'terminated':
        this.#bury(message, 'terminated', message.deliveries, detail);
    }
    return true;
  }

  /** The consumer is done with a message that it has taken; resolves when nobody gets it again whatever crashes. */
  confirm(message: Delivered): Promise<void> {
    if (!this.#inFlight.has(message) || this.#dying.has(message))
      return Promise.reject(
        new BrokerError('NOT_IN_FLIGHT', 'the message is not in flight any more: its time was over, or it is done'),
      );
    if (this.feed === null) {
      this.answer(message, 'ack', 0);
      return Promise.resolve();
    }
    const confirmed = this.feed.confirm(message);
    this.#letGo(message);
    this.#roomChanged();
    return confirmed;
  }

  /** The same of a stream's message: it is its consumer that waits, and each message has a time of its own. */
  #answerStored(feed: StoredFeed, message: Delivered, answer: WorkAnswer, delayMs: number, detail = ''): boolean {
    feed.answer(message, answer, delayMs, detail);
    this.#letGo(message);
    if (answer === 'working') this.#inHandAgain(message);
    else this.#roomChanged();
    return true;
  }

  #inHandAgain(message: Delivered): void {
    this.#inFlight.add(message, message, performance.now());
    this.#host.workInFlight++;
    this.#watch();
  }

  /** How long a message may be in flight to the consumer. */
  set ackWaitMs(ackWaitMs: number) {
    this.#inFlight.ackWaitMs = ackWaitMs;
  }

  /** What waits for the consumer. */
  get waiting(): readonly Delivered[] {
    return [...this.backlog.items()];
  }

  #roomChanged(): void {
    if (this.feed === null) this.#host.roomChanged(this);
    else this.feed.onRoom();
  }

  #pause(message: Delivered, delayMs: number, then = () => this.giveUp(message)): void {
    this.#endPause(message);
    this.#pauses.set(message, setTimeout(then, delayMs).unref());
  }

  #endPause(message: Delivered): void {
    if (this.#pauses.size === 0) return;
    clearTimeout(this.#pauses.get(message));
    this.#pauses.delete(message);
  }

  #watch(): void {
    this.#deadline.set(this.#inFlight.dueMs, performance.now());
  }

  /** Gives what has been in flight for too long, without a sign of the consumer, to another member. */
  #giveUpOverdue(): void {
    const nowMs = performance.now();
    while (this.#inFlight.dueMs <= nowMs) this.giveUp(this.#inFlight.oldest as Delivered);
    this.#watch();
  }

  /** Its handler is busy with a message until `ran`. */
  run(message: Delivered): void {
    this.#running = message;
  }

  /** Its handler is done; if the subscription has ended meanwhile, what it did not acknowledge is for another member. */
  ran(message: Delivered): void {
    this.#running = null;
    if (this.ended) this.giveUp(message);
  }

  /** Its handler has failed with a message: unless it was acknowledged, another member gets it after a pause. */
  fail(message: Delivered): void {
    this.failed++;
    if (!this.#inFlight.isWorking(message)) return;
    if (this.feed !== null) {
      this.#answerStored(this.feed, message, 'nackLater', failurePauseMs);
      return;
    }
    this.#inFlight.on(message, 'nackLater', performance.now());
    this.#pause(message, failurePauseMs);
  }

  /** Gives a message that its consumer has taken, and not acknowledged, back to the group, unless it was handed out as often as it may be. */
  giveUp(message: Delivered): void {
    if (this.#dying.has(message)) return;
    if (this.#inFlight.has(message) && this.#isLast(message.deliveries))
      this.#bury(message, 'max-deliver', message.deliveries);
    else this.#return(message);
  }

  #return(message: Delivered): void {
    if (!this.#letGo(message)) return;
    message.countReturn();
    this.#pass(message);
    this.#roomChanged();
  }

  /** Its consumer may take more. */
  resume(): void {
    this.#host.wake(this);
  }

  /** Tells of losses since the last time. */
  tellDrops(): void {
    const dropped = this.#bound.takeUntold();
    if (dropped === 0) return;
    this.#host.lost(this, dropped);
    try {
      this.onDrop?.(dropped, this.dropped);
    } catch (error) {
      throwLater(error);
    }
  }

  /** No more messages; what is buffered is left to the consumer. */
  end(error: BrokerError | null = null): void {
    if (this.ended || this.#ending) return;
    this.#ending = true;
    this.error = error;
    // what was put in order before still comes meanwhile
    if (this.#host.remove(this)) this.left();
  }

  /** Its interest is gone: nothing more comes. */
  left(): void {
    this.ended = true;
    if (this.prefetch > 0) this.#returnAll(this.#running);
    this.#bound.catchUp();
    this.feed?.end();
    this.onEnd?.();
    this.consumer?.end();
    this.#host.wake(this);
  }

  /** Gives up what is buffered, and what was not acknowledged: to another member where there is a group. */
  discard(): void {
    this.#unwanted = this.#ending;
    if (this.prefetch > 0) this.#returnAll(null);
    for (let message = this.backlog.take(); message !== null; message = this.backlog.take()) this.#pass(message);
    this.#bound.catchUp();
  }

  /** Gives back what it has, but for one message. */
  #returnAll(except: Delivered | null): void {
    for (const message of this.#inFlight.keys) if (message !== except) this.#return(message);
    for (let message = this.backlog.take(); message !== null; message = this.backlog.take()) this.#pass(message);
  }

  #letGo(message: Delivered): boolean {
    if (this.#inFlight.take(message) === undefined) return false;
    this.#endPause(message);
    this.#dying.delete(message);
    if (this.#inFlight.count === 0) this.#deadline.clear();
    this.#host.workInFlight--;
    return true;
  }

  /** Gives a message to another member, where there is a group. */
  #pass(message: Delivered): void {
    this.feed?.answer(message, 'nack', 0);
    // whose it is now accounts for it
    const elsewhere = this.queue !== '' && this.#host.giveBack(this, message);
    if (!elsewhere) message.sync?.finish();
  }

  /** It has lost too much. */
  #endSlow(): void {
    this.end(new SlowConsumerError(publicSubject(this.subject), this.#bound.droppedInRow));
  }
}
