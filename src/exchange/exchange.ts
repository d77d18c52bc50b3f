import type { Fullness } from '../base/fullness.js';
import type { MessageView } from '../base/messageView.js';
import { Bell, Sleeper } from '../ring/bell.js';
import { ControlReader, ControlWriter } from './controlLane.js';
import { Backlog } from './laneWriter.js';
import type { ExchangeMemory } from './memory.js';
import { MessageReader } from './messageReader.js';
import { MessageWriter } from './messageWriter.js';
import { GatewayProxy, ShardProxy } from './proxies.js';
import type { ExchangeTopic, GatewayRole, RouterRole, ShardRole } from './roles.js';

/** The lanes to and from one other endpoint. */
class Peer<T extends ExchangeTopic> {
  readonly controlOut: ControlWriter;
  readonly publishOut: MessageWriter;
  readonly deliverOut: MessageWriter;
  readonly controlIn: ControlReader<T>;
  readonly publishIn: MessageReader<T>;
  readonly deliverIn: MessageReader<T>;
  /** What had been published when this turn began. */
  publishLimit = 0;
  deliverLimit = 0;

  constructor(memory: ExchangeMemory, self: number, peer: number, roles: Roles<T>, backlogs: Backlogs) {
    const bell = new Bell(memory.bells, peer);
    const out = memory.pairs[self][peer]!;
    const into = memory.pairs[peer][self]!;
    this.controlOut = new ControlWriter(out.control, bell, backlogs.control);
    this.publishOut = new MessageWriter(out.publish, bell, backlogs.publish);
    this.deliverOut = new MessageWriter(out.deliver, bell, backlogs.deliver);
    this.controlIn = new ControlReader(into.control, bell, peer, roles.router);
    this.publishIn = new MessageReader(into.publish, bell, roles.router, {
      onMessages: (topic: T, message: MessageView) => roles.shard.onPublish(topic, message),
      onQueueMessage: (topic: T, queue: string, message: MessageView, index: number) =>
        roles.shard.onRequeue(topic, queue, message, index, peer),
    });
    this.deliverIn = new MessageReader(into.deliver, bell, roles.router, {
      onMessages: (topic: T, message: MessageView) => roles.gateway.onDeliver(topic, message),
      onQueueMessage: (topic: T, queue: string, message: MessageView, index: number) =>
        roles.gateway.onDeliverQueue(topic, queue, message, index),
    });
  }
}

interface Roles<T extends ExchangeTopic> {
  router: RouterRole<T>;
  shard: ShardRole<T>;
  gateway: GatewayRole<T>;
}

interface Backlogs {
  control: Backlog;
  publish: Backlog;
  deliver: Backlog;
}

/**
 * One thread's end of all its lanes. Publish lanes may wait for deliver lanes; deliver lanes end in sockets and wait for
 * nobody; control lanes change tables only. So no cycle of waiting can form, however small the rings are.
 */
export class Exchange<T extends ExchangeTopic> {
  /** Shards and gateways of all threads, by number. */
  readonly shards: ShardProxy<T>[] = [];
  readonly gateways: GatewayProxy<T>[] = [];
  readonly #memory: ExchangeMemory;
  readonly #self: number;
  readonly #peers: Peer<T>[] = [];
  readonly #sleeper: Sleeper;
  /** Whether an outbox has been emptied since relief was last taken. */
  #pumped = false;
  readonly #backlogs: Backlogs = { control: new Backlog(), publish: new Backlog(), deliver: new Backlog() };

  constructor(memory: ExchangeMemory, self: number) {
    this.#sleeper = new Sleeper(memory.bells, self);
    this.#self = self;
    this.#memory = memory;
  }

