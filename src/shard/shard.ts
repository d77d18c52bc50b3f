import { assert } from '../base/assert.js';
import type { MessageView } from '../base/messageView.js';
import type { PublishedSubject } from '../base/publishedSubject.js';
import { shownOf } from '../base/shown.js';
import { cost } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import type { FanOut } from '../exchange/fanOut.js';
import type { GatewayProxy } from '../exchange/proxies.js';
import type { ShardRole } from '../exchange/roles.js';
import { isStoreToken, isTraceOnly } from '../exchange/syncToken.js';
import { keyHashOf } from '../protocol/messageKey.js';
import type { QueueRoute } from '../router/queueRoute.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import { HeldMessages } from '../subscriber/heldMessages.js';
import { Addressing } from './addressing.js';
import { Images } from './images.js';
import { type LastValueBounds, LastValues, lastValueBoundsDefault } from './lastValues.js';
import { ShardServices } from './services.js';
import type { Capture, Captured } from './streams/capture.js';
import { type WorkHost, Works } from './work/works.js';

/** Ways to the gateways: each by itself, and all that want a topic. */
type Deliveries = Pick<Exchange<Topic>, 'gateways' | 'fanOut'>;

/** What becomes of a message with a token, told to its publisher. */
export interface SyncReporter {
  syncExpected(token: number, gateway: number, change: number): void;
  syncSequenced(token: number): void;
}

/**
 * The sequencer of the topics it owns. A message is in order once it is here: it is handed to every gateway that wants
 * it, and to one member of each queue group, before the next one is looked at.
 */
export class Shard implements ShardRole<Topic> {
  /** Messages sequenced since the start. */
  sequenced = 0;
  readonly lastValues: LastValues;
  /** Groups whose members bound what they have in flight. */
  readonly works: Works;
  /** What is sent to addresses. */
  readonly addressing: Addressing;
  /** Who answers requests to the broker itself. */
  readonly services: ShardServices;
  /** Stores messages of topics with an owner of their own; null where there are no streams. */
  capture: Capture | null = null;
  readonly #images: Images;
  readonly #router: Router;
  readonly #gateways: GatewayProxy<Topic>[];
  readonly #fanOut: FanOut<Topic>;
  readonly #self: number;
  readonly #sync: SyncReporter | null;

  constructor(
    router: Router,
    exchange: Deliveries,
    self: number,
    bounds: LastValueBounds = lastValueBoundsDefault,
    sync: SyncReporter | null = null,
    held = new HeldMessages<Topic>(),
    workHost = unhurried,
  ) {
    const { gateways, fanOut } = exchange;
    this.lastValues = new LastValues(bounds, (value) => this.#images.beforeChange(value));
    this.#images = new Images(gateways, this.lastValues);
    this.#router = router;
    this.#gateways = gateways;
    this.#fanOut = fanOut;
    this.#self = self;
    this.#sync = sync;
    this.services = new ShardServices(router, this);
    this.addressing = new Addressing(router, gateways, self);
    this.works = new Works(router, gateways, self, held, workHost, sync);
  }

  /** @param topic fresh: whoever calls has just looked */
  onPublish(topic: Topic, message: MessageView): void {
    if (topic.endpoint === null) this.deliver(topic, message);
    else this.#onRequests(topic, message);
  }

  #onRequests(topic: Topic, requests: MessageView): void {
    const { caller } = requests;
    // who takes requests beside the broker is not told who asks
    requests.caller = null;
    // nobody else takes those that one topic stands for; what has begun to since they were read is not told by its subject
    if (topic.kind === 'shared') this.sequenced += requests.count;
    else this.deliver(topic, requests);
    requests.caller = caller;
    this.services.onRequests(topic, requests);
  }

  onSequenced(messages: number): void {
    this.sequenced += messages;
  }

  takesTogether(one: Topic, other: Topic): boolean {
    return this.capture?.takesTogether(one, other) ?? false;
  }

  onPublishTogether(topic: Topic, subjects: readonly PublishedSubject[], messages: MessageView): void {
    assert(this.capture !== null, 'what comes together is captured');
    this.sequenced += messages.count;
    for (let i = 0; i < messages.count; i++) subjects[i].published++;
    this.capture.onTogether(topic, subjects, messages);
  }

