import {
  connect,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  type Subscription,
} from '@nats-io/transport-node';
import { afterEach } from 'vitest';

const open = new Set<NatsConnection>();

/** The official client, unchanged, closed after the test. */
export async function client(port: number, options: NodeConnectionOptions = {}): Promise<NatsConnection> {
  const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, ...options });
  open.add(connection);
  return connection;
}

export function clients(count: number, port: number, options: NodeConnectionOptions = {}): Promise<NatsConnection[]> {
  return Promise.all(Array.from({ length: count }, () => client(port, options)));
}

/** A subscription that keeps what it gets, for tests that count and compare. */
export function collect(
  connection: NatsConnection,
  subject: string,
  queue?: string,
): { sub: Subscription; texts: string[] } {
  const texts: string[] = [];
  const callback = (_: Error | null, message: Msg): void => void texts.push(message.string());
  const sub = connection.subscribe(subject, queue === undefined ? { callback } : { queue, callback });
  return { sub, texts };
}

/** Resolves at the first status of that type; listen before causing it. */
export async function status(connection: NatsConnection, type: string): Promise<void> {
  for await (const event of connection.status()) if (event.type === type) return;
  throw new Error(`closed without status ${type}`);
}

afterEach(async () => {
  await Promise.all([...open].map((connection) => connection.close()));
  open.clear();
});
