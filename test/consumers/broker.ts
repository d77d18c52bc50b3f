import { randomUUID } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import type { Broker as ShardcastBroker } from 'shardcast';
import type { BrokerOptions } from '../../src/options/brokerOptions.js';
import { brokerOn, closeAfterTest, useResident } from '../harness/residents.js';
import { type Consumed, type ConsumerOrder, channelVariable, type OnChannel } from './messages.js';

const shardUrl = new URL('../../dist/test/consumers/consumerThread.js', import.meta.url);
const channel = `consumers of ${randomUUID()}`;
process.env[channelVariable] = channel;

/** A broker with every door open, on whose shards consumers may live; stopped after the test. */
export function brokerWithConsumers(options: Partial<BrokerOptions>): Promise<ShardcastBroker> {
  return brokerOn(shardUrl, options);
}

/** The same, for all tests of the enclosing describe. */
export function useConsumers(options: Partial<BrokerOptions>): ReturnType<typeof useResident> {
  return useResident(options, shardUrl);
}

/** Orders of consumers, and what becomes of them. */
export class Ordering {
  readonly #consumed = new Map<string, Consumed>();
  readonly #waiting = new Set<string>();
  readonly #channel = new BroadcastChannel(channel);
  #onNews: () => void = () => {};

  constructor() {
    this.#channel.onmessage = (event) => {
      const message = (event as { data: OnChannel }).data;
      if (message.type === 'consumed') this.#consumed.set(message.name, message);
      else if (message.type === 'waits') this.#waiting.add(message.name);
      this.#onNews();
    };
    closeAfterTest(() => this.#channel.close());
  }

  order(order: ConsumerOrder): void {
    this.#channel.postMessage(order);
  }

  /** Resolves when a consumer has sent all that it had, after so many had come back at least: it may say so before any has, and again. */
  async done(name: string, redelivered = 0): Promise<Consumed> {
    await this.#until(() => (this.#consumed.get(name)?.redelivered ?? -1) >= redelivered);
    return this.#consumed.get(name) as Consumed;
  }

  /** Resolves when a consumer has found no room for a message. */
  waiting(name: string): Promise<void> {
    return this.#until(() => this.#waiting.has(name));
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo())
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
  }
}