  onAnswer(inbox: Topic, message: MessageView): boolean {
    if (inbox.inbox?.stands !== true || !this.#reachesAll(inbox, message)) return false;
    this.sequenced++;
    const { remotes, wantedHere } = inbox;
    for (let i = 0; i < remotes.length; i++) this.#gateways[remotes[i]].deliverAddressed(inbox, null, 0, message);
    if (wantedHere) this.#gateways[this.#self].deliverAddressed(inbox, null, 0, message);
    return true;
  }

  /** An addressed run; false, and nothing has happened, when each message has to go by itself. */
  onAnswers(inbox: Topic, run: MessageView): boolean {
    const { remotes, wantedHere } = inbox;
    if (remotes.length === 0 && !wantedHere) return false;
    for (let i = 0; i < remotes.length; i++) if (!this.#gateways[remotes[i]].takesAnswers) return false;
    // first where it may be refused
    if (wantedHere && !this.#gateways[this.#self].deliverAnswers(inbox, run)) return false;
    for (let i = 0; i < remotes.length; i++) this.#gateways[remotes[i]].deliverAnswers(inbox, run);
    this.sequenced += run.count;
    return true;
  }

  /** Whether all who take an address take every other one of its inbox, too, and no user's thread among them is behind. */
  #reachesAll(inbox: Topic, message: MessageView): boolean {
    const { remotes } = inbox;
    const { span, subjectBytes } = shownOf(message);
    if (this.#router.interest.hasLiteral(inbox, span, 0, subjectBytes)) return false;
    for (let i = 0; i < remotes.length; i++)
      if (!this.#gateways[remotes[i]].takesAddressed(inbox, message)) return false;
    return true;
  }

  /**
   * Puts a run of messages in order: what is behind it is behind it for everybody.
   *
   * @param topic fresh
   */
  deliver(topic: Topic, message: MessageView): void {
    this.sequenced += message.count;
    topic.published += message.count;
    if (message.syncToken !== 0 && isTraceOnly(message.syncToken)) {
      if (topic.captured) this.capture?.onTraceOnly(topic, message);
      this.passOn(topic, message);
      return;
    }
    // requests are no topic's messages
    if (topic.ownerKeeps && topic.endpoint === null && this.#keep(topic, message) === 'deferred') return;
    this.passOn(topic, message);
  }

  /**
   * Delivers a run that is in order to all who want it.
   *
   * @param topic fresh
   */
  passOn(topic: Topic, message: MessageView): void {
    const token = message.syncToken;
    // before the deliveries, which may change who wants the topic; of those of one that is but stored nobody is told
    if (token !== 0 && isStoreToken(token)) message.syncToken = 0;
    else if (token !== 0) this.#expectPlain(topic, token);
    const { remotes } = topic;
    if (remotes.length !== 0) {
      this.#fanOut.deliver(remotes, topic, message);
      if (topic.crowdUnits !== 0) this.#afterCrowd(topic, message);
    }
    if (topic.wantedHere) this.#gateways[this.#self].deliver(topic, message);
    const queues = topic.queues;
    for (let i = 0; i < queues.length; i++)
      for (let j = 0; j < message.count; j++) this.#deliverToMember(topic, queues[i], message, j);
    if (token !== 0) this.#sync?.syncSequenced(token);
  }

  /**
   * Counts what a run costs the dearest thread beyond what it costs here: no more is put in order in a turn than that can do in one. And has it go into its
   * lanes at once: whether they have room for more is known then.
   */
  #afterCrowd(topic: Topic, { count, lengthBytes }: MessageView): void {
    this.#fanOut.flush();
    const unitsHere = topic.wantedHere ? (topic.plan?.units ?? 0) : 0;
    const unitsEach = topic.crowdUnitsOf(Math.floor(lengthBytes / count));
    this.#router.work.units += Math.max(0, unitsEach - unitsHere) * count;
  }

  onRequeue(topic: Topic, queue: string, message: MessageView, index: number, gateway: number): void {
    this.#router.freshen(topic);
    if (message.work) {
      this.works.takeBack(topic, queue, message, index, gateway);
      return;
    }
    const route = topic.queues.find((candidate) => candidate.name.text === queue);
    const token = message.syncToken;
    if (route === undefined) {
      if (token !== 0) this.#sync?.syncExpected(token, gateway, -1);
      return;
    }
    const keyHash = route.name.keyed ? keyHashOf(message, index) : -1;
    const other = keyHash < 0 ? route.nextExcept(gateway) : route.gatewayOf(keyHash, gateway);
    // another thread's gateway that has members meant others to take what those have no room for; by now there are none
    const givesBack = gateway !== this.#self && message.exceptConnection === 0 && route.counts[gateway] > 0;
    const next = other < 0 && givesBack ? gateway : other;
    // a group without another member has no one left who could miss the message
    if (next >= 0) this.#gateways[next].deliverQueue(topic, route.name, message, index);
    if (token === 0) return;
    // in this order, so that at no time nobody is waited for
    if (next >= 0) this.#sync?.syncExpected(token, next, 1);
    this.#sync?.syncExpected(token, gateway, -1);
  }

  onImageRequest(gateway: number, token: number, subject: string): void {
    this.#images.request(gateway, token, subject);
  }

  onImageCancel(gateway: number, token: number): void {
    this.#images.cancel(gateway, token);
  }

  onImageMore(gateway: number, token: number, messages: number, bytes: number): void {
    this.#images.allow(gateway, token, messages, bytes);
  }

  onUndelivered(gateway: number, sender: number, consumerSequence: number): void {
    this.addressing.onUndelivered(gateway, sender, consumerSequence);
  }

  /** A gateway has gone: nobody takes its images any more. */
  forgetGateway(gateway: number): void {
    this.#images.leave(gateway);
  }

  /** Whether nothing is on its way that nobody has published just now. */
  get quiet(): boolean {
    return !this.#images.any;
  }

  /** The shard's part of a turn beside sequencing. */
  doWork(): boolean {
    this.works.doWork();
    return this.#images.doWork() || this.works.any;
  }

  #keep(topic: Topic, message: MessageView): Captured {
    if (topic.captured) return this.capture?.onMessages(topic, message) ?? 'seen';
    this.#keepLast(topic, message);
    return 'seen';
  }

  #keepLast(topic: Topic, message: MessageView): void {
    this.#router.work.units += cost.lastValue;
    this.lastValues.keep(topic, message);
    // an image that had to go out first may have been the last message of a subscription
    this.#router.freshen(topic);
  }

  /** Whose turn it is; a thread that does not take its messages is passed over while another has members. */
  #next(route: QueueRoute): number {
    const gateway = route.next();
    if (!this.#gateways[gateway].away) return gateway;
    const other = route.counts.findIndex((count, candidate) => count > 0 && !this.#gateways[candidate].away);
    return other < 0 ? gateway : other;
  }

  #deliverToMember(topic: Topic, route: QueueRoute, message: MessageView, index: number): void {
    // work that waits for a member is not traced without being done: any gateway that has some would get it
    if (route.bounded && !isTraceOnly(message.syncToken)) {
      this.works.deliver(topic, route, message, index);
      return;
    }
    const keyHash = route.name.keyed ? keyHashOf(message, index) : -1;
    const gateway = keyHash < 0 ? this.#next(route) : route.gatewayOf(keyHash);
    this.#gateways[gateway].deliverQueue(topic, route.name, message, index);
    if (message.syncToken !== 0) this.#sync?.syncExpected(message.syncToken, gateway, 1);
  }

  /** Tells the publisher of a synchronous message who gets it besides groups. */
  #expectPlain(topic: Topic, token: number): void {
    for (const gateway of topic.remotes) this.#sync?.syncExpected(token, gateway, 1);
    if (topic.wantedHere) this.#sync?.syncExpected(token, this.#self, 1);
  }
}

/** For those who hold up nobody: simulations. */
const unhurried: WorkHost = {
  congested: false,
  lossWindowMs: 0,
  onTooMuch: () => true,
  onChange: (_, change) => change(),
  onEnoughTaken: () => {},
  onLost: () => {},
};
