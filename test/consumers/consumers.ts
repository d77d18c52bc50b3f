import { BroadcastChannel } from 'node:worker_threads';
import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import type { Role } from '../../src/base/role.js';
import { Shown } from '../../src/base/shown.js';
import { Span } from '../../src/base/span.js';
import type { ShardSite } from '../../src/broker/shardThread.js';
import type { Address, Addressing, Sender } from '../../src/shard/addressing.js';
import { type ConsumerOrder, channelVariable, contentOf, type OnChannel, timeOf } from './messages.js';

/** The consumers of one shard, as tests order them. */
export class Consumers implements Role {
  readonly #site: ShardSite;
  readonly #channel = new BroadcastChannel(process.env[channelVariable] as string);
  readonly #consumers = new Set<Consumer>();

  constructor(site: ShardSite) {
    this.#site = site;
    this.#channel.onmessage = (event) => this.#onMessage((event as { data: OnChannel }).data);
    this.#channel.unref();
  }

  doWork(): boolean {
    let more = false;
    for (const consumer of this.#consumers) {
      if (consumer.doWork()) more = true;
      if (consumer.idle) this.#tell(consumer);
      if (consumer.waits === 'untold') {
        consumer.waits = 'told';
        this.#channel.postMessage({ type: 'waits', name: consumer.order.name });
      }
    }
    return more;
  }

  #onMessage(message: OnChannel): void {
    if (message.type !== 'consume' || message.shard !== this.#site.self) return;
    this.#consumers.add(new Consumer(message, this.#site));
    this.#site.requestTurn();
  }

  /** All has been sent; what comes back is sent again, and told again. */
  #tell(consumer: Consumer): void {
    if (consumer.told) return;
    consumer.told = true;
    this.#channel.postMessage({ type: 'consumed', name: consumer.order.name, redelivered: consumer.redelivered });
  }
}

interface Attempt {
  readonly sequence: number;
  readonly delivered: number;
}

/** Sends its messages in order, and again what nobody took. */
class Consumer implements Sender {
  readonly order: ConsumerOrder;
  redelivered = 0;
  told = false;
  /** Whether it has ever found no room, and whether it has said so. */
  waits: 'no' | 'untold' | 'told' = 'no';
  readonly #addressing: Addressing;
  readonly #requestTurn: () => void;
  readonly #address: Address;
  readonly #token: number;
  readonly #message = new MessageView();
  /** One for each subject: what is shown is written only when it changes. */
  readonly #shown: readonly Shown[];
  readonly #queue: Attempt[] = [];
  /** By consumer sequence. */
  readonly #attempts: Attempt[] = [];

  constructor(order: ConsumerOrder, { shard, requestTurn }: ShardSite) {
    this.order = order;
    this.#requestTurn = requestTurn;
    this.#addressing = shard.addressing;
    this.#address = this.#addressing.addressOf(latin1Bytes(order.address));
    this.#token = this.#addressing.enter(this);
    this.#shown = order.subjects.map((subject) => {
      const shown = new Shown();
      shown.setText(subject, `$JS.ACK.TEST.${order.name}.`);
      return shown;
    });
    for (let sequence = 1; sequence <= order.count; sequence++) this.#queue.push({ sequence, delivered: 1 });
  }

  get idle(): boolean {
    return this.#queue.length === 0;
  }

  /** Returns whether it has more to send for which there is room. */
  doWork(): boolean {
    for (let i = 0; i < this.order.perTurn && this.#queue.length > 0; i++) {
      const attempt = this.#queue.shift() as Attempt;
      this.#attempts.push(attempt);
      const sent = this.#addressing.send(this.#address, this.#token, this.#view(attempt));
      if (sent === 'sent') continue;
      if (sent === 'no-room' && this.waits === 'no') this.waits = 'untold';
      this.#attempts.pop();
      this.#queue.unshift(attempt);
      return false;
    }
    return this.#queue.length > 0;
  }

  onUndelivered(_gateway: number, consumerSequence: number): void {
    const { sequence, delivered } = this.#attempts[consumerSequence - 1] as Attempt;
    this.redelivered++;
    this.told = false;
    this.#queue.push({ sequence, delivered: delivered + 1 });
    this.#requestTurn();
  }

  #view({ sequence, delivered }: Attempt): MessageView {
    const content = contentOf(this.order, sequence);
    const message = this.#message;
    message.set(new Span(latin1Bytes(`${content}\r\n`)), 0, content.length);
    message.setHeaders(this.order.headers.length);
    const shown = this.#shown[(sequence - 1) % this.#shown.length] as Shown;
    const [seconds, nanoseconds] = timeOf(sequence);
    shown.numbers.set([delivered, sequence, this.#attempts.length, seconds, nanoseconds, this.order.count - sequence]);
    message.shown = shown;
    return message;
  }
}
