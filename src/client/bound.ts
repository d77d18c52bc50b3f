import type { SlowPolicy } from '../base/policy.js';
import type { Topic } from '../router/topic.js';
import { SlowPath } from '../subscriber/slowPath.js';
import { decide, hasLostTooMuch, hasRoomAgain } from '../subscriber/slowPolicy.js';
import { type Backlog, createBacklog } from './backlog.js';
import type { Blocks } from './blocks.js';
import type { Delivered } from './delivered.js';

/** What becomes of a message that comes: it may wait, it is lost, or with it so many are that the subscription ends. */
export type Admission = 'waits' | 'lost' | 'ends';

/** What waits for a subscription, and what its policy does at its bound: loses messages, or has publishers wait. */
export class Bound {
  readonly backlog: Backlog;
  /** Messages lost, here or on the way. */
  dropped = 0;
  readonly #policy: SlowPolicy;
  readonly #blocks: Blocks;
  readonly #onLost: (message: Delivered) => void;
  /** Messages lost since one was taken in. */
  #inRow = 0;
  #told = 0;
  /** Subjects whose publishers wait. */
  readonly #blocked = new Set<string>();
  /** It lags since its backlog was at its bound, until half of it is taken. */
  readonly #slowPath = new SlowPath();

  /** @param onLost told of each message that is dropped here; values that newer ones replace are not */
  constructor(policy: SlowPolicy, blocks: Blocks, onLost: (message: Delivered) => void = () => {}) {
    this.#onLost = onLost;
    this.#policy = policy;
    this.#blocks = blocks;
    this.backlog = createBacklog(policy);
  }

  /** Messages lost one after the other, up to the last that came. */
  get droppedInRow(): number {
    return this.#inRow;
  }

  /** Whether another message would be one too many. */
  get full(): boolean {
    const { count, bytes } = this.backlog;
    return count >= this.#policy.maxMessages || bytes >= this.#policy.maxBytes;
  }

  /** Whether half of it is free. */
  get hasRoomAgain(): boolean {
    return hasRoomAgain(this.#policy, this.backlog);
  }

  /** Has the policy decide on a message that is about to wait. A backlog of latest values takes all, and loses afterwards. */
  admit(message: Delivered): Admission {
    if (this.#policy.policy === 'conflate') return 'waits';
    const { count, bytes } = this.backlog;
    const verdict = decide(this.#policy, count + 1, bytes + message.lengthBytes, false, this.#inRow);
    if (verdict !== 'waits') this.#slowPath.on('notTaken');
    if (verdict === 'lost' || verdict === 'ends') {
      this.dropped++;
      this.#inRow++;
      this.#onLost(message);
      return verdict;
    }
    this.#inRow = 0;
    if (verdict === 'blocks') this.#block(message.topic);
    else if (verdict === 'displaces') this.#displace(1, message.lengthBytes);
    return 'waits';
  }

  /** Adds a message that was admitted, or that a group found room for. */
  add(message: Delivered): void {
    const replaced = this.backlog.add(message);
    if (replaced !== null) this.#lose(replaced);
    // a backlog of latest values is bounded by giving up the one that waits longest
    if (this.#policy.policy === 'conflate') this.#displace(0, 0);
  }

  /** Takes the first; nobody waits any more when half of what may wait is free again. */
  take(): Delivered | null {
    const message = this.backlog.take();
    if (message !== null && this.#slowPath.lagging && this.hasRoomAgain) this.catchUp();
    return message;
  }

  /** Messages were lost before they came here; returns whether that is too many. */
  loseOnTheWay(count: number): boolean {
    this.dropped += count;
    this.#inRow += count;
    return hasLostTooMuch(this.#policy, this.#inRow);
  }

  /** Messages lost since the call before. */
  takeUntold(): number {
    const untold = this.dropped - this.#told;
    this.#told = this.dropped;
    return untold;
  }

  /** Nobody waits for it any more. */
  catchUp(): void {
    this.#slowPath.on('caughtUp');
    for (const subject of this.#blocked) this.#blocks.release(subject);
    this.#blocked.clear();
  }

  /** Has the topic's publishers wait. What is on its way is kept: it is bounded by the lanes that it comes through. */
  #block(topic: Topic): void {
    if (this.#blocked.has(topic.text)) return;
    this.#blocked.add(topic.text);
    this.#blocks.add(topic);
  }

  /** Loses the oldest until what waits is within its bounds, with what is to come. */
  #displace(moreMessages: number, moreBytes: number): void {
    const { backlog } = this;
    while (decide(this.#policy, backlog.count + moreMessages, backlog.bytes + moreBytes, false, 0) === 'displaces') {
      const oldest = backlog.take() as Delivered;
      this.#onLost(oldest);
      this.#lose(oldest);
    }
  }

  #lose(message: Delivered): void {
    this.dropped++;
    message.sync?.finish();
  }
}
