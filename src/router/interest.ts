import { mainAccount } from '../base/account.js';
import { assert } from '../base/assert.js';
import { latin1String } from '../base/bytes.js';
import { type Demand, demand } from '../base/demand.js';
import { crowdDeliveriesMin } from '../base/limits.js';
import type { Span } from '../base/span.js';
import { isWildcardSubject } from '../protocol/subject.js';
import { allBuckets, bucketCount, bucketOf, bucketOfPattern } from './interestBuckets.js';
import { InterestEntry, type LocalSubscription } from './interestEntry.js';
import { entryHeldBytes, queueInterestBytes } from './interestMemory.js';
import { InterestSearch } from './interestSearch.js';
import { QueueInterest, roomUnbounded } from './queueInterest.js';
import { QueueNames } from './queueNames.js';
import { SubjectTree } from './subjectTree.js';
import type { SubjectWalk } from './subjectWalk.js';
import type { Topic } from './topic.js';

/** What a gateway tells all others when its own interest in a subject begins, changes or ends. */
export interface InterestAnnouncer {
  /** Whoever takes it awaits answers there. Holds until the plain interest has ended. */
  announceInbox(subject: string, account: number): void;
  /** @param crowd what a message costs there, about, in units of `Work`, where very many take it; 0 elsewhere */
  announcePlain(subject: string, wanted: Demand, crowd: number, account: number): void;
  /** @param room messages that they have room for */
  announceQueue(subject: string, queue: string, members: number, room: number, account: number): void;
}

/** What one endpoint is told of interest when it comes late. */
export interface LateInterestAnnouncer {
  inbox(subject: string, account: number): void;
  plainInterest(subject: string, wanted: Demand, crowd: number, account: number): void;
  queueInterest(subject: string, queue: string, members: number, room: number, account: number): void;
}

/**
 * The interest of the whole broker as one thread knows it: its own gateway's subscriptions, and for every other gateway
 * whether it wants a subject. Topics remember what they found here together with a version; a change moves the versions
 * of the topics that it may concern, and those look again when next used.
 */
export class Interest {
  readonly queueNames = new QueueNames();
  /** Versions by the hash of a subject's first token: a pattern that begins `_INBOX.` leaves other topics alone. */
  readonly versions = new Int32Array(bucketCount);
  /** Literal subscription subjects by the same hash, of all accounts. */
  readonly #literals = new Int32Array(bucketCount);
  /** By account; one that has wanted anything keeps its own. */
  readonly #trees = new Map<number, SubjectTree<InterestEntry>>();
  readonly #gateways: number;
  readonly #self: number;
  readonly #announcer: InterestAnnouncer;
  /** Tells that the interest in a literal subject changed. */
  readonly #onLiteral: (subject: string, account: number) => void;
  /** Searches that are under way. */
  readonly #searches: InterestSearch[] = [];
  /** Told when members of a group on a gateway have room, or have all gone; set by the shard, where work may wait for them. */
  onRoom: ((part: QueueInterest, gateway: number) => void) | null = null;
  #version = 0;
  #inboxes = 0;
  /** Memory that entries and this gateway's subscriptions take. */
  #bytes = 0;

  constructor(
    gateways: number,
    self: number,
    announcer: InterestAnnouncer,
    onLiteral: (subject: string, account: number) => void,
  ) {
    this.#gateways = gateways;
    this.#self = self;
    this.#announcer = announcer;
    this.#onLiteral = onLiteral;
  }

  /** Moves with every change. */
  get version(): number {
    return this.#version;
  }

  /** Memory that all this takes on this thread, about, in bytes: what every thread knows, and this gateway's own subscriptions. */
  get heldBytes(): number {
    return this.#bytes + this.queueNames.heldBytes;
  }

