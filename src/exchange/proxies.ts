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

  /** Hands a message to the shard that sequences its topic; false when there is no room and the publisher has to wait. */
  publish(topic: T, message: MessageView): boolean {
    if (this.#local !== null) {
      if (this.#room.congested) return false;
      this.#local.onPublish(topic, message);
      return true;
    }
    if (this.#writer!.offer(topic, message)) return true;
    this.#writer!.lane.wantRoom();
    return false;
  }

  /** Gives back a message of a queue group for another member. */
  requeue(topic: T, queue: ExchangeQueue, message: MessageView): void {
    if (this.#local !== null) this.#local.onRequeue(topic, queue.text, message, this.#self);
    else this.#writer!.push(topic, queue, message);
  }
}

/** A gateway as shards call it: directly when it is of their thread, else over a deliver lane. */
export class GatewayProxy<T extends ExchangeTopic> {
  readonly #local: GatewayRole<T> | null;
  readonly #writer: MessageWriter | null;

  constructor(local: GatewayRole<T> | null, writer: MessageWriter | null) {
    this.#local = local;
    this.#writer = writer;
  }

  deliver(topic: T, message: MessageView): void {
    if (this.#local !== null) this.#local.onDeliver(topic, message);
    else this.#writer!.push(topic, null, message);
  }

  deliverQueue(topic: T, queue: ExchangeQueue, message: MessageView): void {
    if (this.#local !== null) this.#local.onDeliverQueue(topic, queue.text, message);
    else this.#writer!.push(topic, queue, message);
  }
}
