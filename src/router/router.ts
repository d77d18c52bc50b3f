import { mainAccount } from '../base/account.js';
import { latin1Bytes, latin1String } from '../base/bytes.js';
import type { Fullness } from '../base/fullness.js';
import { hashBytes, hashSeedStable, mixHash } from '../base/hash.js';
import { complete, type Sliced, sliceThings } from '../base/slices.js';
import { Span } from '../base/span.js';
import { cost, Work } from '../base/work.js';
import type { RouterRole } from '../exchange/roles.js';
import type { BrokerOptions } from '../options/brokerOptions.js';
import { dollar } from '../protocol/ascii.js';
import { classifyPublished, isWildcardSubject } from '../protocol/subject.js';
import { Holds } from './holds.js';
import { type Inbox, Inboxes, inboxOf } from './inboxes.js';
import { Interest, type InterestAnnouncer, type LateInterestAnnouncer } from './interest.js';
import { bucketOf } from './interestBuckets.js';
import type { InterestEntry } from './interestEntry.js';
import { LoneSubjects } from './loneSubjects.js';
import { Plannings, type TopicDraft } from './plannings.js';
import type { PlansAhead } from './plansAhead.js';
import type { QueueInterest } from './queueInterest.js';
import { QueueRoute } from './queueRoute.js';
import { noOwner, Routes } from './routes.js';
import { type Endpoint, Services } from './services.js';
import { SharedTopics, sharedPrefixOf } from './sharedTopics.js';
import { SubjectRules } from './subjectRules.js';
import { noHome, Topic, type TopicKind, type TopicPlan } from './topic.js';
import { TopicCounts } from './topicCounts.js';
import { prefixLengthOf, TopicInterest } from './topicInterest.js';
import { TopicTable } from './topicTable.js';

export interface RouterOptions
  extends Pick<BrokerOptions, 'shards' | 'order'>,
    Partial<Pick<BrokerOptions, 'lastValue'>> {
  self: number;
  /** Shards, and endpoints without a shard, which are numbered behind them. */
  endpoints: number;
  hashSeed: number;
  /** The clock by which publishers wait, in milliseconds; that of the process when missing. */
  now?: () => number;
}

/** What a thread tells all others. */
export interface RouterAnnouncer extends InterestAnnouncer {
  announceService(pattern: string, nameToken: number, open: boolean, account: number): void;
}

/** What one endpoint is told when it comes late. */
export interface LateAnnouncer extends LateInterestAnnouncer {
  service(pattern: string, nameToken: number, open: boolean, account: number): void;
  topicFull(subject: string, state: Fullness): void;
  lagging(subject: string, lags: boolean): void;
}

/** From a subject to its topic: the owner that sequences it, and who wants it. One a thread, for both of its roles. */
export class Router {
  readonly interest: Interest;
  readonly topics: TopicTable;
  /** Where answers are awaited. */
  readonly inboxes: Inboxes;
  /** Where what is done for a turn is counted. */
  readonly work: Work;
  /** Whose publishers wait. */
  readonly holds: Holds;
  /** Patterns that have owners of their own. */
  readonly routes = new Routes();
  /** Where the broker itself answers. */
  readonly services: Services;
  /** What stands for the subjects of requests that concern the same. */
  readonly shared: SharedTopics;
  /** Topics that take more than a turn to plan. */
  readonly plannings: Plannings = new Plannings(this);
  /** Has other threads plan them, too; set where there are any. */
  ahead: PlansAhead | null = null;
  /** What was published to the busiest of them. */
  readonly counts = new TopicCounts();
  /** What needs no topics. */
  readonly lone: LoneSubjects;
  readonly #announcer: RouterAnnouncer;
  readonly #options: RouterOptions;
  readonly #rules: SubjectRules;

  /** Number of this thread's endpoint. */
  get self(): number {
    return this.#options.self;
  }

