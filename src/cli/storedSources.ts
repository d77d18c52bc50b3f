import { randomUUID } from 'node:crypto';
import type { ConsumerApi } from '../protocol/streamApi/consumerApi.js';
import { openDurable, orderedConfig, type StoredReading } from '../protocol/streamApi/storedReading.js';
import type { StreamApi } from '../protocol/streamApi/streamApi.js';

/** Who is asked for a stream's messages. */
export interface StoredSource {
  /** Where its consumer is asked now. */
  readonly subject: string;
  /** Whether what is taken has to be acknowledged. */
  readonly acknowledges: boolean;
  /** Whether this message is the one to come, by its consumer's count. */
  follows(sequence: number, number: number): boolean;
  /** Makes sure that there is somebody to ask after something went wrong. Rejects when there will be nobody. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/** A consumer that lasts: who names it again goes on where it left off. */
export async function durableSource(
  api: ConsumerApi,
  streams: StreamApi,
  stream: string,
  name: string,
  reading: StoredReading,
): Promise<StoredSource> {
  const { ack_policy } = await openDurable(api, streams, stream, name, reading);
  return {
    subject: api.nextSubject(name),
    acknowledges: ack_policy !== 'none',
    follows: () => true,
    renew: async () => void (await api.info(name)),
    close: async () => {},
  };
}

/** A consumer for this reading alone, made again behind what was read whenever it is lost. */
export async function orderedSource(api: ConsumerApi, reading: StoredReading): Promise<StoredSource> {
  const source = new OrderedSource(api, reading);
  await source.renew();
  return source;
}

class OrderedSource implements StoredSource {
  readonly acknowledges = false;
  readonly #api: ConsumerApi;
  readonly #reading: StoredReading;
  readonly #prefix = `sub-${randomUUID().slice(0, 8)}`;
  #serial = 0;
  #sequence = 0;
  #number = 0;

  constructor(api: ConsumerApi, reading: StoredReading) {
    this.#api = api;
    this.#reading = reading;
  }

  get subject(): string {
    return this.#api.nextSubject(this.#name);
  }

  get #name(): string {
    return `${this.#prefix}-${this.#serial}`;
  }

  follows(sequence: number, number: number): boolean {
    if (number !== this.#number + 1) return false;
    this.#sequence = sequence;
    this.#number = number;
    return true;
  }

  async renew(): Promise<void> {
    if (this.#serial > 0) await this.close();
    this.#serial++;
    this.#number = 0;
    await this.#api.create(orderedConfig(this.#name, this.#reading, this.#sequence));
  }

  async close(): Promise<void> {
    // it goes by itself where that cannot be said
    await this.#api.delete(this.#name).catch(() => {});
  }
}
