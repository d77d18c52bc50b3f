import type { Topic } from '../router/topic.js';

/** Told when a topic begins or ends to be blocked by this endpoint. */
export type AnnounceBlocked = (subject: string, blocked: boolean) => void;

/** A topic that is blocked: by how many subscriptions, since when, and whether it has been warned of. */
interface Block {
  count: number;
  readonly sinceMs: number;
  warned: boolean;
}

/** Which topics' publishers wait for subscriptions here with the policy `block`, and for how many of them. */
export class Blocks {
  readonly #blocks = new Map<string, Block>();
  readonly #announce: AnnounceBlocked;
  readonly #now: () => number;

  constructor(announce: AnnounceBlocked, now: () => number = () => performance.now()) {
    this.#announce = announce;
    this.#now = now;
  }

  get size(): number {
    return this.#blocks.size;
  }

  add(topic: Topic): void {
    const block = this.#blocks.get(topic.text);
    if (block !== undefined) {
      block.count++;
      return;
    }
    this.#blocks.set(topic.text, { count: 1, sinceMs: this.#now(), warned: false });
    this.#announce(topic.text, true);
  }

  release(subject: string): void {
    const block = this.#blocks.get(subject) as Block;
    if (--block.count > 0) return;
    this.#blocks.delete(subject);
    this.#announce(subject, false);
  }

  /** Tells, once, of each topic whose publishers have waited for so long without a break. */
  warn(afterMs: number, tell: (subject: string) => void): void {
    const nowMs = this.#now();
    for (const [subject, block] of this.#blocks) {
      if (block.warned || nowMs - block.sinceMs < afterMs) continue;
      block.warned = true;
      tell(subject);
    }
  }
}