  /** @param forget told of every topic that is no longer remembered */
  constructor(options: RouterOptions, announcer: RouterAnnouncer, forget: (topic: Topic) => void, work = new Work()) {
    this.work = work;
    this.#options = options;
    this.#announcer = announcer;
    this.services = new Services(options.shards);
    this.#rules = new SubjectRules(options.lastValue ?? []);
    this.interest = new Interest(options.endpoints, options.self, announcer, (subject, account) =>
      this.#onLiteral(subject, account),
    );
    const patternOf = (subject: string): string => this.routes.find(subject)?.pattern ?? subject;
    this.holds = new Holds(options.self, () => this.topics, patternOf, options.now);
    this.topics = new TopicTable(
      options.hashSeed,
      (...made) => this.#make(...made),
      (topic) => {
        this.counts.onForgotten(topic);
        forget(topic);
      },
    );
    this.inboxes = new Inboxes(this.interest, this.topics);
    this.shared = new SharedTopics(this.interest, this.services, this.topics);
    this.lone = new LoneSubjects(this, this.#rules);
  }

  /** Switches strict mode on (with what may be published to) or off; topics that exist already are judged anew. */
  setDeclared(patterns: readonly string[] | null): void {
    this.#rules.setDeclared(patterns);
    this.topics.forEach((topic) => {
      topic.declared = this.#isDeclared(topic);
    });
    // whoever has learned what may be published to looks again
    this.interest.touch('>');
  }

  /** Sets which topics refuse publishes while they are full; the publishers of all others wait. */
  setRefusing(patterns: readonly string[]): void {
    this.#rules.setRefusing(patterns);
    this.topics.forEach((topic) => {
      topic.refuses = topic.account === mainAccount && this.#rules.refuses(topic.text);
      if (topic.inbox === null) return;
      topic.inbox.routesVersion = -1;
      this.#judge(topic, topic.inbox);
    });
  }

  /** The shard that owns a subject: the same in every process and version, so that a log's owner can be found again. */
  static ownerOf(subject: Uint8Array, shards: number): number {
    return mixHash(hashBytes(subject, 0, subject.length, hashSeedStable)) % shards;
  }

  /** The shards that keep last values of what a subscription takes: the owner of its subject, or all; none without any. */
  imageShards(subject: string): number[] {
    const { shards } = this.#options;
    if (!this.#rules.keepAny) return [];
    if (!isWildcardSubject(subject)) return [Router.ownerOf(latin1Bytes(subject), shards)];
    return Array.from({ length: shards }, (_, shard) => shard);
  }

  isFresh(topic: Topic): boolean {
    return topic.version === this.interest.versions[topic.bucket];
  }

  /** Marks the topic as used and sees to it that what the topic knows of its interest holds: one comparison while no interest has changed. */
  freshen(topic: Topic): void {
    topic.usedSweep = this.topics.sweep;
    if (!this.isFresh(topic)) this.#refresh(topic);
  }

  /** As `freshen`, but for a topic that very many take, whose user waits meanwhile; returns whether it is fresh. */
  ready(topic: Topic): boolean {
    topic.usedSweep = this.topics.sweep;
    return this.isFresh(topic) || this.plannings.plan(topic);
  }

  /** A thread is about to publish to a topic that very many take. */
  onPlanAsked(endpoint: number, number: number, subject: string, account: number): void {
    const topic = this.topics.obtain(new Span(latin1Bytes(subject)), 0, subject.length, account);
    topic.usedSweep = this.topics.sweep;
    this.ahead?.onAsked(endpoint, number, topic);
  }

  /** Looks up who wants the topic. Keeps the fan-out plan when nothing that matters to it has changed. */
  #refresh(topic: Topic): void {
    if (this.plannings.refresh(topic)) return;
    const entries: InterestEntry[] = [];
    if (topic.isTakeable)
      this.work.units += this.interest.match(topic.text, entries, topic.account) * cost.node + entries.length;
    this.learn(topic, entries);
  }

  /** Has a topic know that these are the entries that take it now. */
  learn(topic: Topic, entries: readonly InterestEntry[]): void {
    if (this.keeps(topic, entries)) return;
    const interest = new TopicInterest();
    const prefixLength = prefixLengthOf(topic.text);
    for (let i = 0; i < entries.length; i++) interest.add(entries[i], prefixLength);
    this.adopt(topic, { interest, queues: complete(this.makeRoutes(interest.queues)), plan: null });
  }

  /** Whether these are the entries that the topic knows, so that all holds that follows from them: then it is fresh. */
  keeps(topic: Topic, entries: readonly InterestEntry[]): boolean {
    if (!sameEntries(topic, entries)) return false;
    this.settle(topic);
    return true;
  }

  /** What a topic knows of its interest holds: then it is fresh. */
  settle(topic: Topic): void {
    if (topic.routesVersion !== this.routes.version) this.#findOwner(topic);
    topic.version = this.interest.versions[topic.bucket];
    if (topic.subject[0] === dollar && topic.kind !== 'invalid') this.#findEndpoint(topic);
    if (topic.inbox !== null) this.#judge(topic, topic.inbox);
  }

  /** Has the topic know from now on who wants it, and how it is fanned out. */
  adopt(topic: Topic, { interest, queues, plan }: TopicDraft): void {
    const { self } = this;
    topic.entries = interest.entries;
    topic.entryVersions = interest.versions;
    this.topics.setPlan(topic, plan);
    topic.wantedHere = interest.gateways.includes(self);
    topic.remotes = interest.gateways.filter((gateway) => gateway !== self);
    topic.queues = queues;
    topic.crowdUnits = interest.crowdUnits;
    topic.units = unitsOf(topic);
    topic.wanted = topic.wantedHere || topic.remotes.length > 0 || queues.length > 0;
    topic.home = interest.home;
    this.holds.refresh(topic);
    // who awaits answers there may be among the entries
    topic.routesVersion = -1;
    this.settle(topic);
  }

  /** How this thread's endpoint fans a topic out is known from now on. */
  setPlan(topic: Topic, plan: TopicPlan): void {
    this.topics.setPlan(topic, plan);
    this.#countUnits(topic);
  }

  #countUnits(topic: Topic): void {
    topic.units = unitsOf(topic);
    if (topic.served && topic.owner === this.self) topic.units += topic.endpoint?.units ?? 0;
  }

