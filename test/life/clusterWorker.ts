import cluster from 'node:cluster';
import { startBroker } from 'shardcast';

/**
 * Run by itself: two workers of a cluster start a broker on one port, one after the other, and say what came of it, a line each. Shared
 * by the cluster, the port would have two brokers behind it that know nothing of each other.
 */
async function primary(): Promise<void> {
  const start = (port: number): Promise<{ port: number; told: string }> =>
    new Promise((resolve) => cluster.fork({ WANTED: port }).once('message', resolve));
  const first = await start(0);
  const second = await start(first.port);
  console.log(first.told);
  console.log(second.told);
  process.exit(0);
}

async function worker(): Promise<void> {
  const wanted = Number(process.env.WANTED);
  try {
    const broker = await startBroker({ port: wanted, shards: 1, logLevel: 'silent' });
    process.send?.({ port: Number(new URL(broker.ports.nats[0]!).port), told: 'listens' });
  } catch (error) {
    process.send?.({ port: wanted, told: (error as NodeJS.ErrnoException).code });
  }
}

await (cluster.isPrimary ? primary() : worker());
