import { once } from 'node:events';
import { type MessagePort, Worker } from 'node:worker_threads';
import { type NatsConnection, headers as natsHeaders } from '@nats-io/nats-core';
import type { Broker } from 'shardcast';
import { afterEach } from 'vitest';
import { inProcess } from '../client/broker.js';
import { JsonClient } from '../harness/jsonClient.js';
import { client } from '../harness/officialClient.js';
import { webSocketClient } from '../harness/webSocketClient.js';
import { processDoor } from './processDoor.js';

/** A message as every door has it. Fields that it does not have are missing. */
export interface DoorMessage {
  readonly subject: string;
  /** In base64. */
  readonly payload: string;
  readonly key?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly reply?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A client of one door. */
export interface DoorClient {
  /** Resolves when the subscription is in place. */
  subscribe(subject: string, take: (message: DoorMessage) => void, last: boolean): Promise<void>;
  /** Resolves when it is on its way: what any client does afterwards comes behind it. */
  publish(message: DoorMessage): Promise<void>;
}

const threadUrl = new URL('../../dist/test/doors/doorThread.js', import.meta.url);
const threads = new Set<Worker>();
const subscriptions = new Set<{ unsubscribe(): void }>();

afterEach(async () => {
  for (const subscription of subscriptions) subscription.unsubscribe();
  subscriptions.clear();
  await Promise.all([...threads].map((thread) => thread.terminate()));
  threads.clear();
});

/** A broker with every door open. */
export function openDoors(options: Parameters<typeof inProcess>[0]): Promise<Broker> {
  return inProcess({ jsonlPort: 0, wsPort: 0, ...options });
}

function portOf(urls: readonly string[]): number {
  return Number(new URL(urls[0] as string).port);
}

/** A client of each door, by the door's name. */
export const doors: Readonly<Record<string, (broker: Broker) => Promise<DoorClient>>> = {
  NATS: async ({ ports }) => natsDoor(await client(portOf(ports.nats))),
  'NATS over WebSocket': async ({ ports }) => natsDoor(await webSocketClient(portOf(ports.websocket))),
  'JSON lines': async ({ ports }) => jsonDoor(await JsonClient.overTcp(portOf(ports.jsonl))),
  'JSON lines over WebSocket': async ({ ports }) => jsonDoor(await JsonClient.overWebSocket(portOf(ports.websocket))),
  'the process': async (broker) => processDoor(broker, (subscription) => subscriptions.add(subscription)),
  'a thread of the process': threadDoor,
};

function natsDoor(connection: NatsConnection): DoorClient {
  return {
    async subscribe(subject, take, last) {
      if (last) connection.publish('$SHARDCAST.SUB', JSON.stringify({ subject, last: true }));
      connection.subscribe(subject, {
        callback: (_, { subject: on, data, reply, headers }) => {
          const own = { key: 'Shardcast-Key', traceparent: 'traceparent', correlationId: 'Correlation-Id' };
          const fields = Object.entries(own).map(([field, name]) => [field, headers?.get(name) || undefined]);
          const others = (headers?.keys() ?? []).filter((name) => !Object.values(own).includes(name));
          take({
            subject: on,
            payload: Buffer.from(data).toString('base64'),
            ...(Object.fromEntries(fields) as object),
            reply: reply || undefined,
            headers:
              others.length === 0 ? undefined : Object.fromEntries(others.map((name) => [name, headers!.get(name)])),
          });
        },
      });
      await connection.flush();
    },
    async publish({ subject, payload, key, traceparent, correlationId, reply, headers }) {
      const named = { 'Shardcast-Key': key, traceparent, 'Correlation-Id': correlationId, ...headers };
      const block = natsHeaders();
      for (const [name, value] of Object.entries(named)) if (value !== undefined) block.set(name, value);
      const plain = Object.values(named).every((value) => value === undefined);
      const options = { ...(plain ? {} : { headers: block }), ...(reply === undefined ? {} : { reply }) };
      connection.publish(subject, Buffer.from(payload, 'base64'), options);
      await connection.flush();
    },
  };
}

function jsonDoor(connection: JsonClient): DoorClient {
  connection.send({ command: 'FORMAT', format: 'json' });
  return {
    async subscribe(subject, take, last) {
      connection.onLine = (line) => {
        const { topic, payload, encoding, timestamp: _, ...fields } = JSON.parse(line) as Record<string, string>;
        if (topic === undefined) return false;
        const bytes = Buffer.from(payload as string, encoding === 'base64' ? 'base64' : 'utf8');
        take({ subject: topic, payload: bytes.toString('base64'), ...fields });
        return true;
      };
      await connection.exchange({ command: 'SUB', topic: subject, ...(last ? { last } : {}) });
    },
    async publish({ subject, payload, ...fields }) {
      await connection.exchange({ command: 'PUB', topic: subject, payload, encoding: 'base64', ...fields });
    },
  };
}

/** What a thread is asked, and what it answers. */
export type ToDoorThread =
  | { readonly type: 'subscribe'; readonly subject: string; readonly last: boolean }
  | { readonly type: 'publish'; readonly message: DoorMessage };
export type FromDoorThread = { readonly type: 'done' } | { readonly type: 'message'; readonly message: DoorMessage };

async function threadDoor(broker: Broker): Promise<DoorClient> {
  const port = broker.port();
  const thread = new Worker(threadUrl, { workerData: { port }, transferList: [port as unknown as MessagePort] });
  threads.add(thread);
  await once(thread, 'message');
  let take: (message: DoorMessage) => void = () => {};
  let done: () => void = () => {};
  thread.on('message', (said: FromDoorThread) => {
    if (said.type === 'message') take(said.message);
    else done();
  });
  const ask = (question: ToDoorThread): Promise<void> =>
    new Promise((resolve) => {
      done = resolve;
      thread.postMessage(question);
    });
  return {
    subscribe(subject, taker, last) {
      take = taker;
      return ask({ type: 'subscribe', subject, last });
    },
    publish: (message) => ask({ type: 'publish', message }),
  };
}