  /** A topic holds nothing of subscriptions that may have gone: it looks again when it is next used. */
  forgetPlan(topic: Topic): void {
    this.topics.setPlan(topic, null);
    topic.entries = [];
  }

  /** Whether a topic may stand for all addresses of its inbox. */
  #judge(topic: Topic, inbox: Inbox): void {
    if (inbox.routesVersion !== this.routes.version) {
      inbox.routesVersion = this.routes.version;
      inbox.named = topic.account === mainAccount && this.#isNamed(inbox);
    }
    inbox.stands =
      topic.home !== noHome &&
      topic.queues.length === 0 &&
      !inbox.named &&
      !this.interest.tellsApart(inbox.prefix, topic.account);
  }

  /** Whether one of an inbox's addresses has an owner, keeps its last message or refuses what is published to it, by its name. */
  #isNamed(inbox: Inbox): boolean {
    for (const { pattern } of this.routes.all) if (inbox.overlaps(pattern)) return true;
    return this.#rules.name((pattern) => inbox.overlaps(pattern));
  }

  #findEndpoint(topic: Topic): void {
    const endpoint = this.services.find(topic.text, topic.account);
    topic.endpoint = endpoint;
    if (endpoint?.answerer !== 'shard') return;
    topic.owner = this.services.shardOf(endpoint, topic.text);
    topic.served = endpoint.shards.has(topic.owner) && !this.#isOverheard(topic);
    this.#countUnits(topic);
  }

  /** Whether a pattern takes subjects that a topic stands for: then each is one of its own. */
  #isOverheard({ kind, text, account }: Topic): boolean {
    return kind === 'shared' && this.interest.takesBehind(sharedPrefixOf(text), account);
  }

  /** This thread's shard answers at an endpoint from now on, or does not any more; all threads are told. */
  announceService(endpoint: Endpoint, open: boolean): void {
    this.#setService(this.#options.self, endpoint, open);
    this.#announcer.announceService(endpoint.pattern, endpoint.nameToken, open, endpoint.account ?? mainAccount);
  }

  #setService(shard: number, endpoint: Endpoint, open: boolean): void {
    this.services.set(shard, endpoint, open);
    this.interest.touch(endpoint.pattern);
  }

  /** Interest of a queue group is one group by its name, whichever of the matching subjects its members subscribed to. */
  *makeRoutes(queues: readonly QueueInterest[]): Sliced<QueueRoute[]> {
    const routes = new Map<string, QueueRoute>();
    for (let i = 0; i < queues.length; i++) {
      if (i % sliceThings === sliceThings - 1) yield;
      const { name } = queues[i];
      let route = routes.get(name.text);
      if (route === undefined) {
        route = new QueueRoute(name, this.#options.endpoints);
        routes.set(name.text, route);
      }
      route.add(queues[i]);
    }
    return [...routes.values()];
  }

  /** Whether some member of a group is a thread of the process itself. */
  isInProcess({ counts }: QueueRoute): boolean {
    return counts.some((count, gateway) => count > 0 && gateway >= this.#options.shards);
  }

  /** Which of a gateway's plain subscription subjects take the topic, if all can do without some messages; else null. */
  lossySubjects(topic: Topic, gateway: number): readonly string[] | null {
    const taking = topic.entries.filter((entry) => entry.gateways.includes(gateway));
    return taking.every((entry) => entry.lossyGateways.includes(gateway)) ? taking.map(({ subject }) => subject) : null;
  }

  /** An endpoint is gone, and with it all that it wanted. */
  dropGateway(gateway: number): void {
    this.interest.dropGateway(gateway);
    this.holds.dropEndpoint(gateway);
  }

  /** What the exchange calls with what other threads tell this one. */
  role(): RouterRole<Topic> {
    const { interest, topics, holds } = this;
    return {
      topicOf: (span, start, end, account) => topics.obtain(span, start, end, account),
      freshen: (topic) => {
        this.freshen(topic);
        return true;
      },
      ownerFor: (topic, publisher) => this.ownerFor(topic, publisher),
      onInbox: (gateway, subject, account) => interest.setInbox(subject, gateway, account),
      onPlainInterest: (gateway, subject, wanted, crowd, account) =>
        interest.setPlain(subject, gateway, wanted, account, crowd),
      onQueueInterest: (gateway, subject, queue, members, room, account) =>
        interest.setQueue(subject, queue, gateway, members, room, account),
      onTopicFull: (gateway, subject, state) => holds.setFull(subject, gateway, state),
      onLagging: (gateway, subject, lags) => holds.setLagging(subject, gateway, lags),
      // only a gateway has subscribers that are waited for within a budget
      onHoldSpent: () => {},
      onGroupSpent: () => {},
      onService: (shard, pattern, nameToken, open, account) =>
        this.#setService(shard, { pattern, nameToken, account }, open),
    };
  }

  /** Tells an endpoint that has just come what this thread's gateway has announced so far. */
  replay(announcer: LateAnnouncer): void {
    this.interest.replay(announcer);
    this.services.forEachOf(this.#options.self, ({ pattern, nameToken, account = mainAccount }) =>
      announcer.service(pattern, nameToken, true, account),
    );
    this.holds.replay(announcer);
  }

  #make(subject: Uint8Array, slot: number, serial: number, hash: number, account: number): Topic {
    this.work.units += cost.topic;
    const text = latin1String(subject, 0, subject.length);
    const inbox = sharedPrefixOf(text) === '' ? inboxOf(text) : null;
    const kind = kindOf(subject, text, inbox);
    const topic = new Topic(subject, text, slot, serial, hash, kind, bucketOf(text), inbox, account);
    this.holds.begin(topic);
    topic.declared = this.#isDeclared(topic);
    topic.refuses = account === mainAccount && this.#rules.refuses(text);
    this.counts.onMade(topic);
    return topic;
  }

  /** What may be published to is said of the main account's subjects. */
  #isDeclared({ account, text }: Topic): boolean {
    return account !== mainAccount || this.#rules.isDeclared(text);
  }

  /** A pattern gets an owner, another one, or none. What was in order before, and what is published, is its caller's business. */
  setOwner(pattern: string, owner: number): void {
    if (owner === noOwner) this.routes.delete(pattern);
    else this.routes.set(pattern, owner);
    this.interest.touch(pattern);
  }

  /** The shard that puts in order what an endpoint publishes to a topic, which is fresh. */
  ownerFor({ owner, ownerKeeps, endpoint, home }: Topic, publisher: number): number {
    const { shards, order } = this.#options;
    if (ownerKeeps || endpoint !== null) return owner;
    // a client has no shard of its own, but one for all it publishes
    return order === 'publisher' || home >= shards ? publisher % shards : owner;
  }

  /**
   * A pattern's owner, else the one of a last value, which needs one whoever publishes, else the shard beside the gateway that awaits answers
   * there, else the one that the order says.
   */
  #findOwner(topic: Topic): void {
    const { self, shards } = this.#options;
    // streams and last values are the main account's
    const isMain = topic.account === mainAccount;
    const routed = isMain ? this.routes.ownerOf(topic.text) : noOwner;
    topic.routesVersion = this.routes.version;
    topic.keepsLast = isMain && this.#rules.keepLast(topic);
    topic.ownerKeeps = topic.keepsLast || routed !== noOwner;
    if (routed !== noOwner) topic.owner = routed;
    else if (topic.home === noHome || topic.home >= shards || topic.keepsLast)
      topic.owner = Router.ownerOf(topic.subject, shards);
    else topic.owner = topic.home;
    topic.owner = this.ownerFor(topic, self);
  }

  /** Whether the last message of something that a pattern takes is kept. */
  keepsLastOf(pattern: string): boolean {
    return this.#rules.keepLastOf(pattern);
  }

  #onLiteral(subject: string, account: number): void {
    const topic = this.topics.find(subject, account);
    if (topic === null) return;
    topic.version = -1;
    // at once, since a subject that nobody will use again would keep it until the table is swept
    this.forgetPlan(topic);
  }
}

function kindOf(subject: Uint8Array, text: string, inbox: Inbox | null): TopicKind {
  if (sharedPrefixOf(text) !== '') return 'shared';
  return inbox === null ? classifyPublished(subject, 0, subject.length) : 'literal';
}

function unitsOf({ queues, plan, crowdUnits }: Topic): number {
  return Math.max(queues.length * cost.queueMessage + (plan === null ? 0 : plan.units), crowdUnits);
}

function sameEntries(topic: Topic, entries: readonly InterestEntry[]): boolean {
  if (entries.length === 0 || entries.length !== topic.entries.length) return false;
  return entries.every((entry, i) => entry === topic.entries[i] && entry.version === topic.entryVersions[i]);
}
