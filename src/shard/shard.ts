import type { MessageView } from '../base/messageView.js';
import type { GatewayProxy } from '../exchange/proxies.js';
import type { ShardRole } from '../exchange/roles.js';
import { keyHashOf } from '../protocol/messageKey.js';
import type { Router } from '../router/router.js';
import type { QueueRoute, Topic } from '../router/topic.js';
import { Images } from './images.js';
import { type LastValueBounds, LastValues, lastValueBoundsDefault } from './lastValues.js';

/**
 * The sequencer of the topics it owns. A message is in order once it is here: it is handed to every gateway that wants
 * it, and to one member of each queue group, before the next one is looked at.
 */
export class Shard implements ShardRole<Topic> {
  /** Messages sequenced since the start. */
  sequenced = 0;
  readonly lastValues: LastValues;
  readonly #images: Images;
  readonly #router: Router;
  readonly #gateways: GatewayProxy<Topic>[];
  readonly #self: number;

  constructor(
    router: Router,
    gateways: GatewayProxy<Topic>[],
    self: number,
    bounds: LastValueBounds = lastValueBoundsDefault,
  ) {
    this.lastValues = new LastValues(bounds, (value) => this.#images.beforeChange(value));
    this.#images = new Images(gateways, this.lastValues);
    this.#router = router;
    this.#gateways = gateways;
    this.#self = self;
  }

  /** @param topic fresh: whoever calls has just looked */
  onPublish(topic: Topic, message: MessageView): void {
    this.sequenced += message.count;
    if (topic.keepsLast) this.#keep(topic, message);
    const remotes = topic.remotes;
    for (let i = 0; i < remotes.length; i++) this.#gateways[remotes[i]].deliver(topic, message);
    if (topic.wantedHere) this.#gateways[this.#self].deliver(topic, message);
    const queues = topic.queues;
    for (let i = 0; i < queues.length; i++)
      for (let j = 0; j < message.count; j++) this.#deliverToMember(topic, queues[i], message, j);
  }

  onRequeue(topic: Topic, queue: string, message: MessageView, index: number, gateway: number): void {
    this.#router.freshen(topic);
    const route = topic.queues.find((candidate) => candidate.name.text === queue);
    if (route === undefined) return;
    const keyHash = route.name.keyed ? keyHashOf(message, index) : -1;
    const other = keyHash < 0 ? route.nextExcept(gateway) : route.gatewayOf(keyHash, gateway);
    // a group without another member has no one left who could miss the message
    if (other >= 0) this.#gateways[other].deliverQueue(topic, route.name, message, index);
  }

  onImageRequest(gateway: number, token: number, subject: string): void {
    this.#images.request(gateway, token, subject);
  }

  onImageCancel(gateway: number, token: number): void {
    this.#images.cancel(gateway, token);
  }

  /** A gateway has gone: nobody takes its images any more. */
  forgetGateway(gateway: number): void {
    this.#images.leave(gateway);
  }

  /** Whether nothing is on its way that nobody has published just now. */
  get quiet(): boolean {
    return !this.#images.any;
  }

  /** The shard's part of a turn beside sequencing. Returns whether there is more to do at once. */
  doWork(): boolean {
    return this.#images.doWork();
  }

  #keep(topic: Topic, message: MessageView): void {
    this.lastValues.keep(topic, message);
    // an image that had to go out first may have been the last message of a subscription
    this.#router.freshen(topic);
  }

  #deliverToMember(topic: Topic, route: QueueRoute, message: MessageView, index: number): void {
    const keyHash = route.name.keyed ? keyHashOf(message, index) : -1;
    const gateway = keyHash < 0 ? route.next() : route.gatewayOf(keyHash);
    this.#gateways[gateway].deliverQueue(topic, route.name, message, index);
  }
}
