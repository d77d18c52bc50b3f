import { mainAccount } from '../base/account.js';
import { type Fullness, fullness } from '../base/fullness.js';
import { crowdDeliveriesMin, longMessageBytes } from '../base/limits.js';
import { type Place, type Span, spanAround } from '../base/span.js';
import { cost, crowdWriteShift } from '../base/work.js';
import type { SubjectKind } from '../protocol/subject.js';
import type { Inbox } from './inboxes.js';
import type { InterestEntry } from './interestEntry.js';
import type { QueueRoute } from './queueRoute.js';
import type { KnownEndpoint } from './services.js';
import type { TopicRow } from './topicCounts.js';

/** Instead of a gateway: nobody awaits answers there. */
export const noHome = -1;

/** What a topic's subject is as a subject; or one stands for all subjects of requests that begin alike, which no subscription takes. */
export type TopicKind = SubjectKind | 'shared';

/** What most topics have of most things; one for all, since there are many topics. */
const none: readonly never[] = [];

/** A gateway's own knowledge of a topic, which it wants to settle before it is dropped. */
export interface TopicPlan {
  /** Memory that it takes, about, in bytes. */
  readonly heldBytes: number;
  /** What each message costs by it, in units of `Work`. */
  readonly units: number;
  /** What it costs beyond that to send a message of so many bytes to whoever takes it, in units of `Work`; nothing where it is missing. */
  sendUnits?(messageBytes: number): number;
  /** What it costs beyond that if so many bytes of it are headers. */
  headerUnits?(messageBytes: number): number;
  retire(): void;
}

/** A shard's memory of a topic's last message. */
export interface KeptValue {
  /** False once it was dropped. */
  readonly live: boolean;
}

/** A shard's knowledge of what stores a topic's messages. */
export interface TopicCaptor {
  /** Whether they are delivered before they are stored. */
  readonly deliversAtOnce: boolean;
}

/**
 * What one thread knows of a published subject: who puts it in order, who wants it, and how its gateway fans it out.
 * One object serves the gateway and the shard of the thread; it is found once per message, or not at all when a
 * publisher repeats its subject.
 */
export class Topic implements Place {
  // What every message needs comes first: of thousands of topics in turn, each line of memory that is touched is a wait.
  readonly span: Span;
  readonly start: number;
  readonly end: number;
  readonly account: number;
  /** False once the table has forgotten it: whoever kept it looks it up again. */
  live = true;
  /** Bucket of the interest versions that this subject depends on. */
  readonly bucket: number;
  /** Interest version for which `entries` and all that follows from them hold; see `Router.refresh`. */
  version = -1;
  /** The sweep in which it was used last. */
  usedSweep = 0;
  /** Where it is no topic, but the subject of requests to the broker itself. */
  endpoint: KnownEndpoint | null = null;
  /** Whether its shard answers such requests. */
  served = false;
  /** Whether it was declared, or need not be: outside of strict mode. */
  declared = true;
  /** Whether anybody, anywhere, wants it. */
  wanted = false;
  /** Messages that this thread has put in order, or that nobody wanted, as far as the kernel's are settled; and at the last look of a sweep, with those passed on. */
  published = 0;
  seenPublished = 0;
  /** Messages that were read here and go to another thread, about. */
  passed = 0;
  /** Kept by `TopicCounts`. */
  row: TopicRow | null = null;
  // Found by `Router`.
  /** The shard that sequences it. */
  owner = 0;
  /** Whether that one keeps what it gets: then nobody else may put it in order, whoever publishes. */
  ownerKeeps = false;
  /** Whether its owner keeps its last message. */
  keepsLast = false;
  /** The gateway that awaits answers there; -1 where it is no address. */
  home = noHome;
  /** What each message costs on the dearest thread that is known, in units of `Work`. */
  units = 0;
  /** The same of a short one that is for very many, as far as it is known before anything is planned; 0 where they are few. */
  crowdUnits = 0;
  /** What its subject is as a subject; one with an empty token reaches nobody. */
  readonly kind: TopicKind;
  // Of what a stream takes, only on the thread of that.
  /** What takes its messages, found once for a version of what there is, and known to its owner alone. */
  captor: TopicCaptor | null = null;
  captorVersion = -1;
  /** Under which number that has its subject, and in which version of its numbers. */
  indexNumber = 0;
  indexVersion = 0;
  /** Other gateways with plain subscriptions that take it. */
  remotes: readonly number[] = none;
  /** Whether a plain subscription of this gateway takes it. */
  wantedHere = false;
  queues: readonly QueueRoute[] = none;
  /** The version of routes in which its owner is that. */
  routesVersion = -1;
  /** How this thread's gateway fans it out; built by the gateway when first needed, dropped when interest changes. */
  plan: TopicPlan | null = null;

