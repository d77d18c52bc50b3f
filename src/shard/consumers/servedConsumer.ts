import { randomInt } from 'node:crypto';
import { consumerNoteMs } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import type { RecordRun } from '../../log/storage.js';
import type { Ack } from '../../protocol/ackMessage.js';
import { ApiError } from '../../stream/api/apiError.js';
import { Consumer, type ConsumerEvents } from '../../stream/consumer/consumer.js';
import { Delivering, type Delivery, type Offered, type Rest, type Taker } from '../../stream/consumer/delivering.js';
import type { PullFields } from '../../stream/consumer/pullRequest.js';
import { type ConsumerConfig, levelOf, type Moment } from '../../stream/consumerConfig.js';
import { isPush } from '../../stream/consumerRules.js';
import { storedMetadata } from '../../stream/metadata.js';
import type { Steps } from '../../stream/steps.js';
import type { Stream } from '../../stream/stream.js';
import type { Sender } from '../addressing.js';
import { Confirmations } from './confirmations.js';
import type { ConsumerSite } from './consumerSite.js';
import type { DueConsumer } from './dueConsumers.js';
import { PullRequests } from './pullRequests.js';
import { PushSubject } from './pushSubject.js';
import { Replay } from './replay.js';

const nanosecondsInMs = 1e6;
const microsecondsInMs = 1000;
/** What it takes longer than said until a consumer is removed that nobody asks for messages: who pulls has pauses, who listens has left. */
const inactiveSlackMs = 100;

type State = 'new' | 'idle' | 'running' | Rest;

/** Who has consumers do their part. */
export interface ConsumerHost {
  /** One has something to do in the next turn. */
  onReady(served: ServedConsumer): void;
  /** Something is due for one, at another time than before. */
  onDue(served: ServedConsumer): void;
  /** One has delivered all there is, and somebody waits for more. */
  onWaiting(served: ServedConsumer): void;
}

interface Arrival {
  readonly fields: PullFields;
  readonly reply: Uint8Array;
}

/** How a consumer begins. */
export interface Beginning {
  readonly name: string;
  readonly createdUs: number;
  readonly next: number;
  readonly lasts: readonly number[] | null;
}

/** A consumer at work: delivers to whoever is there, when there is something. */
export class ServedConsumer implements Sender, Taker, ConsumerEvents, DueConsumer {
  readonly consumer: Consumer;
  readonly #delivering: Delivering;
  /** Those who ask it for messages; null for one that delivers of its own accord, which has a subject. */
  readonly pulls: PullRequests | null;
  readonly push: PushSubject | null;
  /** Messages with which it is done, and that are looked at at the end of the turn. */
  readonly #settled: number[] = [];
  /** Who is told once what they acknowledged lasts; null until somebody wants to know. */
  #confirmations: Confirmations | null = null;
  /** Whether it was told of something that it is not to forget. */
  #isTold = false;
  /** How far it had come when that was noted last, and when. */
  #notedDeliveries = 0;
  #notedMs = 0;
  #dueMs = 0;
  listedMs = Number.POSITIVE_INFINITY;
  readonly #host: ConsumerHost;
  readonly #site: ConsumerSite;
  readonly #token: number;
  readonly #arrivals: Arrival[] = [];
  readonly #replay: Replay | null;
  #state: State = 'new';
  #isWoken = false;
  #isGone = false;
  #isStopped = false;
  #pausedUntilMs = 0;
  /** Of how many acknowledgements in a hundred is told how long they took. */
  #samplePercent: number;

