import { MessageView } from '../base/messageView.js';
import { shownOf } from '../base/shown.js';
import { placeOf, Span } from '../base/span.js';
import type { Exchange } from '../exchange/exchange.js';
import type { GatewayRole, Taken } from '../exchange/roles.js';
import { isAwaited, isTraceOnly, isTraceToken } from '../exchange/syncToken.js';
import { Images, imageWindow } from '../router/images.js';
import { shownTopic } from '../router/inboxes.js';
import { requeue } from '../router/requeue.js';
import type { Rights } from '../router/rights.js';
import { Rooms } from '../router/rooms.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import { ClientPlan, memberFor } from './clientPlan.js';
import { tellSubscribers } from './clientTracing.js';
import { copyOne, copyRun, copyShown, type Delivered } from './delivered.js';
import { Subscription } from './subscription.js';
import { SyncDelivery } from './syncPublishes.js';

/** The gateway's part for subscribers in this process: what shards deliver goes to their backlogs. */
export class ClientDelivery implements GatewayRole<Topic> {
  /** Whether a lane is being read: nothing that reads lanes may be called meanwhile. */
  reading = false;
  /** Where subscriptions ask for the last values of what they take. */
  readonly images: Images<Subscription>;
  readonly #router: Router;
  readonly #exchange: Exchange<Topic>;
  readonly #requestTurn: () => void;
  /** What subscribers here may do; null where nothing is forbidden. */
  readonly #rights: Rights | null;
  /** Has the shards know what members that bound what they have in flight have room for. */
  readonly rooms: Rooms;
  readonly #returned = new MessageView();
  /** What the broker itself says. */
  readonly #answer = new MessageView();

  constructor(router: Router, exchange: Exchange<Topic>, requestTurn: () => void, rights: Rights | null = null) {
    this.#requestTurn = requestTurn;
    this.#rights = rights;
    this.#router = router;
    this.rooms = new Rooms(router.interest);
    this.#exchange = exchange;
    this.images = new Images(router, exchange, {
      ownerOf: (subscription) => subscription,
      roomOf: (subscription) => subscription.imageRoom,
      leastRoomOf: ({ policy, backlog }) => imageWindow(policy, backlog),
      deliverImage: (subscription, message) => this.#deliverImage(subscription, message),
      onImageDone: () => {},
    });
  }

