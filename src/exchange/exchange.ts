import { ackConsumerSequence } from '../base/ackNumbers.js';
import { laneUnits } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import type { Shown } from '../base/shown.js';
import { Work } from '../base/work.js';
import { Bell, Sleeper } from '../ring/bell.js';
import { Alignment } from './alignment.js';
import { Announcer } from './announcer.js';
import { ControlReader, ControlWriter } from './controlLane.js';
import { FanOut } from './fanOut.js';
import { LaneOverflow } from './laneOverflow.js';
import type { LaneReader } from './laneReader.js';
import { Backlog, type LaneWriter } from './laneWriter.js';
import type { ExchangeMemory, PeerMemory } from './memory.js';
import { MessageReader } from './messageReader.js';
import { MessageWriter } from './messageWriter.js';
import { GatewayProxy, ShardProxy } from './proxies.js';
import type { AwayRole, ExchangeTopic, GatewayRole, RouterRole, ShardRole, SyncRole } from './roles.js';
import { syncEndpointOf } from './syncToken.js';

/** The lanes to and from one other endpoint. Publish lanes lead to shards only, deliver lanes come from shards only. */
class Peer<T extends ExchangeTopic> {
  readonly endpoint: number;
  readonly controlOut: ControlWriter;
  readonly publishOut: MessageWriter | null;
  readonly deliverOut: MessageWriter | null;
  /** Of the deliver lane to a thread that is not the broker's own. */
  readonly overflow: LaneOverflow<T> | null;
  readonly controlIn: ControlReader<T>;
  readonly publishIn: MessageReader<T> | null;
  readonly deliverIn: MessageReader<T> | null;
  /** Whether the thread is not the broker's own. */
  readonly user: boolean;

  /** @param forward hands on what another shard is to put in order; false when none is */
  constructor(
    bell: Bell,
    { endpoint, out, into }: PeerMemory,
    user: boolean,
    roles: Roles<T>,
    backlogs: Backlogs,
    work: Work,
    forward: (topic: T, publisher: number, message: MessageView) => boolean,
  ) {
    this.endpoint = endpoint;
    this.user = user;
    const { router, shard, gateway, sync } = roles;
    const away = user ? roles.away : null;
    this.controlOut = new ControlWriter(out.control, bell, backlogs.control);
    this.publishOut = out.publish && new MessageWriter(out.publish, bell, backlogs.publish);
    this.deliverOut =
      out.deliver && new MessageWriter(out.deliver, bell, away === null ? backlogs.deliver : backlogs.away);
    this.overflow = away && this.deliverOut && new LaneOverflow<T>(this.deliverOut, endpoint, away);
    this.controlIn = new ControlReader(into.control, bell, endpoint, router, shard, sync);
    // the broker's own threads have heard of another owner before they publish to it
    const sequence = user
      ? (topic: T, message: MessageView) => {
          if (!forward(topic, endpoint, message)) shard!.onPublish(topic, message);
        }
      : (topic: T, message: MessageView) => shard!.onPublish(topic, message);
    this.publishIn =
      into.publish &&
      new MessageReader(
        into.publish,
        bell,
        router,
        {
          onMessages: sequence,
          onAddressed: (inbox, _queue, _sender, message) => {
            if (shard!.onAnswer(inbox, message)) return true;
            const topic = shownTopic(router, inbox.account, message);
            if (topic !== null) sequence(topic, message);
            return topic !== null;
          },
          onQueueMessage: (topic: T, queue: string, message: MessageView, index: number) =>
            shard!.onRequeue(topic, queue, message, index, endpoint),
        },
        work,
      );
    this.deliverIn =
      into.deliver &&
      new MessageReader(
        into.deliver,
        bell,
        router,
        {
          onMessages: (topic: T, message: MessageView) => gateway.onDeliver(topic, message),
          onQueueMessage: (topic: T, queue: string, message: MessageView, index: number) =>
            gateway.onDeliverQueue(topic, queue, message, index),
          images: {
            onBegin: (token) => gateway.images.onImageBegin(endpoint, token),
            onMessage: (token, message) => gateway.images.onImage(token, message),
            onPause: (token) => gateway.images.onImagePause(token),
            onEnd: (token) => gateway.images.onImageEnd(endpoint, token),
          },
          onAddressed: (address, queue, sender, message) => {
            if (gateway.onAddressed(address, queue, message) === 'nobody' && sender !== 0)
              this.controlOut.undelivered(sender, sequenceOf(message));
            return true;
          },
          mixed: gateway.mixedLane?.() ?? null,
          onLoss: (subject, count) => gateway.onLoss?.(subject, count),
        },
        work,
      );
  }

