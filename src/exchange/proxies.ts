import type { MessageView } from '../base/messageView.js';
import type { MessageWriter } from './messageWriter.js';
import type { ExchangeQueue, ExchangeTopic, GatewayRole, ShardRole } from './roles.js';

/** Whether the deliver lanes of this thread have room, which a shard asks before it sequences anything. */
export interface DeliverRoom {
  readonly congested: boolean;
}

/** A shard as gateways call it: directly when it is of their thread, else over a publish lane. */
export class ShardProxy<T extends ExchangeTopic> {
  readonly #self: number;
  readonly #local: ShardRole<T> | null;
  readonly #writer: MessageWriter | null;
  readonly #room: DeliverRoom;

  constructor(self: number, local: ShardRole<T> | null, writer: MessageWriter | null, room: DeliverRoom) {
    this.#self = self;
    this.#local = local;
    this.#writer = writer;
    this.#room = room;
  }

  /**
   * Hands a run of messages to the shard that sequences its topic. Returns how many it took: fewer than all when there is
   * no room and the publisher has to wait.
   */
  publish(topic: T, message: MessageView): number {
    if (this.#local !== null) {
      if (this.#room.congested) return 0;
      this.#local.onPublish(topic, message);
      return message.count;
    }
    const taken = this.#writer!.offer(topic, message);
    if (taken < message.count) this.#writer!.lane.wantRoom();
    return taken;
  }

  /** Gives back a message of a queue group for another member. */
  requeue(topic: T, queue: ExchangeQueue, message: MessageView, index: number): void {
    if (this.#local !== null) this.#local.onRequeue(topic, queue.text, message, index, this.#self);
    else this.#writer!.pushOne(topic, queue, message, index);
  }
}

/** A gateway as shards call it: directly when it is of their thread, else over a deliver lane. */
export class GatewayProxy<T extends ExchangeTopic> {
  readonly #local: GatewayRole<T> | null;
  /** Null while the endpoint is not there: it wants nothing then, so nothing is delivered to it. */
  readonly #writer: MessageWriter | null;

  constructor(local: GatewayRole<T> | null, writer: MessageWriter | null) {
    this.#local = local;
    this.#writer = writer;
  }

  deliver(topic: T, message: MessageView): void {
    if (this.#local !== null) this.#local.onDeliver(topic, message);
    else this.#writer!.push(topic, message);
  }

  deliverQueue(topic: T, queue: ExchangeQueue, message: MessageView, index: number): void {
    if (this.#local !== null) this.#local.onDeliverQueue(topic, queue.text, message, index);
    else this.#writer!.pushOne(topic, queue, message, index);
  }
}