  /** Distinct subscription subjects known. */
  get size(): number {
    let size = 0;
    for (const tree of this.#trees.values()) size += tree.size;
    return size;
  }

  /** Appends to `found` who wants a literal subject. @returns what that cost, in nodes of the tree */
  match(subject: string, found: InterestEntry[], account = mainAccount): number {
    return this.#trees.get(account)?.match(subject, found) ?? 0;
  }

  /** The same, as far as whoever asks wants to go at a time; null when all are in `found` already. Interest must not change meanwhile. */
  walk(subject: string, found: InterestEntry[], account = mainAccount): SubjectWalk<InterestEntry> | null {
    return this.#trees.get(account)?.walk(subject, found) ?? null;
  }

  /** Looks for who wants a literal subject as far as whoever asks wants to go at a time; it hears of changes until it is closed. */
  search(subject: string, account = mainAccount): InterestSearch {
    const entries: InterestEntry[] = [];
    const walk = this.walk(subject, entries, account);
    const search = new InterestSearch(account, subject, walk, entries);
    this.#searches.push(search);
    return search;
  }

  close(search: InterestSearch): void {
    this.#searches.splice(this.#searches.indexOf(search), 1);
  }

  /** Who wants exactly this subject or pattern; null when nobody does. */
  find(subject: string, account = mainAccount): InterestEntry | null {
    return this.#trees.get(account)?.get(subject, isWildcardSubject(subject)) ?? null;
  }

  /** Whether answers are awaited anywhere. */
  get anyInbox(): boolean {
    return this.#inboxes > 0;
  }

  /** Whether it is known that somebody at this gateway awaits answers at the entry's subject. */
  hasClaimed({ inboxes }: InterestEntry): boolean {
    return inboxes.includes(this.#self);
  }

  /** Somebody at this gateway who takes the entry's subject awaits answers there; all threads are told. */
  claimInbox(entry: InterestEntry): void {
    assert(entry.localPlain > 0, 'whoever awaits answers subscribes to them');
    if (this.hasClaimed(entry)) return;
    this.#setInbox(entry, this.#self, true);
    this.#announcer.announceInbox(entry.subject, entry.account);
    this.#changed(entry);
  }

  /** Answers are awaited at another gateway. */
  setInbox(subject: string, gateway: number, account = mainAccount): void {
    const entry = this.#obtain(subject, account);
    assert(entry.gateways.includes(gateway), 'interest in an inbox is announced before');
    this.#setInbox(entry, gateway, true);
    this.#changed(entry);
  }

  #setInbox({ inboxes }: InterestEntry, gateway: number, present: boolean): void {
    this.#inboxes -= inboxes.length;
    setMember(inboxes, gateway, present);
    this.#inboxes += inboxes.length;
  }

  /** Whether a pattern takes some of the subjects that are one token longer than `prefix`, but not all of them. */
  tellsApart(prefix: string, account: number): boolean {
    return this.#treeOf(account).tellsApart(prefix);
  }

  /** Whether a pattern takes some subject that goes on behind `prefix`, which ends with a dot. */
  takesBehind(prefix: string, account: number): boolean {
    return this.#treeOf(account).takesBehind(prefix);
  }

  /** Whether there may be somebody who takes a subject of the main account that begins with a token and is longer. */
  mayTake(firstToken: string): boolean {
    return this.#literals[bucketOf(firstToken)] !== 0 || this.#treeOf(mainAccount).mayBegin(firstToken);
  }

  /** Whether there may be somebody who takes a literal subject in a topic's bucket. */
  anyLiteral({ bucket }: Topic): boolean {
    return this.#literals[bucket] !== 0;
  }

  /** Whether somebody takes exactly the literal subject `bytes[start, end)` in a topic's bucket. A text is made of it only where there are literals there. */
  hasLiteral({ bucket, account }: Topic, { bytes }: Span, start: number, end: number): boolean {
    return this.#literals[bucket] !== 0 && this.#treeOf(account).get(latin1String(bytes, start, end), false) !== null;
  }

  addLocal(subscription: LocalSubscription): void {
    const entry = this.#entryOf(subscription);
    subscription.subject = entry.subject;
    subscription.index = entry.local.length;
    entry.local.push(subscription);
    this.#bytes += subscription.heldBytes;
    if (subscription.queue === '') {
      this.#changePlain(entry, subscription.lossy, 1);
    } else {
      subscription.queue = this.queueNames.find(subscription.queue)?.text ?? subscription.queue;
      this.#changeQueue(entry, subscription, 1);
    }
    this.#changed(entry);
  }

  removeLocal(subscription: LocalSubscription): void {
    const entry = this.#entryOf(subscription);
    const last = entry.local.pop() as LocalSubscription;
    if (last !== subscription) {
      last.index = subscription.index;
      entry.local[subscription.index] = last;
    }
    this.#bytes -= subscription.heldBytes;
    if (subscription.queue === '') {
      this.#changePlain(entry, subscription.lossy, -1);
    } else if (!subscription.retired) {
      this.#changeQueue(entry, subscription, -1);
    }
    this.#changed(entry);
  }

  /**
   * Takes the only member that this gateway has of a queue group on a subject out of the group's count, on all threads: from when they
   * know on it is given nothing. Until `removeLocal` it still takes what is on its way to it.
   *
   * @returns false, and nothing has changed, when the gateway has other members
   */
  retireLocal(subscription: LocalSubscription): boolean {
    const entry = this.#entryOf(subscription);
    if (entry.queues?.get(subscription.queue)?.members(this.#self) !== 1) return false;
    subscription.retired = true;
    this.#changeQueue(entry, subscription, -1);
    this.#changed(entry);
    return true;
  }

  /** Something about a subscription that its topics' plans depend on has changed. */
  touchLocal(subscription: LocalSubscription): void {
    this.#changed(this.#entryOf(subscription));
  }

  /** Has a member of a group bound what it has in flight from now on, or not any more: `change` makes it so. */
  rebindLocal(subscription: LocalSubscription, change: () => void): void {
    const { part } = subscription;
    assert(part != null, 'a member of a group has a part in it');
    part.removeLocal(subscription);
    change();
    part.addLocal(subscription);
    this.tellRoom(part);
    this.touchLocal(subscription);
  }

  /** Tells the shards how much room this gateway's members on a subject have. */
  tellRoom(part: QueueInterest): void {
    const members = part.members(this.#self);
    if (members === 0) return;
    this.#setLocalRoom(part, members);
    this.onRoom?.(part, this.#self);
  }

  /** Another gateway's plain interest began, changed or ended. */
  setPlain(subject: string, gateway: number, wanted: Demand, account = mainAccount, crowd = 0): void {
    const entry = this.#obtain(subject, account);
    this.#setCrowd(entry, gateway, crowd);
    setMember(entry.gateways, gateway, wanted !== demand.none);
    setMember(entry.lossyGateways, gateway, wanted === demand.some);
    if (wanted === demand.none) this.#setInbox(entry, gateway, false);
    this.#changed(entry);
  }

  /** Another gateway's members of a queue group changed, or their room. */
  setQueue(
    subject: string,
    queue: string,
    gateway: number,
    members: number,
    room = roomUnbounded,
    account = mainAccount,
  ): void {
    const entry = this.#obtain(subject, account);
    const part = this.#part(entry, queue);
    const before = part.members(gateway);
    part.set(gateway, members, members === 0 ? 0 : room);
    if (before !== members || part.empty) {
      this.#dropEmpty(entry, part);
      this.#changed(entry);
    }
    if (part.room(gateway) > 0 || part.empty) this.onRoom?.(part, gateway);
  }

  /** An endpoint is gone, and with it all its interest. */
  dropGateway(gateway: number): void {
    const entries: InterestEntry[] = [];
    this.#forEach((entry) => {
      if (entry.gateways.includes(gateway) || entry.hasMembers(gateway)) entries.push(entry);
    });
    for (const entry of entries) {
      setMember(entry.gateways, gateway, false);
      setMember(entry.lossyGateways, gateway, false);
      this.#setCrowd(entry, gateway, 0);
      this.#setInbox(entry, gateway, false);
      for (const part of [...(entry.queues?.values() ?? [])]) {
        part.set(gateway, 0, 0);
        this.#dropEmpty(entry, part);
        this.onRoom?.(part, gateway);
      }
      this.#changed(entry);
    }
  }

  /** Tells an endpoint that has just come what this thread's gateway wants. */
  replay(announcer: LateInterestAnnouncer): void {
    this.#forEach((entry) => {
      if (entry.localPlain > 0)
        announcer.plainInterest(entry.subject, entry.localDemand, this.#crowdHere(entry), entry.account);
      if (entry.inboxes.includes(this.#self)) announcer.inbox(entry.subject, entry.account);
      for (const [queue, part] of entry.queues ?? [])
        if (part.members(this.#self) > 0)
          announcer.queueInterest(entry.subject, queue, part.members(this.#self), part.told, entry.account);
    });
  }

  #changePlain(entry: InterestEntry, lossy: boolean, by: number): void {
    const before = entry.localDemand;
    entry.localPlain += by;
    if (!lossy) entry.localLossless += by;
    const after = entry.localDemand;
    const size = crowdSizeOf(entry);
    if (after === before && size === entry.crowdSize) return;
    if (size !== entry.crowdSize) this.#setCrowd(entry, this.#self, size === 0 ? 0 : entry.countUnits());
    entry.crowdSize = size;
    setMember(entry.gateways, this.#self, after !== demand.none);
    if (after === demand.none) this.#setInbox(entry, this.#self, false);
    this.#announcer.announcePlain(entry.subject, after, this.#crowdHere(entry), entry.account);
  }

  #crowdHere({ crowds }: InterestEntry): number {
    return crowds?.[this.#self] ?? 0;
  }

  #setCrowd(entry: InterestEntry, gateway: number, crowd: number): void {
    if (crowd === 0 && entry.crowds === null) return;
    entry.crowds ??= new Array<number>(this.#gateways).fill(0);
    entry.crowds[gateway] = crowd;
  }

  #changeQueue(entry: InterestEntry, subscription: LocalSubscription, by: 1 | -1): void {
    const part = this.#part(entry, subscription.queue);
    if (by > 0) part.addLocal(subscription);
    else part.removeLocal(subscription);
    subscription.part = by > 0 ? part : null;
    this.#setLocalRoom(part, part.members(this.#self) + by);
    this.#dropEmpty(entry, part);
    if (part.told > 0 || part.empty) this.onRoom?.(part, this.#self);
  }

  #setLocalRoom(part: QueueInterest, members: number): void {
    part.told = members === 0 ? 0 : part.localRoom;
    part.came = 0;
    part.set(this.#self, members, part.told);
    this.#announcer.announceQueue(part.subject, part.name.text, members, part.told, part.account);
  }

  #part(entry: InterestEntry, queue: string): QueueInterest {
    entry.queues ??= new Map();
    let part = entry.queues.get(queue);
    if (part === undefined) {
      part = new QueueInterest(entry.subject, this.queueNames.acquire(queue), this.#gateways, entry.account);
      entry.queues.set(part.name.text, part);
      this.#bytes += queueInterestBytes;
    }
    return part;
  }

  #dropEmpty(entry: InterestEntry, part: QueueInterest): void {
    if (!part.empty) return;
    entry.queues?.delete(part.name.text);
    this.#bytes -= queueInterestBytes;
    this.queueNames.release(part.name);
    if (entry.queues?.size === 0) entry.queues = null;
  }

  #entryOf({ subject, account = mainAccount }: LocalSubscription): InterestEntry {
    return this.#obtain(subject, account);
  }

  #obtain(subject: string, account: number): InterestEntry {
    const wildcard = isWildcardSubject(subject);
    const tree = this.#treeOf(account);
    let entry = tree.get(subject, wildcard);
    if (entry === null) {
      entry = new InterestEntry(account, subject, wildcard);
      tree.add(subject, wildcard, entry);
      if (!wildcard) this.#literals[bucketOf(subject)]++;
      this.#bytes += entryHeldBytes(subject, wildcard);
    }
    return entry;
  }

  #changed(entry: InterestEntry): void {
    entry.version = ++this.#version;
    for (const search of this.#searches) search.note(entry);
    if (entry.empty) {
      this.#treeOf(entry.account).remove(entry.subject, entry.wildcard);
      if (!entry.wildcard) this.#literals[bucketOf(entry.subject)]--;
      this.#bytes -= entryHeldBytes(entry.subject, entry.wildcard);
    }
    if (!entry.wildcard) {
      this.#onLiteral(entry.subject, entry.account);
      return;
    }
    this.touch(entry.subject);
  }

  #treeOf(account: number): SubjectTree<InterestEntry> {
    let tree = this.#trees.get(account);
    if (tree === undefined) {
      tree = new SubjectTree();
      this.#trees.set(account, tree);
    }
    return tree;
  }

  #forEach(visit: (entry: InterestEntry) => void): void {
    for (const tree of this.#trees.values()) tree.forEach(visit);
  }

  /** Topics that a subject or pattern takes, in whatever account, look again when they are next used. */
  touch(subject: string): void {
    this.#version++;
    const bucket = bucketOfPattern(subject);
    if (bucket === allBuckets) for (let i = 0; i < bucketCount; i++) this.versions[i]++;
    else this.versions[bucket]++;
  }
}

/** How many plain subscriptions there are, about: powers of two from `crowdDeliveriesMin` on, another one when they have doubled, or are less than half. */
function crowdSizeOf({ localPlain, crowdSize }: InterestEntry): number {
  if (localPlain >= crowdSize / 2 && localPlain < Math.max(2 * crowdSize, crowdDeliveriesMin)) return crowdSize;
  return localPlain < crowdDeliveriesMin ? 0 : 2 ** Math.floor(Math.log2(localPlain));
}

function setMember(list: number[], member: number, present: boolean): void {
  const at = list.indexOf(member);
  if (present && at < 0) list.push(member);
  if (!present && at >= 0) list.splice(at, 1);
}