  /** Moves what waits in outboxes into the rings, as far as there is room. */
  pump(): void {
    this.controlOut.lane.pump();
    this.publishOut?.lane.pump();
    this.deliverOut?.lane.pump();
  }

  /** Throws away what waits for an endpoint that is gone. */
  abandon(): void {
    // first, since it has publishers told to go on: that is written to this endpoint's control lane, too
    this.overflow?.abandon();
    this.controlOut.lane.abandon();
    this.publishOut?.lane.abandon();
    this.deliverOut?.lane.abandon();
  }
}

/** The topic that is shown, fresh: the message is one of it from now on. Null when it is still to be planned. */
function shownTopic<T extends ExchangeTopic>(router: RouterRole<T>, account: number, message: MessageView): T | null {
  const { span, subjectBytes } = message.shown as Shown;
  const topic = router.topicOf(span, 0, subjectBytes, account);
  if (!router.freshen(topic)) return null;
  message.shown = null;
  return topic;
}

/** What its sender calls a message for an address. */
function sequenceOf({ shown }: MessageView): number {
  return (shown as Shown).numbers[ackConsumerSequence];
}

interface Roles<T extends ExchangeTopic> {
  router: RouterRole<T>;
  /** Null at an endpoint without a shard. */
  shard: ShardRole<T> | null;
  gateway: GatewayRole<T>;
  /** Null at an endpoint that does not publish synchronously. */
  sync: SyncRole | null;
  /** Null where every thread takes what comes. */
  away: AwayRole<T> | null;
}

interface Backlogs {
  control: Backlog;
  publish: Backlog;
  deliver: Backlog;
  /** Deliver lanes with an overflow: nothing waits for them but the publishers of single topics. */
  away: Backlog;
}

/**
 * One thread's end of all its lanes. Publish lanes may wait for deliver lanes; deliver lanes end in sockets, or overflow, and wait
 * for nobody; control lanes change tables only. So no cycle of waiting can form, however small the rings are.
 */