  constructor(config: ConsumerConfig, beginning: Beginning, stream: Stream, site: ConsumerSite, host: ConsumerHost) {
    const { name, createdUs, next, lasts } = beginning;
    this.consumer = new Consumer(config, name, createdUs, stream, next, lasts, site.nowMs, site.clock, this);
    this.#delivering = new Delivering(this.consumer);
    this.#site = site;
    this.#host = host;
    this.#token = site.addressing.enter(this);
    this.push = isPush(config) ? new PushSubject(this.consumer, site, this.#token) : null;
    this.pulls = this.push === null ? new PullRequests(this.consumer, site, this.#token) : null;
    this.#replay = Replay.of(config);
    this.#pauseUntil(config.pause_until);
    this.#samplePercent = percentOf(config);
  }

  get #target(): PullRequests | PushSubject {
    return this.pulls ?? (this.push as PushSubject);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** It is at work from now on: whoever has made it knows what there was before anything was delivered. */
  begin(): void {
    if (this.#state !== 'new') return;
    this.#state = 'idle';
    this.wake();
  }

  /** Takes a request for messages, and is not asked for any that it does not deliver. */
  pull(fields: PullFields, reply: Uint8Array): void {
    this.#arrivals.push({ fields, reply });
    this.wake();
  }

  /** Something has changed for it. */
  wake(): void {
    this.#isWoken = true;
    this.#askForTurn();
  }

  #askForTurn(): void {
    this.#host.onReady(this);
    this.#site.requestTurn();
  }

  /** The stream has something new. @returns whether somebody waits for more than that */
  onStored(): boolean {
    const { isAwaited } = this.#target;
    if (this.#state !== 'running' && isAwaited) this.wake();
    return isAwaited;
  }

  /** Looks whether somebody listens now. */
  onInterest(nowMs: number): void {
    if (this.push?.look(nowMs)) this.wake();
  }

  /** When something is due next, in milliseconds; infinity for never. */
  get dueMs(): number {
    return this.#dueMs;
  }

  set dueMs(dueMs: number) {
    this.#dueMs = dueMs;
    this.#host.onDue(this);
  }

  /** Its part of a turn, when it has asked for one, or something is due. */
  doWork(nowMs: number): void {
    if (nowMs >= this.dueMs) this.#tick(nowMs);
    if (this.#state === 'new' || this.#state === 'running' || this.#isGone) return;
    if (!this.#isWoken && this.#state !== 'no-room') return;
    this.#isWoken = false;
    const mayHaveMore = this.#target.isAwaited && this.consumer.upcoming.mayHaveMore;
    if (this.#arrivals.length === 0 && !mayHaveMore && !this.#target.isReady) return;
    this.#state = 'running';
    void this.#site.slices.run(this.#serve()).then((rest) => this.#rest(rest), this.#fail);
  }

  /** Takes requests in, and delivers as long as somebody takes something. */
  *#serve(): Steps<Rest> {
    for (;;) {
      yield* this.consumer.upcoming.recount();
      for (const { fields, reply } of this.#arrivals.splice(0)) this.pulls?.admit(fields, reply, this.isPaused);
      const rest = yield* this.#delivering.deliver(this);
      if (rest === 'empty') this.#target.onEmpty();
      if (this.#arrivals.length === 0) return rest;
    }
  }

  #rest(rest: Rest): void {
    this.#state = rest;
    if (this.#target.isAwaited) this.#host.onWaiting(this);
    if (rest === 'empty') this.#replay?.caughtUp();
    // what has come since it looked has told nobody
    this.#isWoken ||= this.#target.isAwaited && this.consumer.upcoming.mayHaveMore;
    this.#arm();
    this.#askForTurn();
  }

  /** What is stored cannot be read: it goes on when there is something new. */
  readonly #fail = (error: unknown): void => {
    // our own mistake ends the thread
    if (!(error instanceof ApiError)) throw error;
    this.#state = 'empty';
    if (this.#target.isAwaited) this.#host.onWaiting(this);
    this.#arm();
  };

  get isReady(): boolean {
    if (this.#isGone || this.#isStopped || this.#arrivals.length > 0 || this.isPaused) return false;
    return (this.#replay?.isDue(this.#site.nowMs()) ?? true) && this.#target.isReady;
  }

  offer(delivery: Delivery): Offered {
    const nowMs = this.#site.nowMs();
    if (this.#replay !== null && delivery.count === 1 && !this.#replay.allows(delivery.record, nowMs)) {
      this.dueMs = Math.min(this.dueMs, this.#replay.dueMs);
      return 'nobody';
    }
    return this.#target.offer(delivery);
  }

  offerRun(records: RecordRun, count: number, bytesMax: number, delivery: number, pending: number): number {
    // each has a time of its own
    if (this.#replay !== null) return 0;
    return this.#target.offerRun(records, count, bytesMax, delivery, pending);
  }

  flush(): void {
    this.#site.sending.flush();
  }

  onUndelivered(_gateway: number, consumerSequence: number): void {
    this.consumer.takeBack(consumerSequence);
    this.wake();
  }

  /** A message is done. @returns whether whoever wants to know is told */
  acknowledge(sequence: number, delivery: number): boolean {
    const wasStalled = this.consumer.isStalled;
    this.#hear();
    const isKnown = this.#settle(sequence, delivery);
    this.#wakeFrom(wasStalled);
    return isKnown;
  }

  /**
   * Messages are done, as the requests `[from, end)` of a run say, and no more; those that want to know are told.
   *
   * @param acks a sequence of the stream and one of the consumer's deliveries for each request of the run, one behind the other
   */
  acknowledgeRun(acks: Float64Array, requests: MessageView, from: number, end: number): void {
    const wasStalled = this.consumer.isStalled;
    this.#hear();
    for (let i = from; i < end; i++)
      if (this.#settle(acks[2 * i], acks[2 * i + 1]) && requests.withReplies) this.confirm(requests, i);
    this.#wakeFrom(wasStalled);
  }

  /** @returns whether whoever wants to know is told */
  #settle(sequence: number, delivery: number): boolean {
    const { consumer } = this;
    const deliveries = this.#samplePercent > 0 && this.#isSampled() ? consumer.deliveriesOf(sequence) : 0;
    const tookMs = deliveries === 0 ? 0 : consumer.sinceDelivery(sequence);
    if (!consumer.acknowledge(sequence, delivery)) return false;
    if (deliveries > 0) this.#site.advisories.sayAcknowledged(consumer, { sequence, delivery, deliveries }, tookMs);
    return sequence > 0;
  }

  /** New messages may wait no longer for what was in flight. */
  #wakeFrom(wasStalled: boolean): void {
    if (wasStalled && !this.consumer.isStalled) this.wake();
  }

  /** It is told something that it is not to forget. */
  #hear(): void {
    this.#isTold = true;
    this.#target.usedMs = this.#site.nowMs();
    this.#askForTurn();
  }

  /** Takes what somebody says of a delivery beside that it is done. @returns whether whoever wants to know is told */
  judge(sequence: number, delivery: number, { verdict, delayMs, reason }: Ack): boolean {
    const { consumer } = this;
    this.#hear();
    const { advisories } = this.#site;
    const told = { sequence, delivery, deliveries: consumer.deliveriesOf(sequence) };
    const wasStalled = consumer.isStalled;
    switch (verdict) {
      case 'term':
        if (!consumer.acknowledge(sequence, delivery)) return false;
        advisories.sayTerminated(consumer, told, reason);
        break;
      case 'nak':
        if (consumer.refuse(sequence, delivery, delayMs)) {
          advisories.sayRefused(consumer, told);
          this.dueMs = Math.min(this.dueMs, consumer.inFlight.earliestMs);
          this.wake();
        }
        break;
      case 'progress':
        consumer.prolong(sequence);
        break;
      default:
        break;
    }
    this.#wakeFrom(wasStalled);
    return sequence > 0;
  }

  /** Whether of this acknowledgement is told how long it took: of so many in a hundred. */
  #isSampled(): boolean {
    return this.#samplePercent >= 100 || randomInt(100) < this.#samplePercent;
  }

  onSettled(sequence: number): void {
    if (this.consumer.stream.config.retention !== 'limits') this.#settled.push(sequence);
  }

  /** Tells the reply of request `index` once it lasts what the consumer was told so far. */
  confirm(requests: MessageView, index: number): void {
    this.#confirmations ??= new Confirmations();
    this.#confirmations.add(requests, index);
    this.#askForTurn();
  }

  /** The end of its turn: what it was told is noted, and confirmed then. */
  note(nowMs: number): void {
    const { consumer } = this;
    const { consumers } = consumer.stream;
    const isDue = consumer.deliveries !== this.#notedDeliveries && nowMs >= this.#notedMs + consumerNoteMs;
    if (this.#settled.length > 0 || ((this.#isTold || isDue) && consumers.keeps(consumer))) {
      this.#notedDeliveries = consumer.deliveries;
      this.#notedMs = nowMs;
      consumers.noteChange(consumer, this.#settled);
      this.#settled.length = 0;
    }
    this.#isTold = false;
    this.#confirmations?.take((run) => this.#site.confirm(run, consumer.stream));
  }

  /** When how far it has come is to be noted, in milliseconds; infinity when that is. */
  get #noteMs(): number {
    const { consumer } = this;
    const isNoted = consumer.deliveries === this.#notedDeliveries || !consumer.stream.consumers.keeps(consumer);
    return isNoted ? Number.POSITIVE_INFINITY : this.#notedMs + consumerNoteMs;
  }

  onGivenUp(sequence: number, deliveries: number): void {
    this.#site.advisories.sayGivenUp(this.consumer, sequence, deliveries);
    this.wake();
  }

  onLost(sequence: number, delivery: number, deliveries: number): void {
    this.#site.advisories.sayTerminated(this.consumer, { sequence, delivery, deliveries }, lostReason);
    this.wake();
  }

  /** It becomes another one. */
  update(config: ConsumerConfig): void {
    this.consumer.update(config);
    this.#samplePercent = percentOf(config);
    this.#target.onUpdate();
    // who listens may have been there before
    this.push?.look(this.#site.nowMs());
    this.#pauseUntil(config.pause_until);
    this.consumer.stream.consumers.noteWhole(this.consumer);
    this.dueMs = 0;
    this.wake();
  }

  #pauseUntil(until: Moment | null): void {
    const leftMs = until === null ? 0 : (until.timeUs - this.#site.clock.nowUs()) / microsecondsInMs;
    this.#pausedUntilMs = leftMs <= 0 ? 0 : this.#site.nowMs() + leftMs;
  }

  get isPaused(): boolean {
    return this.#pausedUntilMs > 0;
  }

  /** For how long it delivers nothing, in nanoseconds. */
  get pauseRemaining(): bigint {
    return this.isPaused
      ? BigInt(Math.max(0, Math.round((this.#pausedUntilMs - this.#site.nowMs()) * nanosecondsInMs)))
      : 0n;
  }

  /** Begins or ends a pause, as somebody has asked for it. */
  pause(until: Moment | null): void {
    const paused = { ...this.consumer.config, pause_until: until };
    this.update({ ...paused, metadata: storedMetadata(paused.metadata, levelOf(paused)) });
    const untilUs = until?.timeUs ?? null;
    this.#site.advisories.sayPaused(this.consumer, this.isPaused, untilUs);
  }

  /** Begins anew at a message; 0 for behind what is acknowledged. @returns where @throws ApiError */
  reset(sequence: number): number {
    const next = this.consumer.reset(sequence);
    const { consumers, lastSequence } = this.consumer.stream;
    consumers.noteWhole(this.consumer);
    // as with nats-server: from where nothing has come yet nothing is passed over
    if (next <= lastSequence + 1) this.dropUnneeded();
    this.wake();
    return next;
  }

  /** What it passes over now, or does not take any more, may be what nobody needs of a stream that is kept for those who do. */
  dropUnneeded(): void {
    const { config, consumers } = this.consumer.stream;
    if (config.retention === 'interest') void this.#site.slices.run(consumers.settle(1));
  }

  #tick(nowMs: number): void {
    if (this.isPaused && nowMs >= this.#pausedUntilMs) {
      this.#pausedUntilMs = 0;
      this.#isWoken = true;
      this.#site.advisories.sayPaused(this.consumer, false, this.consumer.config.pause_until?.timeUs ?? null);
    }
    if (this.consumer.expire(nowMs)) this.#isWoken = true;
    if (this.#target.tick(nowMs) || this.#replay !== null) this.#isWoken = true;
    this.#arm();
  }

  /** Knows when something is due next. */
  #arm(): void {
    let dueMs = Math.min(
      this.consumer.inFlight.earliestMs,
      this.#target.dueMs,
      this.#replay?.dueMs ?? Number.POSITIVE_INFINITY,
    );
    if (this.isPaused) dueMs = Math.min(dueMs, this.#pausedUntilMs);
    this.dueMs = Math.min(dueMs, this.#inactiveMs, this.#noteMs);
  }

  /** When it is removed if nobody uses it until then, in milliseconds; infinity for never. */
  get #inactiveMs(): number {
    const { inactive_threshold } = this.consumer.config;
    if (inactive_threshold === 0n) return Number.POSITIVE_INFINITY;
    const slackMs = this.pulls === null ? 0 : inactiveSlackMs;
    return this.#target.usedMs + Number(inactive_threshold) / nanosecondsInMs + slackMs;
  }

  /** Whether nobody has used it for too long. */
  isInactive(nowMs: number): boolean {
    if (nowMs < this.#inactiveMs) return false;
    return this.consumer.inFlight.size === 0 && !(this.pulls?.isAwaited ?? this.push?.isBound ?? false);
  }

  /** The server stops: whoever waits is told. */
  stopDelivering(): void {
    this.#isStopped = true;
    this.#target.end('409 Server Shutdown', true);
  }

  /** It is no more: whoever waits is told. */
  end(): void {
    this.#isGone = true;
    this.#target.end('409 Consumer Deleted', false);
    this.#site.addressing.leave(this.#token);
  }
}

/** 0 for none. */
function percentOf({ sample_freq }: ConsumerConfig): number {
  return Number.parseInt(sample_freq, 10) || 0;
}

const lostReason = 'Unacknowledged message was deleted';
