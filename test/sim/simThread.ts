import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { Shown, shownSubject } from '../../src/base/shown.js';
import { Span } from '../../src/base/span.js';
import { Work } from '../../src/base/work.js';
import { Exchange } from '../../src/exchange/exchange.js';
import type { ExchangeMemory } from '../../src/exchange/memory.js';
import type { AwayRole, GatewayRole, HandoverStep, SyncRole, Taken } from '../../src/exchange/roles.js';
import type { Order } from '../../src/options/brokerOptions.js';
import { Handover } from '../../src/router/handover.js';
import { Waiter } from '../../src/router/holds.js';
import { type ImageSubscription, Images } from '../../src/router/images.js';
import type { LocalSubscription } from '../../src/router/interestEntry.js';
import { type AnnounceStep, OwnerChanges } from '../../src/router/ownerChanges.js';
import { requeue } from '../../src/router/requeue.js';
import { Router } from '../../src/router/router.js';
import { hasCaughtUp, isSettled, mayLeaveGroup, type Orderly } from '../../src/router/settling.js';
import type { Topic } from '../../src/router/topic.js';
import { Shard } from '../../src/shard/shard.js';

/** What an UNSUB may do at a time: take a few messages. */
const shareUnits = 20;

export interface SimOptions {
  /** Threads with a gateway and a shard, and clients, which have a gateway only. */
  threads: number;
  clients: number;
  order: Order;
  seed: number;
}

/** What a gateway was handed: for a plain subscription of its own (queue ''), or for a member of a group. */
export type OnReceived = (gateway: number, subject: string, queue: string, id: string, payload: Uint8Array) => void;

/**
 * One of the broker's threads, wired as `src/broker/shardThread.ts` does, with a recorder in place of the gateway's
 * sockets. Its turns are taken one by one by whoever simulates.
 */
export class SimThread implements GatewayRole<Topic> {
  readonly exchange: Exchange<Topic>;
  readonly router: Router;
  readonly shard: Shard;
  readonly images: Images<ImageSubscription>;
  readonly handover: Handover;
  /** Decides, at thread 0. */
  readonly ownerChanges: OwnerChanges;
  /** By its clock. */
  nowMs = 0;
  /** Whether publishers that were parked may go on. */
  released = false;
  readonly #waiter = new Waiter();
  /** Of synchronous messages that it was handed: those that it has not said yet to have taken, as `syncToken` names them. */
  readonly holding: number[] = [];
  readonly #self: number;
  readonly #onReceived: OnReceived;
  readonly #message = new MessageView();
  readonly #shown = new Shown();
  /** Messages taken that needed no topic of their own. */
  answers = 0;
  readonly #work = new Work();
  /** Whether a topic that comes in a lane is planned by now; what it is needed for waits, else. */
  isPlanned: () => boolean = () => true;