  /** @param topic fresh: whoever calls has just looked */
  onDeliver(topic: Topic, message: MessageView): void {
    const { plain } = this.#planOf(topic);
    if (message.syncToken !== 0 && this.#traces(plain, message)) return;
    const sync = this.#syncOf(message);
    this.reading = true;
    const run = plain.length === 0 ? [] : copyRun(topic, message, sync);
    for (const subscription of plain) for (const delivered of run) subscription.push(delivered);
    sync?.finish();
    this.reading = false;
  }

  onAnswers(): boolean {
    return false;
  }

  onAddressed(address: Topic, queue: string | null, message: MessageView): Taken {
    if (address.inbox !== null && this.#rights !== null) {
      this.onDeliver(shownTopic(this.#router, address, message), message);
      return 'taken';
    }
    const takers = queue === null ? this.#planOf(address).plain : this.#memberOf(address, queue, message);
    if (takers.length === 0) return 'nobody';
    this.reading = true;
    const delivered = copyShown(address, message);
    for (const subscription of takers) subscription.push(delivered);
    this.reading = false;
    return 'taken';
  }

  /** The member of a group that gets a message which was sent to an address, or none. */
  #memberOf(address: Topic, queue: string, message: MessageView): readonly Subscription[] {
    const members = this.#planOf(address).queues.get(queue);
    // a group with a prefetch acknowledges to the broker, not by replies
    const member = members === undefined || members.bounded ? null : memberFor(members, message, 0);
    return member === null ? [] : [member];
  }

  onDeliverQueue(topic: Topic, queue: string, message: MessageView, index: number): void {
    this.#router.freshen(topic); // a member may just have ended
    const { queues, denied } = this.#planOf(topic);
    if (denied) {
      this.#drop(topic, queue, message);
      return;
    }
    const members = queues.get(queue);
    const member = members === undefined ? null : memberFor(members, message, index);
    if (message.syncToken !== 0 && isTraceOnly(message.syncToken)) {
      this.#traces(member === null ? (members?.members.slice(0, 1) ?? []) : [member], message);
      return;
    }
    if (members?.bounded) {
      this.rooms.came(topic, queue);
      if (member === null) {
        this.rooms.refused(topic, queue);
        message.work = true;
      }
    }
    if (member === null) {
      if (!this.#requeue(topic, queue, message, index) && message.syncToken !== 0)
        this.#exchange.syncTaken(message.syncToken);
      return;
    }
    if (message.syncToken !== 0 && this.#traces([member], message)) return;
    const sync = this.#syncOf(message);
    this.reading = true;
    member.push(copyOne(topic, message, index, sync));
    sync?.finish();
    this.reading = false;
  }

  /** Drops what nobody here has a right to: given back it would come again. */
  #drop(topic: Topic, queue: string, message: MessageView): void {
    this.rooms.came(topic, queue);
    if (message.syncToken !== 0) this.#exchange.syncTaken(message.syncToken);
  }

  /** Gives a text to the subscriptions here that take a reply subject: the answer to a request that goes no further. */
  answer(reply: Uint8Array, text: string): void {
    const { span, start, end } = placeOf(reply);
    const topic = this.#router.topics.obtain(span, start, end);
    this.#router.freshen(topic);
    if (!topic.wantedHere) return;
    const bytes = Buffer.from(`${text}\r\n`);
    this.#answer.set(new Span(bytes), 0, bytes.length - 2);
    this.onDeliver(topic, this.#answer);
  }

  onLoss(subject: string, count: number): void {
    this.reading = true;
    for (const local of [...(this.#router.interest.find(subject)?.local ?? [])])
      if (local.queue === '') Subscription.of(local).loseOnTheWay(count);
    this.reading = false;
  }

  /** Finds another member for a message that one of this endpoint's will not handle: here, or else, then true, elsewhere. */
  giveBack(subscription: Subscription, message: Delivered): boolean {
    let { topic } = message;
    if (!topic.live) topic = this.#router.topics.obtain(topic.span, topic.start, topic.end, topic.account);
    this.#router.freshen(topic);
    message.fill(this.#returned);
    this.#returned.work = subscription.prefetch > 0;
    if (this.#returned.work) return this.#requeue(topic, subscription.queue, this.#returned, 0);
    const members = this.#planOf(topic).queues.get(subscription.queue);
    const member = members === undefined ? null : memberFor(members, this.#returned, 0);
    if (member !== null && member !== subscription) {
      member.push(message);
      return false;
    }
    // no lane to a shard can show anything but the topic: who sent it does so again, since nobody acknowledges it
    if (message.showsOther) return false;
    return this.#requeue(topic, subscription.queue, this.#returned, 0);
  }

  #deliverImage(subscription: Subscription, message: MessageView): void {
    const { span, subjectBytes } = shownOf(message);
    const topic = this.#router.topics.obtain(span, 0, subjectBytes);
    if (this.#rights?.mayReceive(topic.text) === false) return;
    this.reading = true;
    subscription.push(copyOne(topic, message, 0, null));
    this.reading = false;
  }

  /** Tells the publisher of a message that is traced who gets it; true when nobody does. */
  #traces(takers: readonly Subscription[], { syncToken }: MessageView): boolean {
    if (!isTraceToken(syncToken)) return false;
    tellSubscribers(this.#exchange, syncToken, takers);
    const isAll = isTraceOnly(syncToken);
    if (isAll || !isAwaited(syncToken)) this.#exchange.syncTaken(syncToken);
    return isAll;
  }

  /** A trace by itself waits for nobody to be done. */
  #syncOf(message: MessageView): SyncDelivery | null {
    if (message.syncToken === 0 || !isAwaited(message.syncToken)) return null;
    return new SyncDelivery(message.syncToken, (token) => {
      this.#exchange.syncTaken(token);
      this.#requestTurn();
    });
  }

  #requeue(topic: Topic, queue: string, message: MessageView, index: number): boolean {
    return requeue(this.#router.interest.queueNames, this.#exchange.shards[topic.owner], topic, queue, message, index);
  }

  #planOf(topic: Topic): ClientPlan {
    const known = ClientPlan.of(topic);
    if (known !== null) return known;
    const plan = new ClientPlan(topic, this.#rights);
    this.#router.setPlan(topic, plan);
    return plan;
  }
}
