import { wishesPerConnectionMax, wishNameBytesPerConnectionMax } from '../../base/limits.js';
import type { Subscription } from '../subscription.js';
import type { Asked, SubscriptionWish } from './wish.js';

interface SubjectWish {
  /** For any subscription to the subject, and for those of one queue group ('' for plain ones). */
  any: SubscriptionWish | null;
  readonly byQueue: Map<string, SubscriptionWish>;
}

/** What one connection has asked for: for a subscription, else for a subject and queue, else for a subject, else for all. */
export class Wishes {
  #default: SubscriptionWish | null = null;
  readonly #bySid = new Map<string, SubscriptionWish>();
  readonly #bySubject = new Map<string, SubjectWish>();
  #count = 0;
  /** Of the names that wishes are for, in bytes. */
  #nameBytes = 0;

  /** Takes a wish, or one back. Returns false when there are too many of them. */
  set(asked: Asked): boolean {
    const { sid, subject, queue, wish } = asked;
    if (wish !== null && !this.#has(asked) && !this.#hasRoom(asked)) return false;
    if (sid !== null) this.#put(this.#bySid, sid, wish);
    else if (subject !== null) this.#putSubject(subject, queue, wish);
    else this.#default = wish;
    return true;
  }

  /** What holds for a subscription. */
  for(subscription: Subscription): SubscriptionWish | null {
    const bySubject = this.#bySubject.get(subscription.subject);
    return (
      this.#bySid.get(subscription.sid) ?? bySubject?.byQueue.get(subscription.queue) ?? bySubject?.any ?? this.#default
    );
  }

  /** The subscription has ended, and its sid may be used for another. */
  ended(subscription: Subscription): void {
    this.#put(this.#bySid, subscription.sid, null);
  }

  #hasRoom({ sid, subject, queue }: Asked): boolean {
    const nameBytes = (sid ?? '').length + (subject ?? '').length + (queue ?? '').length;
    return this.#count < wishesPerConnectionMax && this.#nameBytes + nameBytes <= wishNameBytesPerConnectionMax;
  }

  #has({ sid, subject, queue }: Asked): boolean {
    if (sid !== null) return this.#bySid.has(sid);
    if (subject === null) return true;
    const bySubject = this.#bySubject.get(subject);
    return queue === null ? (bySubject?.any ?? null) !== null : bySubject?.byQueue.has(queue) === true;
  }

  #putSubject(subject: string, queue: string | null, wish: SubscriptionWish | null): void {
    const wishes = this.#bySubject.get(subject) ?? { any: null, byQueue: new Map() };
    if (queue !== null) this.#put(wishes.byQueue, queue, wish);
    else {
      this.#count += (wish === null ? 0 : 1) - (wishes.any === null ? 0 : 1);
      wishes.any = wish;
    }
    const known = this.#bySubject.delete(subject);
    const kept = wishes.any !== null || wishes.byQueue.size > 0;
    if (kept) this.#bySubject.set(subject, wishes);
    this.#nameBytes += subject.length * (Number(kept) - Number(known));
  }

  #put(wishes: Map<string, SubscriptionWish>, name: string, wish: SubscriptionWish | null): void {
    const before = wishes.size;
    if (wish === null) wishes.delete(name);
    else wishes.set(name, wish);
    this.#count += wishes.size - before;
    this.#nameBytes += name.length * (wishes.size - before);
  }
}
