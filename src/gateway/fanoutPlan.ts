import { assert } from '../base/assert.js';
import { crowdDeliveriesMin } from '../base/limits.js';
import { type Sliced, sliceThings } from '../base/slices.js';
import { cost, headerTextShift, textShift } from '../base/work.js';
import type { DeliveryHead } from '../protocol/deliveryHead.js';
import type { InterestEntry } from '../router/interestEntry.js';
import { keyedSuffix } from '../router/queueNames.js';
import type { Topic, TopicPlan } from '../router/topic.js';
import { Group } from '../subscriber/group.js';
import type { Audience, Audiences } from './audience.js';
import type { Connection } from './connection.js';
import type { Looks } from './looks.js';
import type { KernelPlan } from './mixed/kernelPlan.js';
import { PolicedGroup } from './policies/policedGroup.js';
import { Subscription } from './subscription.js';
import type { Unsettled } from './unsettled.js';

/** Subscriptions of a topic whose deliveries look the same, byte for byte, on every connection of an audience. */
export class PlanEntry {
  readonly audience: Audience;
  /** The one head, where there is no more than one. */
  readonly only: DeliveryHead | null;
  /** The deliveries of one message: one for each subscription that a member has. */
  readonly heads: DeliveryHead[];
  readonly headers: boolean;
  readonly subscriptions: Subscription[];
  /** Messages delivered by this entry that its subscriptions' own counts do not have yet. */
  delivered = 0;
  /** Where it is listed while there are any, and its place there. */
  unsettled: Unsettled | null = null;
  unsettledAt = 0;
  /** The audience without one of its members, kept for the publisher that wants no echo. */
  without: { connection: Connection; audience: Audience } | null = null;

  constructor(audience: Audience, heads: DeliveryHead[], headers: boolean, subscriptions: Subscription[]) {
    this.audience = audience;
    this.heads = heads;
    this.only = heads.length === 1 ? heads[0] : null;
    this.headers = headers;
    this.subscriptions = subscriptions;
  }

  /** Counts what was delivered. */
  count(messages: number, unsettled: Unsettled): void {
    if (this.delivered === 0) unsettled.add(this);
    this.delivered += messages;
  }

  /** Adds what was delivered to the subscriptions' own counts. */
  settle(): void {
    if (this.delivered === 0) return;
    for (const subscription of this.subscriptions) subscription.delivered += this.delivered;
    this.delivered = 0;
    this.unsettled?.remove(this);
  }
}

/** The members of a queue group that this gateway has, and what their deliveries look like. */
export class LocalQueue extends Group<Subscription> {
  readonly heads: DeliveryHead[] = [];

  constructor(name: string) {
    super(name.endsWith(keyedSuffix));
  }

  /** The members of a group in one part of a plan with those in another, if there are any. */
  static join(name: string, some: LocalQueue | undefined, others: LocalQueue, rotation: number): LocalQueue {
    if (some === undefined) return others;
    const all = new LocalQueue(name);
    for (const { members, heads } of [some, others])
      for (let i = 0; i < members.length; i++) all.add(members[i], heads[i]);
    all.startAt(rotation);
    return all;
  }

  add(subscription: Subscription, head: DeliveryHead): void {
    this.join(subscription);
    this.heads.push(head);
  }
}

interface Limited {
  readonly subscription: Subscription;
  readonly head: DeliveryHead;
}

/** Subscriptions that take a topic, by how they are sent it. */
interface Gathered {
  readonly plain: Map<Connection, Subscription[]>;
  readonly policed: Subscription[];
  readonly limited: Limited[];
  readonly listening: Subscription[];
  readonly queues: Map<string, LocalQueue>;
  sidBytes: number;
}

/** What a plan, a head in it with its entry, and a subscription's place take, about, in bytes. */
const planBytes = 512;
const headBytes = 300;
const placeBytes = 16;

