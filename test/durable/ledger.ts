import type { StoredMsg } from '@nats-io/jetstream';
import { expect } from 'vitest';
import { publishedIndex } from './publishedText.js';

/**
 * What is known of a stream to which many publish, each under a subject of its own, and nobody removes anything: what was acknowledged has
 * to be there; what was not may be.
 */
export class Ledger {
  readonly #texts = new Map<number, string>();
  /** Latest index of each publisher that is known to be stored, by subject. */
  readonly #latest = new Map<string, number>();
  #checked = 0;

  get acknowledged(): number {
    return this.#texts.size;
  }

  /** Sequences up to this one were looked at after an earlier crash. */
  get checked(): number {
    return this.#checked;
  }

  acknowledge(sequence: number, text: string): void {
    expect(this.#texts.get(sequence) ?? text, `${sequence} is acknowledged once`).toBe(text);
    this.#texts.set(sequence, text);
  }

  /** Looks at all messages from `first` on, in order, as they were found after a crash. */
  check(found: readonly StoredMsg[], first: number): void {
    const texts = new Map(found.map((message) => [message.seq, message.string()]));
    expect(texts.size, 'each once').toBe(found.length);
    for (const [sequence, text] of this.#texts)
      if (sequence >= first && texts.get(sequence) !== text)
        expect.fail(`${sequence} was ${text}, is ${texts.get(sequence)}`);
    if (first === 1) this.#latest.clear();
    for (const message of found) this.#enter(message);
    this.#checked = found.at(-1)?.seq ?? this.#checked;
  }

  #enter(message: StoredMsg): void {
    const { subject, seq } = message;
    const text = message.string();
    const index = publishedIndex(subject.slice(subject.indexOf('.') + 1), text);
    expect(index, `${seq} is what was published to ${subject}, in order`).toBeGreaterThan(
      this.#latest.get(subject) ?? -1,
    );
    this.#latest.set(subject, index);
    // who has seen it after a crash sees it after every other
    this.#texts.set(seq, text);
  }
}
