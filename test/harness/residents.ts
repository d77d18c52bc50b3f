import type { ShardCensus, Broker as ShardcastBroker } from 'shardcast';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { BrokerOptions } from '../../src/options/brokerOptions.js';
import { orHang } from './hang.js';

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

/** A broker with every door open, whose shards' threads run a file of the test's where one is given. */
async function start(options: Partial<BrokerOptions>, shardUrl?: URL): Promise<ShardcastBroker> {
  const ports = { port: 0, jsonlPort: 0, wsPort: 0, logLevel: 'silent' as const };
  const threads = { listen: true, clients: 5, ...(shardUrl === undefined ? {} : { shardUrl }) };
  const running = await startRunning({ ...ports, ...options }, threads);
  return (await openBroker(running)) as unknown as ShardcastBroker;
}

/** A broker with every door open, whose shards' threads run a file of the test's; stopped after the test. */
export async function brokerOn(shardUrl: URL, options: Partial<BrokerOptions>): Promise<ShardcastBroker> {
  const broker = await start(options, shardUrl);
  closeAfterTest(() => broker.stop());
  return broker;
}

/**
 * One broker in this process for all tests of the enclosing describe, with every door open: to start one takes up to half a second of a core.
 * Nobody is connected to it and nothing is subscribed when a test begins; what it remembers beyond that is kept apart by names.
 *
 * @param shardUrl the file that its shards' threads run
 */
export function useResident(
  options: Partial<BrokerOptions>,
  shardUrl?: URL,
): { readonly broker: ShardcastBroker; readonly port: number } {
  let broker: ShardcastBroker;
  beforeAll(async () => {
    broker = await start(options, shardUrl);
  });
  beforeEach(() => atRest(broker));
  afterAll(() => broker.stop());
  return {
    get broker() {
      return broker;
    },
    get port() {
      return Number(new URL(broker.ports.nats[0]!).port);
    },
  };
}

/** Waits until all that the test before has closed is gone everywhere: what it has left open is an error of that test. */
async function atRest(broker: ShardcastBroker): Promise<void> {
  let seen: readonly ShardCensus[] = [];
  const rests = async (): Promise<void> => {
    do seen = await broker.census();
    while (seen.some(({ connections, interest }) => connections + interest > 0));
  };
  await orHang('the end of what the test before has opened', () => JSON.stringify(seen), rests());
}
