import { type Broker, type StartOptions, startBroker } from 'shardcast';
import { afterEach } from 'vitest';

const running = new Set<Broker>();

/** A broker inside the test's process, on any free port unless it listens on none; stopped after the test. */
export async function inProcess(options: StartOptions = {}): Promise<Broker> {
  const broker = await startBroker({ port: 0, logLevel: 'silent', ...options });
  running.add(broker);
  return broker;
}

export function portOf(broker: Broker): number {
  return Number(new URL(broker.ports.nats[0]!).port);
}

afterEach(async () => {
  await Promise.all([...running].map((broker) => broker.stop()));
  running.clear();
});
