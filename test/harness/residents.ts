import type { Broker as ShardcastBroker } from 'shardcast';
import { afterEach } from 'vitest';
import type { BrokerOptions } from '../../src/options/brokerOptions.js';

/** What is compiled, as its threads are. */
const compiled = (path: string) => import(new URL(`../../dist/src/broker/${path}`, import.meta.url).href);
const { startRunning } = (await compiled('broker.js')) as typeof import('../../src/broker/broker.js');
const { openBroker } = (await compiled('embedded.js')) as typeof import('../../src/broker/embedded.js');
const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Has something closed after the test, behind what was begun before it. */
export function closeAfterTest(close: () => Promise<void> | void): void {
  closing.push(close);
}

/** A broker with every door open, whose shards' threads run a file of the test's; stopped after the test. */
export async function brokerOn(shardUrl: URL, options: Partial<BrokerOptions>): Promise<ShardcastBroker> {
  const ports = { port: 0, jsonlPort: 0, wsPort: 0, logLevel: 'silent' as const };
  const running = await startRunning({ ...ports, ...options }, { listen: true, clients: 5, shardUrl });
  const broker = await openBroker(running);
  closeAfterTest(() => broker.stop());
  return broker as unknown as ShardcastBroker;
}
