import { type Fullness, fullness } from '../base/fullness.js';
import { mixHash } from '../base/hash.js';
import { type Place, type Span, spanAround } from '../base/span.js';
import { askSubject, type SubjectKind } from '../protocol/subject.js';
import type { InterestEntry } from './interest.js';
import type { QueueName } from './queueNames.js';

/** A queue group with interest in a topic: how many members it has on each gateway, who has room, and whose turn it is. */
export class QueueRoute {
  readonly name: QueueName;
  /** Members by gateway. */
  readonly counts: Int32Array;
  total = 0;
  /** The same, of gateways on which some member has room. */
  readonly ready: Int32Array;
  readyTotal = 0;
  #turn: number;

  constructor(name: QueueName, gateways: number) {
    this.name = name;
    this.counts = new Int32Array(gateways);
    this.ready = new Int32Array(gateways);
    this.#turn = name.turn++;
  }

  /** @param members by gateway, as interest has them */
  add(members: Int32Array): void {
    for (let gateway = 0; gateway < members.length; gateway++) {
      const count = Math.abs(members[gateway]);
      this.counts[gateway] += count;
      this.total += count;
      if (members[gateway] <= 0) continue;
      this.ready[gateway] += count;
      this.readyTotal += count;
    }
  }

  /**
   * The gateway whose member is next: every gateway has as many turns in a round as it has members. Those on which no
   * member has room are passed over while there is another.
   */
  next(): number {
    return this.readyTotal > 0 ? this.#next(this.ready, this.readyTotal) : this.#next(this.counts, this.total);
  }

  /** The next gateway but for one, or -1 when no other has a member. */
  nextExcept(except: number): number {
    if (this.total === this.counts[except]) return -1;
    const ready = this.readyBut(except);
    for (;;) {
      const gateway = ready ? this.#next(this.ready, this.readyTotal) : this.#next(this.counts, this.total);
      if (gateway !== except) return gateway;
    }
  }

  /** Whether a gateway but for one has a member with room. */
  readyBut(except: number): boolean {
    return this.readyTotal > this.ready[except];
  }

  #next(counts: Int32Array, total: number): number {
    this.#turn = (this.#turn + 1) % total;
    let rest = this.#turn;
    let gateway = 0;
    while (rest >= counts[gateway]) rest -= counts[gateway++];
    return gateway;
  }

  /**
   * The gateway of a key: by rendezvous hashing, weighted with members, so that each has its share of the keys, and a
   * member that comes or goes moves no more keys than its own.
   *
   * @param except a gateway that has no member for the message, or -1
   * @returns -1 when no (other) gateway has a member
   */
  gatewayOf(keyHash: number, except = -1): number {
    let nearest = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let gateway = 0; gateway < this.counts.length; gateway++) {
      if (this.counts[gateway] === 0 || gateway === except) continue;
      const share = (mixHash(keyHash ^ Math.imul(gateway + 1, gatewaySalt)) + 0.5) / 2 ** 32;
      const distance = -Math.log(share) / this.counts[gateway];
      if (distance >= least) continue;
      least = distance;
      nearest = gateway;
    }
    return nearest;
  }
}

/** Tells gateways apart in the hash of a key; any odd number with bits everywhere. */
const gatewaySalt = 0x9e3779b1;

/** What most topics have of most things; one for all, since there are many topics. */
const none: readonly never[] = [];

/** A gateway's own knowledge of a topic, which it wants to settle before it is dropped. */
export interface TopicPlan {
  retire(): void;
}

/** A shard's memory of a topic's last message. */
export interface KeptValue {
  /** False once it was dropped. */
  readonly live: boolean;
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
  /** False once the table has forgotten it: whoever kept it looks it up again. */
  live = true;
  /** Bucket of the interest versions that this subject depends on. */
  readonly bucket: number;
  /** Interest version for which `entries` and all that follows from them hold; see `Router.refresh`. */
  version = -1;
  /** The sweep in which it was used last. */
  usedSweep = 0;
  /** Whether it is no topic, but the subject by which clients ask the broker itself. */
  readonly asks: boolean;
  /** Whether it may be used: always, but in strict mode only if it was declared. */
  declared = true;
  /** Whether anybody, anywhere, wants it. */
  wanted = false;
  /** The shard that sequences it. */
  readonly owner: number;
  /** Whether its owner keeps its last message. */
  readonly keepsLast: boolean;
  /** Other gateways with plain subscriptions that take it. */
  remotes: readonly number[] = none;
  /** Whether a plain subscription of this gateway takes it. */
  wantedHere = false;
  queues: readonly QueueRoute[] = none;
  /** How this thread's gateway fans it out; built by the gateway when first needed, dropped when interest changes. */
  plan: TopicPlan | null = null;

  readonly subject: Uint8Array;
  readonly text: string;
  /** Number of the topic in its thread, reused after it is gone, and the serial that tells two users of a slot apart. */
  readonly slot: number;
  readonly serial: number;
  readonly hash: number;
  /** What its subject is as a subject; one with an empty token reaches nobody. */
  readonly kind: SubjectKind;
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
    owner: number,
    kind: SubjectKind,
    bucket: number,
    keepsLast = false,
  ) {
    this.subject = subject;
    this.span = spanAround(subject);
    this.start = subject.byteOffset;
    this.end = subject.byteOffset + subject.length;
    this.text = text;
    this.slot = slot;
    this.serial = serial;
    this.hash = hash;
    this.owner = owner;
    this.kind = kind;
    this.bucket = bucket;
    this.asks = text === askSubject;
    this.keepsLast = keepsLast;
  }

  /** Whether its messages go to its owner: somebody wants them, or they are kept. */
  get goes(): boolean {
    return this.wanted || this.keepsLast;
  }
}
