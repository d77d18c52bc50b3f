import { latin1Bytes, latin1String } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import type { Shown } from '../../src/base/shown.js';
import { Span } from '../../src/base/span.js';
import { Exchange } from '../../src/exchange/exchange.js';
import type { ExchangeMemory } from '../../src/exchange/memory.js';
import type { GatewayRole, Taken } from '../../src/exchange/roles.js';
import { type ImageSubscription, Images, type ImageWait, type ImageWindow } from '../../src/router/images.js';
import { Router, type RouterOptions } from '../../src/router/router.js';
import type { Topic } from '../../src/router/topic.js';
import type { LastValueBounds } from '../../src/shard/lastValues.js';
import { Shard } from '../../src/shard/shard.js';

/** What a subscription got: which message of its topic, and whether as part of an image. */
export interface Item {
  subject: string;
  number: number;
  image: boolean;
}

/** A subscription of the simulation, with what it got. */
export class ImageTaker implements ImageSubscription {
  readonly subject: string;
  readonly queue = '';
  readonly lossy = false;
  retired = false;
  readonly heldBytes = 0;
  index = 0;
  image: ImageWait | null = null;
  readonly items: Item[] = [];

  constructor(subject: string) {
    this.subject = subject;
  }
}

/** One of the broker's threads whose gateway has subscriptions that may ask for images. */
export class ImageThread implements GatewayRole<Topic> {
  readonly exchange: Exchange<Topic>;
  readonly router: Router;
  readonly shard: Shard;
  readonly images: Images<ImageTaker>;
  readonly #message = new MessageView();

  /** @param roomForImages what a subscription can take of its image, whenever that is asked */
  constructor(
    memory: ExchangeMemory,
    options: RouterOptions,
    bounds: LastValueBounds,
    roomForImages: () => ImageWindow | null,
  ) {
    const { self } = options;
    this.exchange = new Exchange<Topic>(memory, self);
    this.router = new Router(options, this.exchange.announcer, (topic) => this.exchange.forget(topic));
    this.shard = new Shard(this.router, this.exchange, self, bounds);
    this.images = new Images(this.router, this.exchange, {
      ownerOf: () => this,
      roomOf: roomForImages,
      leastRoomOf: () => ({ messages: 1, bytes: 1 }),
      deliverImage: (taker, message) => {
        const { span, subjectBytes } = message.shown as Shown;
        const subject = latin1String(span.bytes, 0, subjectBytes);
        taker.items.push({ subject, number: numberIn(message, 0), image: true });
      },
      onImageDone: () => {},
    });
    this.exchange.connect(this.router.role(), this.shard, this);
  }

  /** Publishes a number, in so many bytes; false when the publisher has to wait. */
  publish(subject: string, number: number, lengthBytes: number): boolean {
    const topic = this.router.topics.obtain(new Span(latin1Bytes(subject)), 0, subject.length);
    this.router.freshen(topic);
    if (!topic.wanted && !topic.keepsLast) return true;
    const payload = `${number}`.padEnd(lengthBytes, '.');
    this.#message.set(new Span(latin1Bytes(`${payload}\r\n`)), 0, payload.length);
    return this.exchange.shards[topic.owner].publish(topic, this.#message) === 1;
  }

  subscribe(taker: ImageTaker, image: boolean): void {
    this.router.interest.addLocal(taker);
    if (image) this.images.requestFirst(taker);
  }

  unsubscribe(taker: ImageTaker): void {
    this.exchange.drainDeliveries();
    this.images.cancel(taker);
    this.router.interest.removeLocal(taker);
  }

  onDeliver(topic: Topic, message: MessageView): void {
    for (const entry of topic.entries) {
      for (const local of entry.local) {
        const taker = local as ImageTaker;
        if (taker.image?.hides(topic)) continue;
        for (let i = 0; i < message.count; i++)
          taker.items.push({ subject: topic.text, number: numberIn(message, i), image: false });
      }
    }
  }

  onDeliverQueue(): void {
    throw new Error('there are no groups');
  }

  onAnswers(): boolean {
    return false;
  }

  onAddressed(): Taken {
    throw new Error('nothing is sent to addresses');
  }
}

function numberIn(message: MessageView, index: number): number {
  const { bytes, starts, ends } = message;
  const text = latin1String(bytes, starts[index], ends[index] + 2);
  const match = /^(\d+)\.*\r\n$/.exec(text);
  if (match === null) throw new Error(`a message is damaged: ${text.slice(0, 100)}`);
  return Number(match[1]);
}
