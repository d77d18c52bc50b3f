import { fail } from 'node:assert/strict';
import { inspect, isDeepStrictEqual } from 'node:util';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { publishedText } from './publishedText.js';

/** A stream as somebody sees it. */
export interface StreamState {
  readonly description: string;
  readonly last: number;
  readonly texts: ReadonlyMap<number, string>;
}

/** Null where there is no stream. */
export type Seen = StreamState | null;

/** Changes a stream by one request after the other, and knows what it was before the last one and is behind it. */
export class Churn {
  /** Requests that were answered. */
  done = 0;
  readonly name: string;
  readonly #sync: string;
  readonly #below: (bound: number) => number;
  #index = 0;
  #before: Seen = null;
  #after: Seen = null;

  /** @param sync its `shardcast.sync` @param below a random integer below a bound */
  constructor(name: string, sync: string, below: (bound: number) => number) {
    this.name = name;
    this.#sync = sync;
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
    const seen = await see(manager, this.name);
    const [before, after] = [this.#before, this.#after];
    if (before === null || after === null || seen === null) {
      if (![before, after].some((state) => isDeepStrictEqual(state, seen))) this.#fail('it', seen);
    } else {
      if (![before, after].some(({ description }) => description === seen.description)) this.#fail('description', seen);
      if (![before, after].some(({ last }) => last === seen.last)) this.#fail('last sequence', seen);
      for (const [sequence, text] of seen.texts)
        if (before.texts.get(sequence) !== text && after.texts.get(sequence) !== text) this.#fail(sequence, seen);
      for (const [sequence, text] of after.texts)
        if (before.texts.has(sequence) && seen.texts.get(sequence) !== text) this.#fail(sequence, seen);
    }
    this.#before = this.#after = seen;
  }

  #fail(what: string | number, seen: Seen): never {
    const state = { before: this.#before, after: this.#after, seen };
    fail(`stream ${this.name}: ${what} is not as it was left by ${this.done} requests: ${inspect(state)}`);
  }

  #next(manager: JetStreamManager, js: JetStreamClient): { request: () => Promise<unknown>; after: Seen } {
    const state = this.#before;
    const { name } = this;
    const below = this.#below;
    if (state === null) {
      const metadata = { 'shardcast.sync': this.#sync };
      const config = { name, subjects: [`${name}.>`], allow_direct: true, description: '', metadata };
      return { request: () => manager.streams.add(config), after: { description: '', last: 0, texts: new Map() } };
    }
    const { description, last } = state;
    const texts = new Map(state.texts);
    const sequences = [...texts.keys()];
    const chance = below(100);
    if (chance < 70 || sequences.length === 0) {
      const text = publishedText(name, this.#index++);
      texts.set(last + 1, text);
      return { request: () => js.publish(`${name}.a`, text), after: { description, last: last + 1, texts } };
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

async function see(manager: JetStreamManager, name: string): Promise<Seen> {
  try {
    const { config, state } = await manager.streams.info(name);
    const texts = new Map<number, string>();
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(name, { seq });
      if (message !== null) texts.set(seq, message.string());
    }
    if (texts.size !== state.messages) fail(`stream ${name} counts ${state.messages} messages and has ${texts.size}`);
    return { description: config.description ?? '', last: state.last_seq, texts };
  } catch (error) {
    if ((error as Error).message === 'stream not found') return null;
    throw error;
  }
}
