import { fail } from 'node:assert/strict';
import type { StoredMsg } from '@nats-io/jetstream';
import { publishedIndex } from './publishedText.js';

/**
 * What is known of a stream to which many publish, each under a subject of its own, and nobody removes anything: what was acknowledged has
 * to be there; what was not may be.
 */
export class Ledger {
  readonly #texts = new Map<number, string>();
  /** Latest index of each publisher that is known to be stored, by subject. */
  readonly #latest = new Map<string, number>();
  /** Acknowledged since the last check, under sequences that are not known. */
  readonly #unnumbered = new Set<string>();
  #checked = 0;

  get acknowledged(): number {
    return this.#texts.size + this.#unnumbered.size;
  }

  /** Sequences up to this one were looked at after an earlier crash. */
  get checked(): number {
    return this.#checked;
  }

  acknowledge(sequence: number, text: string): void {
    const earlier = this.#texts.get(sequence);
    if (earlier !== undefined && earlier !== text) fail(`${sequence} was acknowledged for ${earlier} and for ${text}`);
    this.#texts.set(sequence, text);
  }

  /** The same by a door that tells no sequences. */
  acknowledgeText(text: string): void {
    this.#unnumbered.add(text);
  }

  /** Looks at all messages from `first` on, in order, as they were found after a crash. */
  check(found: readonly StoredMsg[], first: number): void {
    const texts = new Map(found.map((message) => [message.seq, message.string()]));
    if (texts.size !== found.length) fail('a sequence comes twice');
    for (const [sequence, text] of this.#texts)
      if (sequence >= first && texts.get(sequence) !== text) fail(`${sequence} was ${text}, is ${texts.get(sequence)}`);
    if (first === 1) this.#latest.clear();
    for (const message of found) this.#enter(message);
    for (const text of this.#unnumbered) fail(`${text} is missing`);
    this.#checked = found.at(-1)?.seq ?? this.#checked;
  }

  #enter(message: StoredMsg): void {
    const { subject, seq } = message;
    const text = message.string();
    const index = publishedIndex(subject.slice(subject.indexOf('.') + 1), text);
    if (index <= (this.#latest.get(subject) ?? -1))
      fail(`${seq} is not what was published to ${subject}, in order: ${text}`);
    this.#latest.set(subject, index);
    // who has seen it after a crash sees it after every other
    this.#texts.set(seq, text);
    this.#unnumbered.delete(text);
  }
}