  /** Wires the thread's own roles; once, before anything else. */
  connect(router: RouterRole<T>, shard: ShardRole<T>, gateway: GatewayRole<T>): void {
    for (let endpoint = 0; endpoint < this.#memory.endpoints; endpoint++) {
      if (endpoint === this.#self) {
        this.shards.push(new ShardProxy(this.#self, shard, null, this));
        this.gateways.push(new GatewayProxy(gateway, null));
        continue;
      }
      const peer = new Peer(this.#memory, this.#self, endpoint, { router, shard, gateway }, this.#backlogs);
      this.#peers.push(peer);
      this.shards.push(new ShardProxy<T>(this.#self, null, peer.publishOut, this));
      this.gateways.push(new GatewayProxy<T>(null, peer.deliverOut));
    }
  }

  /** Whether there is any other endpoint. */
  get alone(): boolean {
    return this.#peers.length === 0;
  }

  /** Whether a deliver lane has no room: until it has, nothing more is sequenced here. */
  get congested(): boolean {
    return this.#backlogs.deliver.lanes !== 0;
  }

  announcePlain(subject: string, wanted: boolean): void {
    for (const peer of this.#peers) peer.controlOut.plainInterest(subject, wanted);
  }

  announceQueue(subject: string, queue: string, members: number): void {
    for (const peer of this.#peers) peer.controlOut.queueInterest(subject, queue, members);
  }

  announceFull(subject: string, state: Fullness): void {
    for (const peer of this.#peers) peer.controlOut.topicFull(subject, state);
  }

  /** Whether all that this thread announced is where the others will find it before their next input. */
  get controlClear(): boolean {
    return this.#backlogs.control.lanes === 0;
  }

  /** The topic's number may be used again. */
  forget(topic: T): void {
    for (const peer of this.#peers) {
      peer.publishOut.forget(topic);
      peer.deliverOut.forget(topic);
    }
  }

  /** Applies what other gateways have announced; before any input is processed, so that causes precede effects. */
  drainControl(): void {
    for (const peer of this.#peers) peer.controlIn.drain();
  }

  /** Takes every delivery published so far: what a connection was sent before it asked must be answered before the answer. */
  drainDeliveries(): void {
    for (const peer of this.#peers) peer.deliverLimit = peer.deliverIn.lane.snapshot();
    this.drainControl();
    for (const peer of this.#peers) this.#takeDeliveries(peer);
  }

  /** Takes everything that was published to this thread before the call; returns whether there was anything. */
  doWork(): boolean {
    let worked = false;
    for (const peer of this.#peers) {
      peer.deliverLimit = peer.deliverIn.lane.snapshot();
      peer.publishLimit = peer.publishIn.lane.snapshot();
    }
    this.drainControl();
    for (const peer of this.#peers) if (this.#takeDeliveries(peer)) worked = true;
    for (const peer of this.#peers) {
      while (!this.congested && peer.publishIn.takeOne(peer.publishLimit)) {
        worked = true;
      }
    }
    return worked;
  }

  /** Ends a turn: makes what was written visible, gives back what was taken, wakes who sleeps. */
  publish(): void {
    const waiting = this.#backlogLanes();
    for (const peer of this.#peers) {
      peer.controlOut.lane.pump();
      peer.publishOut.lane.pump();
      peer.deliverOut.lane.pump();
      peer.controlOut.lane.publish();
      peer.publishOut.publish();
      peer.deliverOut.publish();
    }
    if (this.#backlogLanes() < waiting) this.#pumped = true;
    // what was taken counts as sequenced for its publisher only once its deliveries can be seen
    if (!this.congested) for (const peer of this.#peers) peer.publishIn.lane.release();
  }

  /** Whether a lane that somebody waits for has room again. */
  takeRelief(): boolean {
    let relief = this.#pumped;
    this.#pumped = false;
    for (const peer of this.#peers) {
      if (peer.publishOut.lane.takeRelief()) relief = true;
      if (peer.deliverOut.lane.takeRelief()) relief = true;
      if (peer.controlOut.lane.takeRelief()) relief = true;
    }
    return relief;
  }

  /** How far this thread has written to every shard; null while an outbox holds something. */
  markPublished(): Int32Array | null {
    if (this.#backlogs.publish.lanes !== 0) return null;
    return Int32Array.from(this.#peers, (peer) => peer.publishOut.lane.position);
  }

  /** Whether every shard has sequenced what this thread wrote up to `marks`. If not, relief will be given when it moves. */
  isSequenced(marks: Int32Array): boolean {
    let sequenced = true;
    for (let i = 0; i < this.#peers.length; i++) {
      const lane = this.#peers[i].publishOut.lane;
      if (lane.isConsumed(marks[i])) continue;
      lane.wantRoom();
      sequenced = false;
    }
    return sequenced;
  }

  /** Whether nothing that this thread wrote or has to read is on its way: for draining before a stop. */
  get quiet(): boolean {
    return this.#peers.every(
      (peer) =>
        !peer.publishIn.lane.hasRecords() &&
        !peer.deliverIn.lane.hasRecords() &&
        [peer.publishOut.lane, peer.deliverOut.lane, peer.controlOut.lane].every(
          (lane) => lane.clear && lane.isConsumed(lane.position),
        ),
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
        peer.deliverIn.lane.hasRecords() ||
        (!this.congested && peer.publishIn.lane.hasRecords()) ||
        peer.publishOut.lane.hasRelief() ||
        peer.deliverOut.lane.hasRelief() ||
        peer.controlOut.lane.hasRelief(),
    );
  }

  #backlogLanes(): number {
    return this.#backlogs.control.lanes + this.#backlogs.publish.lanes + this.#backlogs.deliver.lanes;
  }

  #takeDeliveries(peer: Peer<T>): boolean {
    let taken = false;
    while (peer.deliverIn.takeOne(peer.deliverLimit)) taken = true;
    // fragments of a record that is not whole yet have been taken too
    peer.deliverIn.lane.release();
    return taken;
  }
}