/** How a gateway delivers a topic: built when the topic is first delivered, and again when its subscriptions changed. */
export class FanoutPlan implements TopicPlan {
  heldBytes = 0;
  readonly entries: PlanEntry[] = [];
  /** The one entry, where there is no more than one. */
  only: PlanEntry | null = null;
  /** Subscriptions that end after a number of messages: counted one by one. One empty list serves all plans without. */
  limited: readonly Limited[] = noLimited;
  /** Whether one of its subscriptions, in a group or not, ends after a number of messages. */
  ends = false;
  /** Subscriptions with a policy; one empty list serves all plans without. */
  policed: readonly PolicedGroup[] = noPoliced;
  /** Subscriptions that somebody of the gateway listens to; one empty list serves all plans without. */
  listening: readonly Subscription[] = noneDenied;
  /** Subscriptions that are left out until their image has begun. */
  waiting = 0;
  /** For which version of who lags it has been looked whether one of them takes it; kept by `Laggards`. */
  lagVersion = -1;
  /** Subscriptions that it includes, and what each message costs by it, in units of `Work`. */
  subscriptions = 0;
  units = 0;
  /** Deliveries of each message that are text, so that each byte of it costs something. */
  texts = 0;
  /** The looks for which it holds. */
  #looks: number;
  /** By the group's name; one empty map serves all plans without groups. */
  queues: ReadonlyMap<string, LocalQueue> = noQueues;
  /** Whether somebody may not receive everything: then it says nothing of other subjects than the topic's own. */
  restricted = false;
  /** Subscriptions that have no right to the topic's messages; one empty list serves all plans without. */
  #denied: Subscription[] = noneDenied;
  // Kept by `KernelPlans`.
  /** The same in the kernel's memory, where it is worth that. */
  kernelPlan: KernelPlan | null = null;
  /** Whether that has been asked for before, and whether it is not for the kernel. */
  repeated = false;
  unsuited = false;

  private constructor(looks: number) {
    this.#looks = looks;
  }

  /** What is kept with a topic; only a gateway keeps plans there. */
  static of({ plan }: Topic): FanoutPlan | null {
    return plan === null ? null : FanoutPlan.own(plan);
  }

  static own(plan: TopicPlan): FanoutPlan {
    assert(plan instanceof FanoutPlan, "a topic's plan is its gateway's");
    return plan;
  }

  /**
   * Plans for the subscriptions of this gateway among the entries that take a topic; they must not change meanwhile.
   *
   * @param looks how connections look now
   */
  static *make(
    topic: Topic,
    entries: readonly InterestEntry[],
    audiences: Audiences,
    rotation: number,
    looks: Looks,
  ): Sliced<FanoutPlan> {
    const plan = new FanoutPlan(looks.version);
    const gathered = yield* plan.#gather(topic, entries);
    const { plain, limited, policed, listening, queues } = gathered;
    if (listening.length > 0) plan.listening = listening;
    if (limited.length > 0) plan.limited = limited;
    if (policed.length > 0) plan.policed = policedGroups(topic, policed);
    if (queues.size > 0) plan.queues = queues;
    for (const queue of queues.values()) queue.startAt(rotation);
    yield* plan.#group(topic, audiences, plain);
    if (plan.entries.length === 1) plan.only = plan.entries[0];
    plan.#count(topic, gathered);
    return plan;
  }

