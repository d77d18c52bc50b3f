import { laneUnits } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import type { LaneFill } from '../base/statistics.js';
import { Work } from '../base/work.js';
import { Bell, Sleeper } from '../ring/bell.js';
import { Announcer } from './announcer.js';
import type { ControlWriter } from './controlLane.js';
import { FanOut } from './fanOut.js';
import { Forwarded } from './forwarded.js';
import { Intake } from './intake.js';
import type { LaneOverflow } from './laneOverflow.js';
import { Backlog, type LaneWriter } from './laneWriter.js';
import type { ExchangeMemory, PeerMemory } from './memory.js';
import type { MessageWriter } from './messageWriter.js';
import { type Backlogs, Peer, type Roles } from './peer.js';
import { GatewayProxy, ShardProxy } from './proxies.js';
import { PublishBlocks } from './publishBlocks.js';
import type { AwayRole, ExchangeTopic, GatewayRole, RouterRole, ShardRole, SyncRole } from './roles.js';
import { syncEndpointOf } from './syncToken.js';

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
  /** What the kernel hands to shards of other threads. */
  readonly publishBlocks = new PublishBlocks<T>();
  /** Tells all other endpoints. */
  readonly announcer = new Announcer();
  readonly #memory: ExchangeMemory;
  readonly #work: Work;
  readonly #self: number;
  #roles: Roles<T> | null = null;
  #peers: Peer<T>[] = [];
  // the peers' lanes by kind, since not every peer has all
  #publishOuts: MessageWriter[] = [];
  #deliverOuts: MessageWriter[] = [];
  #overflows: LaneOverflow<T>[] = [];
  readonly #intake: Intake<T>;
  readonly #forwarded = new Forwarded(this);
  /** Number of the last change of an owner that users' threads were told of in their deliver lanes. */
  #handoverMark = 0;
  readonly #sleeper: Sleeper;
  /** Whether an outbox has been emptied since relief was last taken. */
  #pumped = false;
  #shardFull = false;
  /** How often there was room again to put more in order. */
  openings = 0;
  /** Who waited for room and is tried again: when it finds none the next room that comes is for it. */
  retried: object | null = null;
  readonly #backlogs: Backlogs = {
    control: new Backlog(),
    publish: new Backlog(),
    deliver: new Backlog(),
    away: new Backlog(),
  };

  /** @param work where what is taken is counted, and whose limit says how much a caller may take */
  constructor(memory: ExchangeMemory, self: number, work = new Work()) {
    this.#work = work;
    this.#intake = new Intake<T>(work, this);
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
    this.#intake.list(this.#peers);
    this.#overflows = this.#peers.flatMap((peer) => peer.overflow ?? []);
    const shared: (MessageWriter | null)[] = this.gateways.map(() => null);
    for (const { user, endpoint, deliverOut } of this.#peers) if (!user) shared[endpoint] = deliverOut;
    this.fanOut.list(this.gateways, shared);
    const publishing: (MessageWriter | null)[] = this.shards.map(() => null);
    for (const { endpoint, publishOut } of this.#peers) if (publishOut !== null) publishing[endpoint] = publishOut;
    this.publishBlocks.list(
      publishing,
      this.shards.map(({ reservation }) => reservation),
    );
  }

  /** Other endpoints that there are lanes to. */
  get peers(): number {
    return this.#peers.length;
  }

  /** How full the lanes to other endpoints are. */
  laneFills(): LaneFill[] {
    const controls = this.#peers.map(({ controlOut }) => controlOut.lane);
    return [
      fillOf('control', controls, this.#backlogs.control.lanes),
      fillOf('publish', lanesOf(this.#publishOuts), this.#backlogs.publish.lanes),
      fillOf('deliver', lanesOf(this.#deliverOuts), this.#backlogs.deliver.lanes + this.#backlogs.away.lanes),
    ];
  }

  /** Whether there is any other endpoint. */
  get alone(): boolean {
    return this.#peers.length === 0;
  }

  /** Whether a deliver lane has no room: until it has, nothing more is sequenced here. */
  get congested(): boolean {
    return this.#backlogs.deliver.lanes !== 0;
  }

  /** Whether what is handed on for users' threads would leave at once. */
  get handsOn(): boolean {
    return this.#backlogs.publish.lanes === 0;
  }

  /** Whether this thread's shard may sequence more. */
  get sequences(): boolean {
    return !this.congested && !this.#shardFull;
  }

  /** Whether what this thread publishes may be put in order here now: not before what has waited in the lanes from others. */
  get takesOwn(): boolean {
    return this.sequences && !this.#intake.lanesWait;
  }

  onRefused(): void {
    this.#intake.localWaits = true;
    // what waits in the lanes has its turn next, and then there may be room
    if (this.sequences) this.#pumped = true;
  }

  /** Somebody on this thread that waited for room is tried again, until `endRetry`. */
  beginRetry(who: object): void {
    this.retried = who;
    for (const { reservation } of this.shards) reservation.release(who);
  }

  endRetry(): void {
    this.retried = null;
    for (const { reservation } of this.shards) if (reservation.takeRelief()) this.#pumped = true;
  }

  /** How far ahead of their readers those deliver lanes may be at least that have no room, in bytes. */
  get fullReachBytes(): number {
    let leastBytes = Infinity;
    for (const { user, deliverOut } of this.#peers)
      if (!user && deliverOut !== null && !deliverOut.lane.clear)
        leastBytes = Math.min(leastBytes, deliverOut.lane.reachBytes);
    return leastBytes;
  }

  /** The shard has more to say than may wait, or has not any more: until then nothing more is sequenced here. */
  setShardFull(full: boolean): void {
    this.#shardFull = full;
    // who waited for that waits no longer
    if (full) return;
    this.#pumped = true;
    this.openings++;
  }

  /**
   * From now on what a new owner delivers comes here behind all that was delivered before: a thread of the broker knows how far that reaches,
   * a user's thread is told by marks in its lanes.
   *
   * @param isNew whether a shard is an owner that was none before
   */
  alignDeliveries(number: number, isNew: (shard: number) => boolean): void {
    if (this.#self >= this.#memory.shards) return;
    this.#intake.align(number, isNew);
    this.#handoverMark = number;
    for (const peer of this.#peers) if (peer.user) this.#markOne(peer);
  }

  /** Whether all that was delivered before the last change of an owner has been taken here. */
  get aligned(): boolean {
    return this.#intake.aligned;
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
    this.#forwarded.note();
    return true;
  };

  /** Tells the publisher of a synchronous message which gateway gets a delivery of it, or that one gave it back. */
  syncExpected(token: number, gateway: number, change: number): void {
    const publisher = syncEndpointOf(token);
    if (publisher === this.#self) this.#roles!.sync?.onExpected(token, gateway, change);
    else this.announcerTo(publisher)?.syncExpected(token, gateway, change);
  }

  /** Tells the publisher of a message with a token that it is in order. */
  syncSequenced(token: number): void {
    const publisher = syncEndpointOf(token);
    if (publisher === this.#self) this.#roles!.sync?.onSequenced(token);
    else this.announcerTo(publisher)?.syncSequenced(token);
  }

  /** Tells the publisher of a message with a token that a stream has not stored it. */
  syncRefused(token: number, answer: string): void {
    const publisher = syncEndpointOf(token);
    if (publisher === this.#self) this.#roles!.sync?.onRefused(token, answer);
    else this.announcerTo(publisher)?.syncRefused(token, answer);
  }

  /** Tells the publisher of a synchronous message that this thread's gateway has taken a delivery of it. */
  syncTaken(token: number): void {
    const publisher = syncEndpointOf(token);
    if (publisher === this.#self) this.#roles!.sync?.onTaken(token, this.#self);
    else this.announcerTo(publisher)?.syncTaken(token);
  }

  /** Tells the publisher of a message that is traced what became of it on this thread. @param events as JSON, in ASCII */
  syncTold(token: number, events: string): void {
    const publisher = syncEndpointOf(token);
    if (publisher === this.#self) this.#roles!.sync?.onTold?.(token, this.#self, events);
    else this.announcerTo(publisher)?.syncTold(token, events);
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
    this.#intake.drainControl();
  }

  /** Takes every delivery published so far; see `Intake.drainDeliveries`. */
  drainDeliveries(asked = 0): number {
    return this.#intake.drainDeliveries(asked);
  }

  /** Takes what was published to this thread before the call; see `Intake.doWork`. */
  doWork(units = laneUnits): boolean {
    return !this.alone && this.#intake.doWork(units);
  }

  /** The same in the midst of a turn: who waits on this thread to publish goes on at its end. */
  glance(units: number): boolean {
    return !this.alone && this.#intake.glance(units);
  }

  /** Takes all that was published to this thread before the call. */
  takeAll(): void {
    if (!this.alone) this.#intake.takeAll();
  }

  /** Sets whether what users' threads publish is left where it is. */
  holdUsers(held: boolean): void {
    this.#intake.usersHeld = held;
  }

  /**
   * Ends a turn: makes what was written visible, gives back what was taken, wakes who sleeps. What was announced becomes visible to
   * everybody before anything that may follow from it does to anybody: it may take a way by a third thread.
   */
  publish(): void {
    this.fanOut.flush();
    const waiting = this.#backlogLanes();
    const { congested } = this;
    for (const peer of this.#peers) peer.pump();
    for (const overflow of this.#overflows) overflow.pump();
    for (const peer of this.#peers) peer.controlOut.lane.publish();
    for (const lane of this.#publishOuts) lane.publish();
    for (const lane of this.#deliverOuts) lane.publish();
    if (this.#backlogLanes() < waiting) this.#pumped = true;
    // what was taken counts as sequenced for its publisher only once its deliveries can be seen
    if (this.congested) return;
    if (congested) this.openings++;
    this.#intake.release();
    if (this.#forwarded.isSequenced()) this.#intake.releaseUsers();
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
    if (!this.handsOn) return null;
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
    const isTaken = ({ lane }: { lane: LaneWriter }) => lane.clear && lane.isConsumed(lane.position);
    return (
      this.#intake.empty &&
      this.#forwarded.empty &&
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

  /** Nobody has to ring for now: a turn begins. */
  awake(): void {
    this.#sleeper.awake();
  }

  /** Others wake this thread by a byte in a pipe from now on; returns what whoever reads it is to call. */
  wakeByPipe(descriptor: number): () => void {
    this.#sleeper.wakeByPipe(descriptor);
    return () => this.#sleeper.rung();
  }

  #hasWork(): boolean {
    if (this.#pumped) return true;
    return this.#peers.some(
      (peer) =>
        this.#intake.hasWorkOf(peer) ||
        peer.publishOut?.lane.hasRelief() ||
        peer.deliverOut?.lane.hasRelief() ||
        peer.controlOut.lane.hasRelief(),
    );
  }

  #backlogLanes(): number {
    return this.#backlogs.control.lanes + this.#backlogs.publish.lanes + this.#backlogs.deliver.lanes;
  }
}

function lanesOf(writers: readonly MessageWriter[]): LaneWriter[] {
  return writers.map(({ lane }) => lane);
}

function fillOf(kind: LaneFill['kind'], lanes: readonly LaneWriter[], outboxes: number): LaneFill {
  const fullest = lanes.reduce((most, { usedBytes, capacityBytes }) => Math.max(most, usedBytes / capacityBytes), 0);
  return { kind, fullest, usedBytes: lanes.reduce((sum, { usedBytes }) => sum + usedBytes, 0), outboxes };
}