  constructor(
    memory: ExchangeMemory,
    self: number,
    options: SimOptions,
    onReceived: OnReceived,
    sync: SyncRole | null = null,
    away: AwayRole<Topic> | null = null,
  ) {
    this.#self = self;
    this.#onReceived = onReceived;
    this.exchange = new Exchange<Topic>(memory, self, this.#work);
    const { threads: shards, clients, order, seed: hashSeed } = options;
    const endpoints = shards + clients;
    const routing = { self, shards, endpoints, order, hashSeed };
    this.router = new Router(routing, this.exchange.announcer, (topic) => this.exchange.forget(topic), this.#work);
    this.shard = new Shard(this.router, this.exchange, self, undefined, this.exchange);
    this.images = new Images(this.router, this.exchange, {
      ownerOf: (subscription) => subscription,
      roomOf: () => null,
      leastRoomOf: () => ({ messages: 1, bytes: 1 }),
      deliverImage: () => {},
      onImageDone: () => {},
    });
    const isShard = self < shards;
    this.handover = new Handover(isShard, this.router, this.exchange, {
      deferral: { mark: () => [], hasPassed: () => true },
      onMoved: (pattern) => this.shard.works.handOver(pattern, this.exchange.shards),
      onReleased: () => {
        this.released = true;
      },
      onDone: (step, number) => {
        if (self === 0) this.ownerChanges.onDone(0, step, number);
        else this.exchange.announcerTo(0)!.handoverDone(step, number);
      },
    });
    this.ownerChanges = new OwnerChanges(
      shards,
      this.router,
      (...step) => {
        this.exchange.announcer.announceHandover(...step);
        this.handover.onStep(...step);
      },
      () => this.nowMs,
    );
    const role = {
      ...this.router.role(),
      freshen: (topic: Topic) => {
        if (!this.router.isFresh(topic) && !this.isPlanned()) return false;
        this.router.freshen(topic);
        return true;
      },
      onHandover: (...step: Parameters<AnnounceStep>) => this.handover.onStep(...step),
      onHandoverDone: (shard: number, step: HandoverStep, number: number) =>
        this.ownerChanges.onDone(shard, step, number),
    };
    this.exchange.connect(role, isShard ? this.shard : null, this, sync, away);
  }

  /** What a socket brought: false when the publisher has to wait for relief. */
  publish(subject: string, id: string, payload: Uint8Array, token = 0): boolean {
    const topic = this.router.topics.obtain(new Span(latin1Bytes(subject)), 0, subject.length);
    this.router.freshen(topic);
    if (!topic.goes) return true;
    if (this.router.holds.active > 0 && this.router.holds.ask(topic, this.#waiter, true) === 'parks') return false;
    const message = this.#message;
    // as on the wire, CR LF stands behind the payload
    const bytes = new Uint8Array(id.length + payload.length + 2);
    bytes.set(latin1Bytes(id));
    bytes.set(payload, id.length);
    bytes.set(latin1Bytes('\r\n'), id.length + payload.length);
    message.set(new Span(bytes), id.length, id.length + payload.length);
    message.setReply(0, id.length);
    message.syncToken = token;
    return this.exchange.shards[topic.owner].publish(topic, message) === 1;
  }

  /** What a socket brought for an address: false when the publisher has to wait. `id` stands before the payload, and a space. */
  answer(subject: string, id: string, payload: Uint8Array): boolean {
    const bytes = Buffer.concat([latin1Bytes(`${subject}${id} `), payload, latin1Bytes('\r\n')]);
    const span = new Span(bytes);
    const message = this.#message;
    message.set(span, subject.length, bytes.length - 2);
    message.syncToken = 0;
    const inbox = this.#inboxOf(span, subject.length);
    if (inbox !== null) {
      this.#shown.setBytes(span, 0, subject.length, 0);
      message.shown = this.#shown;
      const answered = this.exchange.shards[inbox.owner].answer(inbox, message);
      message.shown = null;
      if (answered === 'taken') this.answers++;
      if (answered !== 'as-topic') return answered === 'taken';
    }
    const topic = this.router.topics.obtain(span, 0, subject.length);
    this.router.freshen(topic);
    return !topic.goes || this.exchange.shards[topic.owner].publish(topic, message) === 1;
  }

  /** What stands for an address, as long as that has no topic of its own. */
  #inboxOf(span: Span, lengthBytes: number): Topic | null {
    const { topics, inboxes } = this.router;
    if (topics.at(span, 0, lengthBytes) !== null) return null;
    const inbox = inboxes.find(span, 0, lengthBytes);
    if (inbox === null) return null;
    this.router.freshen(inbox);
    return inboxes.serves(inbox, span, 0, lengthBytes) ? inbox : null;
  }

  /** A subscription's client names what it takes as a reply. */
  claim(subject: string): void {
    this.router.interest.claimInbox(this.router.interest.find(subject)!);
  }

  /** False when what was announced before has not left yet. */
  subscribe(subscription: LocalSubscription): boolean {
    if (!this.exchange.controlClear) return false;
    this.router.interest.addLocal(subscription);
    return true;
  }

  /** What an UNSUB does; false when it has to wait, and to be tried again. */
  unsubscribe(subscription: LocalSubscription, party: Orderly): boolean {
    this.#work.limit = this.#work.units + shareUnits;
    const caughtUp = isSettled(party, this.exchange) && hasCaughtUp(party, this.exchange);
    this.#work.limit = Number.MAX_SAFE_INTEGER;
    if (!caughtUp) return false;
    if (!mayLeaveGroup(party, subscription, this.router.interest, this.exchange)) return false;
    this.router.interest.removeLocal(subscription);
    return true;
  }

  /** What the end of a connection does: what is on its way goes to another member. */
  drop(subscription: LocalSubscription): void {
    this.exchange.drainDeliveries();
    this.router.interest.removeLocal(subscription);
  }

  onDeliver(topic: Topic, message: MessageView): void {
    if (!topic.wantedHere) {
      if (message.syncToken !== 0) this.exchange.syncTaken(message.syncToken);
      return;
    }
    for (let i = 0; i < message.count; i++) this.#receive(topic, '', message, i);
  }

  onDeliverQueue(topic: Topic, queue: string, message: MessageView, index: number): void {
    this.router.freshen(topic);
    const member = topic.entries.some((entry) => entry.local.some((local) => local.queue === queue));
    if (member) {
      this.#receive(topic, queue, message, index);
      return;
    }
    const { queueNames } = this.router.interest;
    const kept = requeue(queueNames, this.exchange.shards[topic.owner], topic, queue, message, index);
    if (!kept && message.syncToken !== 0) this.exchange.syncTaken(message.syncToken);
  }

  onAnswers(): boolean {
    return false;
  }

  onAddressed(address: Topic, _queue: string | null, message: MessageView): Taken {
    if (!address.wantedHere) return 'nobody';
    const payload = message.bytes.slice(message.starts[0], message.ends[0]);
    this.#onReceived(this.#self, shownSubject(message.shown!), '', '', payload);
    return 'taken';
  }

  #receive(topic: Topic, queue: string, message: MessageView, index: number): void {
    if (message.syncToken !== 0) this.holding.push(message.syncToken);
    const id = message.replyText(index);
    this.#onReceived(
      this.#self,
      topic.text,
      queue,
      id,
      message.bytes.slice(message.starts[index], message.ends[index]),
    );
  }
}
