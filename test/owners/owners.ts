import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import type { Broker } from 'shardcast';
import type { BrokerOptions } from '../../src/options/brokerOptions.js';
import { brokerOn, closeAfterTest } from '../harness/residents.js';
import { channelVariable, type FromOwners, type ToOwners, wake } from './messages.js';

const shardUrl = new URL('../../dist/test/owners/ownerThread.js', import.meta.url);
const channelName = `owners of ${randomUUID()}`;
process.env[channelVariable] = channelName;

export type Owned = Extract<FromOwners, { type: 'owned' }>;

/** A broker whose patterns get the owners that the test wants; stopped after the test. */
export function brokerWithOwners(options: Partial<BrokerOptions>): Promise<Broker> {
  return brokerOn(shardUrl, options);
}

/** Changes owners and has shards hang. */
export class Owners {
  readonly #channel = new BroadcastChannel(channelName);
  readonly #open = new Map<number, (owned: Owned) => void>();
  #onHanging: () => void = () => {};
  #id = 0;

  constructor() {
    this.#channel.onmessage = (event) => {
      const said = (event as { data: ToOwners | FromOwners }).data;
      if (said.type === 'hanging') this.#onHanging();
      if (said.type !== 'owned') return;
      this.#open.get(said.id)?.(said);
      this.#open.delete(said.id);
    };
    closeAfterTest(() => this.#channel.close());
  }

  change(pattern: string, owner: number): Promise<Owned> {
    const id = ++this.#id;
    return new Promise((resolve) => {
      this.#open.set(id, resolve);
      this.#channel.postMessage({ type: 'own', id, pattern, owner } satisfies ToOwners);
    });
  }

  /** Resolves when the shard's thread is blocked, with what lets it go on. */
  async hang(shard: number): Promise<() => void> {
    const word = new SharedArrayBuffer(4);
    closeAfterTest(() => wake(word));
    const hanging = new Promise<void>((resolve) => (this.#onHanging = resolve));
    this.#channel.postMessage({ type: 'hang', shard, word } satisfies ToOwners);
    await hanging;
    return () => wake(word);
  }
}
