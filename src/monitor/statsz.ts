import { availableParallelism } from 'node:os';
import { accountNames, statisticsOf } from './accounts.js';
import { cpuPercent } from './cpu.js';
import { timeOf } from './goText.js';
import { jetStreamConfig, jetStreamLimits, jetStreamStats } from './jetStream.js';
import { type Sources, totals } from './sources.js';

/** How a server is, in short: what it tells everybody who asks who is there, and now and then by itself. */
export async function statsz(sources: Sources): Promise<object> {
  const { facts, tallies, connections } = sources;
  const { inMessages, inBytes, outMessages, outBytes, slowConsumers, staleConnections } = tallies;
  const sent = { msgs: outMessages, bytes: outBytes };
  const received = { msgs: inMessages, bytes: inBytes };
  const { store_dir: _, ...config } = jetStreamConfig(facts);
  return {
    start: timeOf(facts.startMs),
    mem: process.memoryUsage.rss(),
    cores: availableParallelism(),
    cpu: cpuPercent(),
    connections,
    total_connections: tallies.accepted,
    active_accounts: accountNames(sources).filter((name) => statisticsOf(sources, name).conns > 0).length,
    subscriptions: tallies.subscribed - tallies.unsubscribed,
    sent,
    sent_to_clients: sent,
    received,
    received_from_clients: received,
    slow_consumers: slowConsumers,
    ...(slowConsumers > 0 ? { slow_consumer_stats: byKind(slowConsumers) } : {}),
    ...(staleConnections > 0
      ? { stale_connections: staleConnections, stale_connection_stats: byKind(staleConnections) }
      : {}),
    active_servers: 1,
    jetstream: { config, stats: jetStreamStats(await totals(sources)), limits: jetStreamLimits },
    gomaxprocs: facts.options.shards,
  };
}

function byKind(clients: number): object {
  return { clients, routes: 0, gateways: 0, leafs: 0 };
}
