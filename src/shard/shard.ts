import type { MessageView } from '../base/messageView.js';
import type { GatewayProxy } from '../exchange/proxies.js';
import type { ShardRole } from '../exchange/roles.js';
import { keyHashOf } from '../protocol/messageKey.js';
import type { Router } from '../router/router.js';
import type { QueueRoute, Topic } from '../router/topic.js';

/**
 * The sequencer of the topics it owns. A message is in order once it is here: it is handed to every gateway that wants
 * it, and to one member of each queue group, before the next one is looked at.
 */
export class Shard implements ShardRole<Topic> {
  /** Messages sequenced since the start. */
  sequenced = 0;
  readonly #router: Router;
  readonly #gateways: GatewayProxy<Topic>[];
  readonly #self: number;

  constructor(router: Router, gateways: GatewayProxy<Topic>[], self: number) {
    this.#router = router;
    this.#gateways = gateways;
    this.#self = self;
  }

  /** @param topic fresh: whoever calls has just looked */
  onPublish(topic: Topic, message: MessageView): void {
    this.sequenced += message.count;
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

  #deliverToMember(topic: Topic, route: QueueRoute, message: MessageView, index: number): void {
    const keyHash = route.name.keyed ? keyHashOf(message, index) : -1;
    const gateway = keyHash < 0 ? route.next() : route.gatewayOf(keyHash);
    this.#gateways[gateway].deliverQueue(topic, route.name, message, index);
  }
}
