import { assert } from '../base/assert.js';
import { latin1Bytes } from '../base/bytes.js';
import { hashBytes } from '../base/hash.js';
import type { SlowPolicy } from '../base/policy.js';
import type { LetterSender } from '../router/deadLetters.js';
import type { ImageSubscription, ImageWait } from '../router/images.js';
import type { LocalSubscription } from '../router/interestEntry.js';
import type { QueueInterest } from '../router/queueInterest.js';
import type { GroupMember } from '../subscriber/group.js';
import type { Connection } from './connection.js';
import type { Listener } from './listener.js';
import type { DeliveryOptions } from './policies/deliveryOptions.js';
import type { SubscriptionBacklog } from './policies/subscriptionBacklog.js';
import type { WorkInFlight } from './prefetch/workInFlight.js';
import type { SubscriberRow } from './subscriberCounts.js';

/** What a subscription takes beside its texts, with its places in lists and maps, about, in bytes. */
const subscriptionBytes = 240;

/** One `SUB` of one connection. */
export class Subscription implements ImageSubscription, GroupMember {
  readonly connection: Connection;
  subject: string;
  queue: string;
  readonly sid: string;
  /** Its messages come to this gateway in any case; what becomes of them here is its policy's business. */
  readonly lossy = false;
  index = 0;
  retired = false;
  part: QueueInterest | null = null;
  /** Messages delivered since the `SUB`, as far as the plans it was part of have settled. */
  delivered = 0;
  /** Whether a plan has ever included it: only then may there be deliveries that `delivered` does not count yet. */
  planned = false;
  /** Messages after which it ends; 0 is never. */
  maxMessages = 0;
  /** What its client asked for. */
  options: DeliveryOptions | null = null;
  /** Messages that its policy dropped, and messages whose place a newer one of the same key took. */
  dropped = 0;
  replaced = 0;
  /** What waits for it alone; made when its connection first falls behind. */
  backlog: SubscriptionBacklog | null = null;
  /** The image that it waits for. */
  image: ImageWait | null = null;
  /** What it has not acknowledged; null when it acknowledges nothing. */
  inFlight: WorkInFlight | null = null;
  /** Kept by `SubscriberCounts`. */
  row: SubscriberRow | null = null;
  /** Who takes its messages in the connection's place; null where they go to the connection. */
  listener: Listener | null = null;

  constructor(connection: Connection, subject: string, queue: string, sid: string) {
    this.connection = connection;
    this.subject = subject;
    this.queue = queue;
    this.sid = sid;
  }

  /** What is kept as interest; only the gateway's subscriptions are on its thread. */
  static of(local: LocalSubscription): Subscription {
    assert(local instanceof Subscription, "a gateway's interest is its subscriptions");
    return local;
  }

  get account(): number {
    return this.connection.account;
  }

  get heldBytes(): number {
    return subscriptionBytes + this.sid.length;
  }

  /** How many messages of its group it takes more now; undefined when it acknowledges nothing, and takes all. */
  get workRoom(): number | undefined {
    return this.inFlight === null ? undefined : this.inFlight.room;
  }

  get identity(): number {
    const bytes = latin1Bytes(this.sid);
    return hashBytes(bytes, 0, bytes.length, this.connection.id);
  }

  mayTake(exceptConnection: number): boolean {
    return this.connection.state === 'open' && this.connection.id !== exceptConnection;
  }

  get keepsUp(): boolean {
    return this.connection.pendingBytes === 0 && this.connection.backlogs.waiting.size === 0;
  }

  get load(): number {
    return this.connection.pendingBytes + this.connection.backlogs.heldBytes;
  }

  /** Where what its policy drops goes; '' where that is gone. */
  get deadLetter(): string {
    return this.options === null ? '' : this.options.deadLetter;
  }

  /** As whom dead letters of what its policy drops are published. */
  get letters(): LetterSender {
    const { account, rights } = this.connection;
    return { deadLetter: this.deadLetter, account, rights };
  }

  /** What becomes of its messages while it is slow; null when that is the connection's business, as in NATS. */
  get slow(): SlowPolicy | null {
    return this.options === null ? null : this.options.slow;
  }
}
