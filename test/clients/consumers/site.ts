import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  type ConsumerInfo,
  type ConsumerMessages,
  type ConsumerNotification,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeEach, expect } from 'vitest';
import { client } from '../../harness/officialClient.js';
import { type BrokerOptions, useBroker } from '../../harness/server.js';
import { isOracle } from '../../harness/target.js';

/** A busy machine may take its time. */
const patient = { timeout: 60_000 };

export const nsPerMs = 1_000_000;
/** What a test waits for may take so long, and is there sooner. */
export const longMs = 60_000;

/** A connection to a broker without any stream, the official client's view of it, and short ways to what all tests of consumers need. */
export class Site {
  readonly port: number;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly js: JetStreamClient;

  constructor(port: number, connection: NatsConnection, manager: JetStreamManager, js: JetStreamClient) {
    this.port = port;
    this.connection = connection;
    this.manager = manager;
    this.js = js;
  }

  /** Makes stream S on `s.>`, unless said otherwise. */
  async stream(config: Partial<StreamConfig> = {}): Promise<void> {
    await this.manager.streams.add({ name: 'S', subjects: ['s.>'], storage: StorageType.Memory, ...config });
  }

  /** Publishes texts to `s.1`, one after the other. */
  async publish(...texts: string[]): Promise<void> {
    for (const text of texts) await this.js.publish('s.1', text);
  }

  /** Makes a consumer of S with explicit acknowledgements, unless said otherwise; what it delivers is taken through what is returned. */
  async consumer(config: Partial<ConsumerConfig> = {}): Promise<Consumer> {
    const { name } = await this.add(config);
    return this.js.consumers.get('S', name);
  }

  add(config: Partial<ConsumerConfig> = {}): Promise<ConsumerInfo> {
    const named = config.name === undefined && config.durable_name === undefined ? { durable_name: 'C' } : {};
    return this.manager.consumers.add('S', { ...named, ack_policy: AckPolicy.Explicit, ...config });
  }

  /** Asks the API in JSON; an error is an answer, too. */
  async ask(subject: string, body?: unknown): Promise<Record<string, unknown>> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    return (await this.connection.request(`$JS.API.${subject}`, payload, patient)).json();
  }

  /** Waits until the info of a consumer says so. */
  async until(name: string, told: Partial<Record<keyof ConsumerInfo, unknown>>): Promise<void> {
    await expect.poll(() => this.manager.consumers.info('S', name)).toMatchObject(told);
  }
}

/** One broker for the tests around, and for each of them a site where nothing is left of the one before. */
export function useSite(options: BrokerOptions = {}): { readonly site: Site } {
  const directory = mkdtempSync(join(tmpdir(), 'shardcast-consumers-'));
  const oracles = { config: { ...options.config, jetstream: { store_dir: directory } } };
  const broker = useBroker(isOracle ? { ...options, ...oracles } : options);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  let site: Site;
  beforeEach(async () => {
    const connection = await client(broker.port);
    const manager = await jetstreamManager(connection as never, patient);
    for await (const name of manager.streams.names()) await manager.streams.delete(name);
    site = new Site(broker.port, connection, manager, jetstream(connection as never, patient));
  });
  return {
    get site() {
      return site;
    },
  };
}

/** Takes so many messages, or all there are until it ends by itself, and acknowledges none. */
export async function take(messages: ConsumerMessages, count = Number.POSITIVE_INFINITY): Promise<JsMsg[]> {
  const taken: JsMsg[] = [];
  for await (const message of messages) if (taken.push(message) >= count) break;
  return taken;
}

/** The next message; there has to be one. */
export async function next(consumer: Consumer): Promise<JsMsg> {
  const message = await consumer.next({ expires: longMs });
  expect(message, 'a message').not.toBeNull();
  return message as JsMsg;
}

export const sequences = (messages: readonly JsMsg[]): number[] => messages.map(({ seq }) => seq);
export const texts = (messages: readonly JsMsg[]): string[] => messages.map((message) => message.string());

/** Resolves with the first notification of a kind; listens from the call on. */
export function noticed<K extends ConsumerNotification['type']>(
  messages: ConsumerMessages,
  kind: K,
): Promise<Extract<ConsumerNotification, { type: K }>> {
  const told = messages.status();
  return (async () => {
    for await (const each of told) if (each.type === kind) return each as Extract<ConsumerNotification, { type: K }>;
    throw new Error(`ended without ${kind}`);
  })();
}

/** What the API refuses. */
export const refused = (code: number, message?: string) =>
  expect.objectContaining(message === undefined ? { code } : { code, message });
