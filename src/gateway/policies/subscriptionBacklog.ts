import type { SlowPolicy } from '../../base/policy.js';
import { Span } from '../../base/span.js';
import { decide, hasRoomAgain, type Verdict } from '../../subscriber/slowPolicy.js';
import type { ChunkPool } from '../chunkPool.js';
import type { BacklogLetters } from './backlogLetters.js';
import { LatestQueue } from './latestQueue.js';
import { RecordQueue } from './recordQueue.js';

/** What became of a message that was offered: what was decided, with the oldest lost where it took their place. */
export type Outcome = Exclude<Verdict, 'displaces'>;

/** Takes what leaves a backlog: a delivery as it goes on the wire. */
export type Sink = (span: Span, start: number, end: number) => void;

/** Says to a subscriber how many messages it lost, as a delivery on the wire; null when it does not want to or cannot hear. */
export type NoticeOf = ((lost: number) => Uint8Array | null) | null;

/**
 * What waits for one subscription whose connection is behind, as deliveries ready for the wire, and what becomes of
 * it at the bounds that the subscription's policy sets. One message may always wait, however large it is.
 */
export class SubscriptionBacklog {
  /** It may become another that keeps its messages in the same way. */
  policy: SlowPolicy;
  /** Messages lost, and messages whose place a newer one of the same key took, since the backlog was made. */
  dropped = 0;
  replaced = 0;
  readonly letters: BacklogLetters | null;
  readonly #records: RecordQueue | null;
  readonly #latest: LatestQueue | null;
  readonly #queue: RecordQueue | LatestQueue;
  readonly #noticeOf: NoticeOf;
  /** Messages lost since the last notice, and since the last message that was taken. */
  #unsaid = 0;
  #dropsInRow = 0;

  /** @param letters told of what becomes of each message; null where what is dropped is gone */
  constructor(policy: SlowPolicy, pool: ChunkPool, noticeOf: NoticeOf, letters: BacklogLetters | null = null) {
    this.letters = letters;
    this.policy = policy;
    this.#noticeOf = noticeOf;
    this.#latest = policy.policy === 'conflate' ? new LatestQueue() : null;
    this.#records = this.#latest === null ? new RecordQueue(pool) : null;
    this.#queue = (this.#latest ?? this.#records) as RecordQueue | LatestQueue;
  }

  get empty(): boolean {
    return this.#queue.count === 0;
  }

  get count(): number {
    return this.#queue.count;
  }

  /** What waits, in bytes. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  /** Whether it goes by the messages' keys. */
  get byKey(): boolean {
    return this.#latest !== null && this.policy.by === 'key';
  }

  /** Memory taken, in bytes. */
  get heldBytes(): number {
    return this.#queue.heldBytes;
  }

  /** Whether at most half of what may wait does. */
  get halfDrained(): boolean {
    return hasRoomAgain(this.policy, this.#queue);
  }

  /**
   * Offers a message as the delivery `span[start, end)`.
   *
   * @param key of what there is one latest message; used when the policy is to conflate
   * @param squeezed whether it may not grow, because its connection's backlogs together hold enough
   */
  offer(span: Span, start: number, end: number, key: string, squeezed: boolean): Outcome {
    if (this.#latest !== null) return this.#put(this.#latest, span, start, end, key, squeezed);
    const records = this.#records as RecordQueue;
    const verdict = decide(this.policy, records.count + 1, records.bytes + end - start, squeezed, this.#dropsInRow);
    if (verdict === 'lost' || verdict === 'ends') {
      this.#lose();
      this.letters?.drop();
      this.#dropsInRow++;
      return verdict;
    }
    this.#dropsInRow = 0;
    if (!this.#losesOldest) this.#sayWhatWasLost((notice, from, to) => records.push(notice, from, to));
    records.push(span, start, end);
    if (this.#losesOldest) this.letters?.keep();
    return verdict === 'displaces' ? this.#displace() : verdict;
  }

  /** Hands over what waits, oldest first, until `budgetBytes` or `messagesMax` have gone; returns the messages that went. */
  drain(budgetBytes: number, messagesMax: number, sink: Sink): number {
    const queue = this.#queue;
    let messages = 0;
    for (let left = budgetBytes; left > 0 && messages < messagesMax && queue.count > 0; messages++) {
      if (this.#losesOldest) this.#sayWhatWasLost(sink);
      left -= queue.headEnd - queue.headStart;
      sink(queue.headSpan, queue.headStart, queue.headEnd);
      queue.shift();
      this.letters?.deliverOldest();
    }
    if (queue.count === 0) this.#sayWhatWasLost(sink);
    return messages;
  }

  /** Forgets everything. */
  clear(): void {
    this.#queue.clear();
    this.letters?.clear();
    this.#unsaid = 0;
  }

  #put(latest: LatestQueue, span: Span, start: number, end: number, key: string, squeezed: boolean): Outcome {
    const replaces = latest.put(key, span, start, end);
    this.letters?.keepLatest(key);
    if (replaces) this.replaced++;
    return decide(this.policy, latest.count, latest.bytes, squeezed && !replaces, 0) === 'displaces'
      ? this.#displace()
      : 'waits';
  }

  /** Loses the oldest until what waits is within its bounds; the newest is kept. */
  #displace(): Outcome {
    const queue = this.#queue;
    do {
      queue.shift();
      this.letters?.dropOldest();
      this.#lose();
    } while (decide(this.policy, queue.count, queue.bytes, false, 0) === 'displaces');
    return 'waits';
  }

  get #losesOldest(): boolean {
    return this.policy.policy === 'drop-old' || this.policy.policy === 'conflate';
  }

  #lose(): void {
    this.dropped++;
    this.#unsaid++;
  }

  #sayWhatWasLost(sink: Sink): void {
    if (this.#unsaid === 0 || this.#noticeOf === null) return;
    const notice = this.#noticeOf(this.#unsaid);
    this.#unsaid = 0;
    if (notice !== null) sink(new Span(notice), 0, notice.length);
  }
}
