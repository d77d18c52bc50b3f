import type { Topic } from '../router/topic.js';

/** Told when a topic begins or ends to be blocked by this endpoint. */
export type AnnounceBlocked = (subject: string, blocked: boolean) => void;

/** Which topics' publishers wait for subscriptions here with the policy `block`, and for how many of them. */
export class Blocks {
  readonly #counts = new Map<string, number>();
  readonly #announce: AnnounceBlocked;

  constructor(announce: AnnounceBlocked) {
    this.#announce = announce;
  }

  get size(): number {
    return this.#counts.size;
  }

  add(topic: Topic): void {
    const count = this.#counts.get(topic.text) ?? 0;
    this.#counts.set(topic.text, count + 1);
    if (count === 0) this.#announce(topic.text, true);
  }

  release(subject: string): void {
    const count = this.#counts.get(subject) ?? 0;
    if (count > 1) {
      this.#counts.set(subject, count - 1);
      return;
    }
    this.#counts.delete(subject);
    this.#announce(subject, false);
  }
}
