import { deliveryOptionsNameBytesMax, deliveryOptionsPerConnectionMax } from '../../base/limits.js';
import type { Subscription } from '../subscription.js';
import type { DeliveryOptions, OptionsRequest } from './deliveryOptions.js';

interface SubjectOptions {
  /** For any subscription to the subject, and for those of one queue group ('' for plain ones). */
  any: DeliveryOptions | null;
  readonly byQueue: Map<string, DeliveryOptions>;
}

/** What one connection has asked for: for a subscription, else for a subject and queue, else for a subject, else for all. */
export class RequestedOptions {
  #default: DeliveryOptions | null = null;
  readonly #bySid = new Map<string, DeliveryOptions>();
  readonly #bySubject = new Map<string, SubjectOptions>();
  #count = 0;
  /** Bytes of the names that the options are for. */
  #nameBytes = 0;

  /** Keeps what a request asks for, or forgets it. Returns false when the connection has too many. */
  set(asked: OptionsRequest): boolean {
    const { sid, subject, queue, options } = asked;
    if (options !== null && !this.#has(asked) && !this.#hasRoom(asked)) return false;
    if (sid !== null) this.#put(this.#bySid, sid, options);
    else if (subject !== null) this.#putSubject(subject, queue, options);
    else this.#default = options;
    return true;
  }

  /** What holds for a subscription. */
  for(subscription: Subscription): DeliveryOptions | null {
    const bySubject = this.#bySubject.get(subscription.subject);
    return (
      this.#bySid.get(subscription.sid) ?? bySubject?.byQueue.get(subscription.queue) ?? bySubject?.any ?? this.#default
    );
  }

  /** The subscription has ended, and its sid may be used for another. */
  ended(subscription: Subscription): void {
    this.#put(this.#bySid, subscription.sid, null);
  }

  #hasRoom({ sid, subject, queue }: OptionsRequest): boolean {
    const nameBytes = (sid ?? '').length + (subject ?? '').length + (queue ?? '').length;
    return this.#count < deliveryOptionsPerConnectionMax && this.#nameBytes + nameBytes <= deliveryOptionsNameBytesMax;
  }

  #has({ sid, subject, queue }: OptionsRequest): boolean {
    if (sid !== null) return this.#bySid.has(sid);
    if (subject === null) return true;
    const bySubject = this.#bySubject.get(subject);
    return queue === null ? (bySubject?.any ?? null) !== null : bySubject?.byQueue.has(queue) === true;
  }

  #putSubject(subject: string, queue: string | null, options: DeliveryOptions | null): void {
    const kept = this.#bySubject.get(subject) ?? { any: null, byQueue: new Map() };
    if (queue !== null) this.#put(kept.byQueue, queue, options);
    else {
      this.#count += (options === null ? 0 : 1) - (kept.any === null ? 0 : 1);
      kept.any = options;
    }
    const known = this.#bySubject.delete(subject);
    const isKept = kept.any !== null || kept.byQueue.size > 0;
    if (isKept) this.#bySubject.set(subject, kept);
    this.#nameBytes += subject.length * (Number(isKept) - Number(known));
  }

  #put(kept: Map<string, DeliveryOptions>, name: string, options: DeliveryOptions | null): void {
    const before = kept.size;
    if (options === null) kept.delete(name);
    else kept.set(name, options);
    this.#count += kept.size - before;
    this.#nameBytes += name.length * (kept.size - before);
  }
}