  /**
   * What plans for parts of a topic's subscriptions say together. They have what they deliver in common with it: none of them is used beside it.
   *
   * @param rotation where groups begin that have members in several parts
   */
  static join(parts: readonly FanoutPlan[], rotation: number, looks: Looks): FanoutPlan {
    const all = new FanoutPlan(parts.reduce((least, part) => Math.min(least, part.#looks), looks.version));
    const queues = new Map<string, LocalQueue>();
    for (const part of parts) {
      all.#add(part);
      for (const [name, queue] of part.queues)
        queues.set(name, LocalQueue.join(name, queues.get(name), queue, rotation));
    }
    if (queues.size > 0) all.queues = queues;
    // a connection may be in several of them
    all.unsuited = parts.length > 1;
    if (all.entries.length === 1) all.only = all.entries[0];
    return all;
  }

  #add(part: FanoutPlan): void {
    for (const entry of part.entries) this.entries.push(entry);
    if (part.limited.length > 0) this.limited = this.limited.concat(part.limited);
    if (part.policed.length > 0) this.policed = this.policed.concat(part.policed);
    if (part.listening.length > 0) this.listening = this.listening.concat(part.listening);
    if (part.#denied.length > 0) this.#denied = this.#denied.concat(part.#denied);
    this.waiting += part.waiting;
    this.subscriptions += part.subscriptions;
    this.units += part.units;
    this.texts += part.texts;
    this.heldBytes += part.heldBytes;
    if (part.restricted) this.restricted = true;
    if (part.ends) this.ends = true;
  }

  *#gather(topic: Topic, entries: readonly InterestEntry[]): Sliced<Gathered> {
    const gathered: Gathered = {
      plain: new Map(),
      policed: [],
      limited: [],
      listening: [],
      queues: new Map(),
      sidBytes: 0,
    };
    const { plain, policed, limited, queues } = gathered;
    // of a connection with very many that take the topic, these mostly come in succession
    let connection: Connection | null = null;
    let ofConnection: Subscription[] = [];
    let things = 0;
    for (const { local } of entries) {
      for (let i = 0; i < local.length; i++) {
        if (++things % sliceThings === 0) yield;
        const subscription = Subscription.of(local[i]);
        if (!this.#includes(topic, subscription)) continue;
        gathered.sidBytes += subscription.sid.length;
        if (subscription.listener !== null) gathered.listening.push(subscription);
        else if (subscription.queue !== '') addToQueue(queues, topic, subscription);
        else if (subscription.maxMessages > 0) limited.push({ subscription, head: headOf(topic, subscription) });
        else if (subscription.slow !== null) policed.push(subscription);
        else {
          if (subscription.connection !== connection) {
            connection = subscription.connection;
            ofConnection = listOf(plain, connection);
          }
          ofConnection.push(subscription);
        }
      }
    }
    return gathered;
  }

  #includes(topic: Topic, subscription: Subscription): boolean {
    const { connection, image } = subscription;
    if (connection.state !== 'open') return false;
    const { rights } = connection;
    // who listens looks at what each message shows
    if (subscription.listener !== null) return true;
    if (rights !== null) this.restricted = true;
    if (rights?.mayReceive(topic.text) === false) {
      if (this.#denied.length === 0) this.#denied = [];
      this.#denied.push(subscription);
      return false;
    }
    if (image?.hides(topic)) {
      this.waiting++;
      return false;
    }
    if (subscription.maxMessages > 0) this.ends = true;
    subscription.planned = true;
    this.subscriptions++;
    return true;
  }

  #count(topic: Topic, { limited, policed, listening, queues, sidBytes }: Gathered): void {
    this.units = limited.length + policed.length + listening.length;
    let headCount = this.units;
    let deliveries = 0;
    for (const { heads, audience } of this.entries) {
      this.units += heads.length === 1 ? 1 : heads.length * cost.head;
      headCount += heads.length;
      deliveries += heads.length * audience.members.length;
      if (audience.members[0].dialect.textual) this.texts += heads.length;
    }
    for (const { connection } of limited.map(({ subscription }) => subscription).concat(policed, listening))
      if (connection.dialect.textual) this.texts++;
    if (deliveries >= crowdDeliveriesMin) this.units += deliveries * cost.crowdDelivery;
    for (const queue of queues.values()) headCount += queue.heads.length;
    // each head has the subject and a sid in it
    this.heldBytes =
      planBytes + headCount * (headBytes + topic.subject.length) + this.subscriptions * placeBytes + sidBytes;
  }

  sendUnits(messageBytes: number): number {
    let units = 0;
    for (const { audience, heads } of this.entries) units += heads.length * audience.unitsOf(messageBytes);
    return units;
  }

  headerUnits(messageBytes: number): number {
    return this.texts * ((messageBytes >> textShift) + (messageBytes >> headerTextShift));
  }

  /** Whether it still shows how its connections look: one comparison while none has changed. */
  isCurrent(looks: Looks): boolean {
    if (this.#looks === looks.version) return true;
    if (!this.#looksHold()) return false;
    this.#looks = looks.version;
    return true;
  }

  get denied(): readonly Subscription[] {
    return this.#denied;
  }

  /** Whether members of a group have no right to the topic's messages. */
  denies(queue: string): boolean {
    return this.#denied.some((subscription) => subscription.queue === queue);
  }

  #looksHold(): boolean {
    const looks = this.#looks;
    const isCurrent = ({ connection }: Subscription) => connection.lookVersion <= looks;
    return (
      this.entries.every(({ audience }) => audience.members.every((member) => member.lookVersion <= looks)) &&
      this.limited.every(({ subscription }) => isCurrent(subscription)) &&
      this.#denied.every(isCurrent) &&
      this.policed.every(({ subscriptions }) => subscriptions.every(isCurrent)) &&
      [...this.queues.values()].every(({ members }) => members.every(isCurrent))
    );
  }

  /** Whether every message is delivered as it comes to all who take it, if anybody does. */
  get isPlain(): boolean {
    return this.policed.length === 0 && this.limited.length === 0 && this.listening.length === 0 && this.waiting === 0;
  }

  /** Settles what its shared entries delivered into the subscriptions' own counts. */
  retire(): void {
    this.kernelPlan?.retire();
    for (const entry of this.entries) entry.settle();
    for (const group of this.policed) group.retire();
  }

  /** Groups connections by what they are sent: their door's form, the sids of their subscriptions, whether they take headers. */
  *#group(topic: Topic, audiences: Audiences, plain: Map<Connection, Subscription[]>): Sliced<void> {
    let things = 0;
    for (const connections of alike(plain)) {
      const sample = plain.get(connections[0]) as Subscription[];
      const heads: DeliveryHead[] = [];
      for (const subscription of sample) {
        heads.push(headOf(topic, subscription));
        if (++things % sliceThings === 0) yield;
      }
      const subscriptions =
        connections.length === 1 ? sample : connections.flatMap((each) => plain.get(each) as Subscription[]);
      const headers = connections[0].options.headers;
      this.entries.push(new PlanEntry(audiences.intern(connections), heads, headers, subscriptions));
    }
  }
}

/** Connections in groups of those that are sent the same. */
function alike(plain: Map<Connection, Subscription[]>): Iterable<Connection[]> {
  // one that is alone, with any number of subscriptions, need not be compared
  if (plain.size === 1) return [[...plain.keys()]];
  const groups = new Map<string, Connection[]>();
  for (const [connection, subscriptions] of plain) {
    const sids = subscriptions.map((subscription) => subscription.sid).join(' ');
    append(groups, `${lookOf(connection)} ${sids}`, connection);
  }
  return groups.values();
}

function headOf(topic: Topic, subscription: Subscription): DeliveryHead {
  return subscription.connection.dialect.head(topic.subject, subscription.sid, subscription.inFlight);
}

/** What else than its sids decides how a connection's deliveries look. */
function lookOf({ dialect, frameOpcode, options }: Connection): string {
  return `${dialect.name} ${frameOpcode} ${options.headers ? 'h' : '-'}`;
}

const noLimited: readonly Limited[] = [];
const noPoliced: readonly PolicedGroup[] = [];

/** One subscription a connection is in each group, since a sid is used once a connection. */
function policedGroups(topic: Topic, subscriptions: Subscription[]): PolicedGroup[] {
  const groups = new Map<string, Subscription[]>();
  for (const subscription of subscriptions)
    append(groups, `${lookOf(subscription.connection)} ${subscription.sid}`, subscription);
  return [...groups.values()].map((members) => {
    const [sample] = members;
    return new PolicedGroup(headOf(topic, sample), sample.connection.options.headers, members);
  });
}

const noneDenied: Subscription[] = [];
const noQueues: ReadonlyMap<string, LocalQueue> = new Map();

function addToQueue(queues: Map<string, LocalQueue>, topic: Topic, subscription: Subscription): void {
  let queue = queues.get(subscription.queue);
  if (queue === undefined) {
    queue = new LocalQueue(subscription.queue);
    queues.set(subscription.queue, queue);
  }
  queue.add(subscription, headOf(topic, subscription));
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  listOf(lists, key).push(value);
}

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}
