import type { DeliveryHead } from '../protocol/deliveryHead.js';
import { keyedSuffix } from '../router/queueNames.js';
import type { Topic, TopicPlan } from '../router/topic.js';
import { Group } from '../subscriber/group.js';
import type { Audience, Audiences } from './audience.js';
import type { Connection } from './connection.js';
import type { Looks } from './looks.js';
import { PolicedGroup } from './policies/policedGroup.js';
import type { Subscription } from './subscription.js';
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

  add(subscription: Subscription, head: DeliveryHead): void {
    this.join(subscription);
    this.heads.push(head);
  }
}

interface Limited {
  readonly subscription: Subscription;
  readonly head: DeliveryHead;
}

/** What a plan, a head in it with its entry, and a subscription's place take, about, in bytes. */
const planBytes = 512;
const headBytes = 300;
const placeBytes = 16;

/** How a gateway delivers a topic: built when the topic is first delivered, and again when its subscriptions changed. */
export class FanoutPlan implements TopicPlan {
  readonly heldBytes: number;
  readonly entries: PlanEntry[] = [];
  /** The one entry, where there is no more than one. */
  only: PlanEntry | null = null;
  /** Subscriptions that end after a number of messages: counted one by one. One empty list serves all plans without. */
  limited: readonly Limited[] = noLimited;
  /** Subscriptions with a policy; one empty list serves all plans without. */
  policed: readonly PolicedGroup[] = noPoliced;
  /** Subscriptions that are left out until their image has begun. */
  waiting = 0;
  /** For which version of who lags it has been looked whether one of them takes it; kept by `Laggards`. */
  lagVersion = -1;
  /** Subscriptions that it includes, and what each message costs by it, in units of `Work`. */
  subscriptions = 0;
  readonly units: number;
  /** Deliveries of each message that are text, so that each byte of it costs something. */
  texts = 0;
  /** The looks for which it holds. */
  #looks: number;
  /** By the group's name; one empty map serves all plans without groups. */
  queues: ReadonlyMap<string, LocalQueue> = noQueues;
  /** Subscriptions that have no right to the topic's messages; one empty list serves all plans without. */
  #denied: readonly Subscription[] = noneDenied;

  /** @param looks how its connections look now */
  constructor(topic: Topic, audiences: Audiences, turn: number, looks: Looks) {
    this.#looks = looks.version;
    const plain = new Map<Connection, Subscription[]>();
    const policed: Subscription[] = [];
    const limited: Limited[] = [];
    const queues = new Map<string, LocalQueue>();
    const denied: Subscription[] = [];
    // of a connection with very many that take the topic, these mostly come in succession
    let connection: Connection | null = null;
    let ofConnection: Subscription[] = [];
    let sidBytes = 0;
    for (const entry of topic.entries) {
      for (const local of entry.local) {
        const subscription = local as Subscription;
        if (subscription.connection.state !== 'open') continue;
        if (subscription.connection.rights?.mayReceive(topic.text) === false) {
          denied.push(subscription);
          continue;
        }
        if (subscription.image?.hides(topic)) {
          this.waiting++;
          continue;
        }
        subscription.planned = true;
        this.subscriptions++;
        sidBytes += subscription.sid.length;
        if (subscription.queue !== '') addToQueue(queues, topic, subscription);
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
    if (limited.length > 0) this.limited = limited;
    if (policed.length > 0) this.policed = policedGroups(topic, policed);
    if (queues.size > 0) this.queues = queues;
    if (denied.length > 0) this.#denied = denied;
    for (const queue of queues.values()) queue.startAt(turn);
    this.#group(topic, audiences, plain);
    if (this.entries.length === 1) this.only = this.entries[0];
    let units = limited.length + policed.length;
    for (const { heads, audience } of this.entries) {
      units += heads.length;
      if (audience.members[0].dialect.textual) this.texts += heads.length;
    }
    for (const { connection } of limited.map(({ subscription }) => subscription).concat(policed))
      if (connection.dialect.textual) this.texts++;
    this.units = units;
    let heads = units;
    for (const queue of queues.values()) heads += queue.heads.length;
    // each head has the subject and a sid in it
    this.heldBytes =
      planBytes + heads * (headBytes + topic.subject.length) + this.subscriptions * placeBytes + sidBytes;
  }

  /** Whether it still shows how its connections look: one comparison while none has changed. */
  holds(looks: Looks): boolean {
    if (this.#looks === looks.version) return true;
    if (!this.#looksHold()) return false;
    this.#looks = looks.version;
    return true;
  }

  /** Whether members of a group have no right to the topic's messages. */
  denies(queue: string): boolean {
    return this.#denied.some((subscription) => subscription.queue === queue);
  }

  #looksHold(): boolean {
    const looks = this.#looks;
    const holds = ({ connection }: Subscription) => connection.lookVersion <= looks;
    return (
      this.entries.every(({ audience }) => audience.members.every((member) => member.lookVersion <= looks)) &&
      this.limited.every(({ subscription }) => holds(subscription)) &&
      this.#denied.every(holds) &&
      this.policed.every(({ subscriptions }) => subscriptions.every(holds)) &&
      [...this.queues.values()].every(({ members }) => members.every(holds))
    );
  }

  /** Settles what its shared entries delivered into the subscriptions' own counts. */
  retire(): void {
    for (const entry of this.entries) entry.settle();
    for (const group of this.policed) group.retire();
  }

  /** Groups connections by what they are sent: their door's form, the sids of their subscriptions, whether they take headers. */
  #group(topic: Topic, audiences: Audiences, plain: Map<Connection, Subscription[]>): void {
    for (const connections of alike(plain)) {
      const sample = plain.get(connections[0]) as Subscription[];
      const heads = sample.map((subscription) => headOf(topic, subscription));
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
  return subscription.connection.dialect.head(topic.subject, subscription.sid, subscription.hand);
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

const noneDenied: readonly Subscription[] = [];
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
