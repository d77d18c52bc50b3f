import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { expect } from 'vitest';
import { publishedText } from './publishedText.js';

/** A stream as somebody sees it. */
export interface StreamState {
  readonly description: string;
  readonly last: number;
  readonly texts: ReadonlyMap<number, string>;
}

/** Null where there is no stream. */
export type Seen = StreamState | null;

const name = 'churn';

/** Changes a stream by one request after the other, and knows what it was before the last one and is behind it. */
export class Churn {
  /** Requests that were answered. */
  done = 0;
  readonly #below: (bound: number) => number;
  #index = 0;
  #before: Seen = null;
  #after: Seen = null;

  /** @param below a random integer below a bound */
  constructor(below: (bound: number) => number) {
    this.#below = below;
  }

  /** Goes on until the broker is gone. @param onAnswer after each answer */
  async run(manager: JetStreamManager, js: JetStreamClient, onAnswer: () => void): Promise<void> {
    for (;;) {
      const { request, after } = this.#next(manager, js);
      this.#after = after;
      await request();
      this.#before = after;
      this.done++;
      onAnswer();
    }
  }

  /** Compares what is there after a crash: a request under way may have been carried out, or half of a purge. */
  async check(manager: JetStreamManager): Promise<void> {
    const seen = await see(manager);
    const [before, after] = [this.#before, this.#after];
    if (before === null || after === null || seen === null) {
      expect([before, after], `${this.done} requests`).toContainEqual(seen);
    } else {
      expect([before.description, after.description]).toContain(seen.description);
      expect([before.last, after.last]).toContain(seen.last);
      for (const [sequence, text] of seen.texts)
        expect([before.texts.get(sequence), after.texts.get(sequence)], `${sequence}`).toContain(text);
      for (const [sequence, text] of after.texts)
        if (before.texts.has(sequence)) expect(seen.texts.get(sequence), `${sequence}`).toBe(text);
    }
    this.#before = this.#after = seen;
  }

  #next(manager: JetStreamManager, js: JetStreamClient): { request: () => Promise<unknown>; after: Seen } {
    const state = this.#before;
    const below = this.#below;
    if (state === null) {
      const config = { name, subjects: ['churn.>'], allow_direct: true, description: '' };
      return { request: () => manager.streams.add(config), after: { description: '', last: 0, texts: new Map() } };
    }
    const { description, last } = state;
    const texts = new Map(state.texts);
    const sequences = [...texts.keys()];
    const chance = below(100);
    if (chance < 70 || sequences.length === 0) {
      const text = publishedText('churn', this.#index++);
      texts.set(last + 1, text);
      return { request: () => js.publish('churn.a', text), after: { description, last: last + 1, texts } };
    }
    if (chance < 85) {
      const seq = sequences[below(sequences.length)] as number;
      texts.delete(seq);
      return { request: () => manager.streams.deleteMessage(name, seq), after: { ...state, texts } };
    }
    if (chance < 92) {
      const keep = below(sequences.length + 1);
      for (const sequence of sequences.slice(0, sequences.length - keep)) texts.delete(sequence);
      return { request: () => manager.streams.purge(name, { keep }), after: { ...state, texts } };
    }
    if (chance < 98) {
      const changed = `change ${this.done}`;
      return {
        request: () => manager.streams.update(name, { description: changed }),
        after: { ...state, description: changed },
      };
    }
    return { request: () => manager.streams.delete(name), after: null };
  }
}

async function see(manager: JetStreamManager): Promise<Seen> {
  try {
    const { config, state } = await manager.streams.info(name);
    const texts = new Map<number, string>();
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(name, { seq });
      if (message !== null) texts.set(seq, message.string());
    }
    expect(texts.size, 'what is counted is there').toBe(state.messages);
    return { description: config.description ?? '', last: state.last_seq, texts };
  } catch (error) {
    if ((error as Error).message === 'stream not found') return null;
    throw error;
  }
}