export class Exchange<T extends ExchangeTopic> {
  /** Shards and gateways of all threads, by number; those of an endpoint that is not there are never called. */
  readonly shards: ShardProxy<T>[] = [];
  readonly gateways: GatewayProxy<T>[] = [];
  /** All gateways of other threads that want a topic. */
  readonly fanOut = new FanOut<T>();
  /** Tells all other endpoints. */
  readonly announcer = new Announcer();
  readonly #memory: ExchangeMemory;
  readonly #work: Work;
  /** Rounds of taking deliveries that have begun and ended: each takes what had been published when it began. */
  #roundsBegun = 0;
  #roundsEnded = 0;
  readonly #self: number;
  #roles: Roles<T> | null = null;
  #peers: Peer<T>[] = [];
  // the peers' lanes by kind, since not every peer has all
  #publishOuts: MessageWriter[] = [];
  #deliverOuts: MessageWriter[] = [];
  #publishIns: MessageReader<T>[] = [];
  #userPublishIns: MessageReader<T>[] = [];
  #deliverIns: MessageReader<T>[] = [];
  #overflows: LaneOverflow<T>[] = [];
  readonly #alignment = new Alignment();
  /** Whether what users' threads publish is left where it is. */
  usersHeld = false;
  /** What has been handed on for users' threads: not marked yet, or not sequenced as far as it is marked. */
  #hasForwarded = false;
  #forwardMarks: Int32Array | null = null;
  /** Number of the last change of an owner that users' threads were told of in their deliver lanes. */
  #handoverMark = 0;
  readonly #sleeper: Sleeper;
  /** Whether an outbox has been emptied since relief was last taken. */
  #pumped = false;
  #shardFull = false;
  readonly #backlogs: Backlogs = {
    control: new Backlog(),
    publish: new Backlog(),
    deliver: new Backlog(),
    away: new Backlog(),
  };

  /** @param work where what is taken is counted, and whose limit says how much a caller may take */
  constructor(memory: ExchangeMemory, self: number, work = new Work()) {
    this.#work = work;
    this.#sleeper = new Sleeper(memory.bells, self);
    this.#self = self;
    this.#memory = memory;
  }

  /**
   * Wires the thread's own roles; once, before anything else.
   *
   * @param shard null at an endpoint without one
   * @param sync null where nobody publishes synchronously
   * @param away null where every thread takes what comes
   */
  connect(
    router: RouterRole<T>,
    shard: ShardRole<T> | null,
    gateway: GatewayRole<T>,
    sync: SyncRole | null = null,
    away: AwayRole<T> | null = null,
  ): void {
    const { shards, endpoints, pairs } = this.#memory;
    this.#roles = { router, shard, gateway, sync, away };
    for (let endpoint = 0; endpoint < endpoints; endpoint++) {
      const own = endpoint === this.#self;
      this.gateways.push(new GatewayProxy<T>(this.#self, own ? gateway : null, null));
      if (endpoint < shards) this.shards.push(new ShardProxy<T>(this.#self, own ? shard : null, null, this, null));
      const out = pairs[this.#self][endpoint];
      const into = pairs[endpoint][this.#self];
      if (out !== null && into !== null) this.#add({ endpoint, out, into });
    }
    this.#list();
  }

  /** Begins to speak with an endpoint that has come: tell it what it has to know next. */
  join(peer: PeerMemory): void {
    this.#add(peer);
    if (this.#handoverMark > 0) this.#markOne(this.#peers[this.#peers.length - 1]);
    this.#list();
  }

  /** Forgets an endpoint that has gone, after its interest has been taken away. */
  leave(endpoint: number): void {
    const peer = this.#peers.find((candidate) => candidate.endpoint === endpoint);
    if (peer === undefined) return;
    peer.abandon();
    this.#peers = this.#peers.filter((other) => other !== peer);
    this.gateways[endpoint] = new GatewayProxy<T>(this.#self, null, null);
    this.#list();
    // who waited for its lanes waits for nothing now
    this.#pumped = true;
  }

  #add(memory: PeerMemory): void {
    const { endpoint } = memory;
    const bell = new Bell(this.#memory.bells, endpoint);
    const user = endpoint >= this.#memory.shards;
    const peer = new Peer<T>(bell, memory, user, this.#roles!, this.#backlogs, this.#work, this.#forward);
    this.#peers.push(peer);
    const { publishOut, deliverOut, controlOut } = peer;
    if (publishOut !== null) this.shards[endpoint] = new ShardProxy<T>(this.#self, null, publishOut, this, controlOut);
    if (deliverOut !== null) this.gateways[endpoint] = new GatewayProxy<T>(this.#self, null, deliverOut, peer.overflow);
  }

  #list(): void {
    this.announcer.peers = this.#peers;
    this.#publishOuts = this.#peers.flatMap((peer) => peer.publishOut ?? []);
    this.#deliverOuts = this.#peers.flatMap((peer) => peer.deliverOut ?? []);
    this.#publishIns = this.#peers.flatMap(({ user, publishIn }) => (user ? [] : (publishIn ?? [])));
    this.#userPublishIns = this.#peers.flatMap(({ user, publishIn }) => (user ? (publishIn ?? []) : []));
    this.#deliverIns = this.#peers.flatMap((peer) => peer.deliverIn ?? []);
    this.#overflows = this.#peers.flatMap((peer) => peer.overflow ?? []);
    const shared: (MessageWriter | null)[] = this.gateways.map(() => null);
    for (const { user, endpoint, deliverOut } of this.#peers) if (!user) shared[endpoint] = deliverOut;
    this.fanOut.list(this.gateways, shared);
  }

  /** Other endpoints that there are lanes to. */
  get peers(): number {
    return this.#peers.length;
  }

  /** Whether there is any other endpoint. */
  get alone(): boolean {
    return this.#peers.length === 0;
  }

  /** Whether a deliver lane has no room: until it has, nothing more is sequenced here. */
  get congested(): boolean {
    return this.#backlogs.deliver.lanes !== 0;
  }

  /** Whether this thread's shard may sequence more. */
  get sequences(): boolean {
    return !this.congested && !this.#shardFull;
  }

  /** The shard has more to say than may wait, or has not any more: until then nothing more is sequenced here. */
  setShardFull(full: boolean): void {
    this.#shardFull = full;
    // who waited for that waits no longer
    if (!full) this.#pumped = true;
  }

  /**
   * From now on what a new owner delivers comes here behind all that was delivered before: a thread of the broker knows how far that reaches,
   * a user's thread is told by marks in its lanes.
   *
   * @param isNew whether a shard is an owner that was none before
   */
  alignDeliveries(number: number, isNew: (shard: number) => boolean): void {
    if (this.#self >= this.#memory.shards) return;
    const from = this.#peers.flatMap(({ endpoint, deliverIn }) => (isNew(endpoint) ? (deliverIn ?? []) : []));
    this.#alignment.begin(number, from, this.#deliverIns);
    this.#handoverMark = number;
    for (const peer of this.#peers) if (peer.user) this.#markOne(peer);
  }

  /** Whether all that was delivered before the last change of an owner has been taken here. */
  get aligned(): boolean {
    return this.#alignment.done;
  }

  #markOne({ overflow, deliverOut }: Peer<T>): void {
    // what is kept is older
    overflow?.settle();
    deliverOut?.pushHandoverMark(this.#handoverMark);
  }

  /** What a user's thread sent to the owner of before; no more is taken of them while that has not left. */
  readonly #forward = (topic: T, publisher: number, message: MessageView): boolean => {
    const owner = this.#roles!.router.ownerFor?.(topic, publisher) ?? this.#self;
    if (owner === this.#self) return false;
    this.shards[owner].forward(topic, message);
    this.#hasForwarded = true;
    return true;
  };

  /** Tells the publisher of a synchronous message which gateway gets a delivery of it, or that one gave it back. */
  syncExpected(token: number, gateway: number, change: number): void {
    this.announcerTo(syncEndpointOf(token))?.syncExpected(token, gateway, change);
  }

  /** Tells the publisher of a synchronous message that it is in order. */
  syncSequenced(token: number): void {
    this.announcerTo(syncEndpointOf(token))?.syncSequenced(token);
  }

  /** Tells the publisher of a synchronous message that this thread's gateway has taken a delivery of it. */
  syncTaken(token: number): void {
    const publisher = syncEndpointOf(token);
    if (publisher === this.#self) this.#roles!.sync?.onTaken(token, this.#self);
    else this.announcerTo(publisher)?.syncTaken(token);
  }

  /** Whether all that this thread announced is where the others will find it before their next input. */
  get controlClear(): boolean {
    return this.#backlogs.control.lanes === 0;
  }

  /** The way to one endpoint alone, for what not all have to know; null when it is not there. */
  announcerTo(endpoint: number): ControlWriter | null {
    return this.#peers.find((peer) => peer.endpoint === endpoint)?.controlOut ?? null;
  }

  /** The topic's number may be used again. */
  forget(topic: T): void {
    for (const lane of this.#publishOuts) lane.forget(topic);
    for (const lane of this.#deliverOuts) lane.forget(topic);
  }

  /** Applies what other gateways have announced; before any input is processed, so that causes precede effects. */
  drainControl(): void {
    for (const peer of this.#peers) peer.controlIn.drain();
  }

  /**
   * Takes every delivery published so far: what a connection was sent before it asked must be answered before the answer. Where the share of
   * work does not last for that it is taken up again.
   *
   * @param asked what the call before has returned for the same question, or 0
   * @returns 0 when all that was published when it was first asked for has been taken
   */
  drainDeliveries(asked = 0): number {
    const wanted = asked === 0 ? this.#roundsBegun + 1 : asked;
    while (this.#roundsEnded < wanted) {
      this.#beginRound();
      this.#takeDeliveries();
      if (this.#roundsEnded === this.#roundsBegun) continue;
      // a lane may wait for a topic that is planned: whoever asked goes on in a later turn, as one whose share is spent
      this.#work.endShare();
      return wanted;
    }
    return 0;
  }

  /**
   * Takes what was published to this thread before the call, as far as a turn's share of work lasts, for deliveries and for publishes; what
   * is left is taken in the next turns, and meanwhile its lanes fill and their writers wait.
   *
   * @param units the share of each
   * @returns whether there was anything
   */
  doWork(units = laneUnits): boolean {
    if (this.alone) return false;
    const work = this.#work;
    for (const lane of this.#publishIns) lane.look();
    for (const lane of this.#userPublishIns) lane.look();
    this.#beginRound();
    work.limit = work.units + units;
    let worked = this.#takeDeliveries();
    work.limit = work.units + units;
    for (const lane of this.#inTurn(this.#publishIns)) {
      while (this.#takesPublishes && !work.spent && lane.takeOne()) worked = true;
    }
    for (const lane of this.#inTurn(this.#userPublishIns)) {
      while (this.#takesUsers && !work.spent && lane.takeOne()) worked = true;
    }
    work.limit = Number.MAX_SAFE_INTEGER;
    return worked;
  }

  /** Whether more may be sequenced: not before what was, elsewhere, before this thread became an owner. */
  get #takesPublishes(): boolean {
    return this.sequences && this.aligned;
  }

  get #takesUsers(): boolean {
    return this.#takesPublishes && !this.usersHeld && this.#backlogs.publish.lanes === 0;
  }

  /** Looks what there is to be taken, unless a round is under way, and applies what others have announced before. */
  #beginRound(): void {
    const begins = this.#roundsEnded === this.#roundsBegun;
    if (begins) this.#roundsBegun++;
    // what a lane waits for may have come since
    if (begins || !this.aligned) for (const lane of this.#deliverIns) lane.look();
    this.drainControl();
  }

  /** Goes on with the round, as far as the share of work lasts; returns whether there was anything. */
  #takeDeliveries(): boolean {
    let worked = false;
    let whole = true;
    for (const lane of this.#inTurn(this.#deliverIns)) {
      let more = true;
      while (more && !this.#work.spent && this.#alignment.mayTake(lane)) {
        more = lane.takeOne();
        if (more) worked = true;
      }
      if (more || lane.waits) whole = false;
      // fragments of a record that is not whole yet have been taken too
      lane.lane.release();
    }
    this.#alignment.review(this.#deliverIns);
    if (whole) this.#roundsEnded = this.#roundsBegun;
    return worked;
  }

  /** Lanes, another one first in every turn: what the first ones bring may leave nothing of a share to the others. */
  #inTurn(lanes: readonly MessageReader<T>[]): readonly MessageReader<T>[] {
    if (lanes.length < 2) return lanes;
    const first = this.#work.turn % lanes.length;
    return first === 0 ? lanes : lanes.slice(first).concat(lanes.slice(0, first));
  }

  /**
   * Ends a turn: makes what was written visible, gives back what was taken, wakes who sleeps. What was announced becomes visible to
   * everybody before anything that may follow from it does to anybody: it may take a way by a third thread.
   */
  publish(): void {
    this.fanOut.flush();
    const waiting = this.#backlogLanes();
    for (const peer of this.#peers) peer.pump();
    for (const overflow of this.#overflows) overflow.pump();
    for (const peer of this.#peers) peer.controlOut.lane.publish();
    for (const lane of this.#publishOuts) lane.publish();
    for (const lane of this.#deliverOuts) lane.publish();
    if (this.#backlogLanes() < waiting) this.#pumped = true;
    // what was taken counts as sequenced for its publisher only once its deliveries can be seen
    if (this.congested) return;
    for (const lane of this.#publishIns) lane.lane.release();
    if (this.#isForwardSequenced()) for (const lane of this.#userPublishIns) lane.lane.release();
  }

  /** Whether all that was handed on for users' threads is sequenced: they are told so of theirs. */
  #isForwardSequenced(): boolean {
    if (this.#hasForwarded) {
      this.#forwardMarks = this.markPublished();
      if (this.#forwardMarks === null) return false;
      this.#hasForwarded = false;
    }
    if (this.#forwardMarks !== null && this.isSequenced(this.#forwardMarks)) this.#forwardMarks = null;
    return this.#forwardMarks === null;
  }

  /** Whether a lane that somebody waits for has room again. */
  takeRelief(): boolean {
    let relief = this.#pumped;
    this.#pumped = false;
    for (const peer of this.#peers) {
      if (peer.publishOut?.lane.takeRelief()) relief = true;
      if (peer.deliverOut?.lane.takeRelief()) relief = true;
      if (peer.controlOut.lane.takeRelief()) relief = true;
    }
    return relief;
  }

  /**
   * Writes a fence to every shard, behind all that was announced before; false while that has not left yet. When a shard has
   * sequenced it (`markPublished`, `isSequenced`) it knows what was announced, and its deliveries from before it knew can be seen.
   */
  fence(): boolean {
    if (!this.controlClear) return false;
    for (const lane of this.#publishOuts) lane.pushFence();
    return true;
  }

  /** How far this thread has written to every shard; null while an outbox holds something. */
  markPublished(): Int32Array | null {
    if (this.#backlogs.publish.lanes !== 0) return null;
    return Int32Array.from(this.#publishOuts, (out) => out.lane.position);
  }

  /** Whether every shard has sequenced what this thread wrote up to `marks`. If not, relief will be given when it moves. */
  isSequenced(marks: Int32Array): boolean {
    let sequenced = true;
    for (let i = 0; i < this.#publishOuts.length; i++) {
      const lane = this.#publishOuts[i].lane;
      if (lane.isConsumed(marks[i])) continue;
      lane.wantRoom();
      sequenced = false;
    }
    return sequenced;
  }

  /** Whether nothing that this thread wrote or has to read is on its way: for draining before a stop. */
  get quiet(): boolean {
    const isEmpty = ({ lane }: { lane: LaneReader }) => !lane.hasRecords();
    const isTaken = ({ lane }: { lane: LaneWriter }) => lane.clear && lane.isConsumed(lane.position);
    return (
      this.#publishIns.every(isEmpty) &&
      this.#userPublishIns.every(isEmpty) &&
      !this.#hasForwarded &&
      this.#forwardMarks === null &&
      this.#deliverIns.every(isEmpty) &&
      this.#publishOuts.every(isTaken) &&
      this.fanOut.empty &&
      this.#deliverOuts.every(isTaken) &&
      this.#overflows.every((overflow) => overflow.empty) &&
      this.#peers.every((peer) => isTaken(peer.controlOut))
    );
  }

  /** Sleeps until another endpoint rings, unless there is work; `wake` runs when it rang. */
  sleep(wake: () => void): boolean {
    return this.#sleeper.sleep(() => this.#hasWork(), wake);
  }

  #hasWork(): boolean {
    if (this.#pumped) return true;
    return this.#peers.some(
      (peer) =>
        peer.controlIn.lane.hasRecords() ||
        (peer.deliverIn !== null && this.#alignment.mayTake(peer.deliverIn) && peer.deliverIn.lane.hasRecords()) ||
        ((peer.user ? this.#takesUsers : this.#takesPublishes) && peer.publishIn?.lane.hasRecords()) ||
        peer.publishOut?.lane.hasRelief() ||
        peer.deliverOut?.lane.hasRelief() ||
        peer.controlOut.lane.hasRelief(),
    );
  }

  #backlogLanes(): number {
    return this.#backlogs.control.lanes + this.#backlogs.publish.lanes + this.#backlogs.deliver.lanes;
  }
}