  readonly subject: Uint8Array;
  readonly text: string;
  /** Number of the topic in its thread, reused after it is gone, and the serial that tells two users of a slot apart. */
  readonly slot: number;
  readonly serial: number;
  readonly hash: number;
  /** Of one that stands for all addresses of an inbox. */
  readonly inbox: Inbox | null;
  /** What its owner has kept, found once; only on the owner's thread. */
  last: KeptValue | null = null;
  /** Whether publishes are refused while it is full; else their publishers wait. */
  refuses = false;
  entries: readonly InterestEntry[] = none;
  entryVersions: readonly number[] = none;
  // Kept by `Holds`.
  /** Endpoints at which it is not ready, and what that makes of it as a whole. */
  endpointsFull: ReadonlyMap<number, Fullness> | null = null;
  fullness: Fullness = fullness.ready;
  /** Whether somebody who takes it lags, as far as was known in that version of who does. */
  lagging = false;
  lagVersion = -1;

  constructor(
    subject: Uint8Array,
    text: string,
    slot: number,
    serial: number,
    hash: number,
    kind: TopicKind,
    bucket: number,
    inbox: Inbox | null = null,
    account = mainAccount,
  ) {
    this.subject = subject;
    this.span = spanAround(subject);
    this.start = subject.byteOffset;
    this.end = subject.byteOffset + subject.length;
    this.text = text;
    this.slot = slot;
    this.serial = serial;
    this.hash = hash;
    this.kind = kind;
    this.bucket = bucket;
    this.inbox = inbox;
    this.account = account;
  }

  /** What a message of so many bytes costs on the dearest thread, in units of `Work`; what it costs to send is counted where it is much, for its length or for those who get it. */
  unitsOf(messageBytes: number, withHeaders: boolean): number {
    const { plan, units } = this;
    const isLittle = messageBytes < longMessageBytes && !this.isDear;
    let unitsHere = units;
    if (!isLittle) unitsHere += plan?.sendUnits?.(messageBytes) ?? 0;
    if (withHeaders) unitsHere += plan?.headerUnits?.(messageBytes) ?? 0;
    return Math.max(unitsHere, this.crowdUnitsOf(messageBytes));
  }

  /** What a message of so many bytes costs on the dearest thread, where it is for very many; 0 elsewhere. */
  crowdUnitsOf(messageBytes: number): number {
    return this.crowdUnits * (1 + (messageBytes >> crowdWriteShift));
  }

  /** Whether each message costs so much that its runs are cut by that, and are none of the kernel's. */
  get isDear(): boolean {
    return this.units >= crowdDeliveriesMin * cost.crowdDelivery;
  }

  /** Whether a subscription may take it. */
  get isTakeable(): boolean {
    return this.kind !== 'invalid' && this.kind !== 'shared';
  }

  /** Whether its messages go to its owner: somebody gets them, or they are kept. */
  get goes(): boolean {
    return this.wanted || this.served || this.ownerKeeps;
  }

  /** Whether its owner stores its messages, and acknowledges them. */
  get captured(): boolean {
    return this.ownerKeeps && !this.keepsLast && this.endpoint === null;
  }

  /** Whether it may be published to: in strict mode what was declared, where answers are awaited, or where a service answers. */
  get allowed(): boolean {
    return this.declared || this.served || this.home !== noHome;
  }

  /** Whether a request on it may be answered. */
  get answered(): boolean {
    return this.wanted || this.served || this.captured;
  }
}
