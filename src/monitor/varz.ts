import { availableParallelism } from 'node:os';
import { systemAccountName } from '../base/account.js';
import { nowText } from '../base/timeText.js';
import { type Answer, answerWith } from './answer.js';
import { cpuPercent } from './cpu.js';
import { ageText, nanoseconds, timeOf } from './goText.js';
import { jetStreamConfig, jetStreamLimits, jetStreamStats } from './jetStream.js';
import { type Facts, type Sources, totals } from './sources.js';

/** What no broker without peers has. */
const noRoutes = { clients: 0, routes: 0, gateways: 0, leafs: 0 };

/** `/varz`: the server as it is, and what it has done in all. */
export async function varz(sources: Sources): Promise<Answer> {
  const { facts, tallies, connections, address, requests } = sources;
  const { info, options, startMs, configuredMs } = facts;
  const summary = await totals(sources);
  const { inMessages, inBytes, outMessages, outBytes, slowConsumers, staleConnections } = tallies;
  return answerWith({
    server_id: info.server_id,
    server_name: info.server_name,
    version: info.version,
    shardcast: info.shardcast,
    proto: info.proto,
    go: info.go,
    host: options.host,
    port: info.port,
    ...(info.auth_required === true ? { auth_required: true } : {}),
    ...(info.connect_urls === undefined ? {} : { connect_urls: info.connect_urls }),
    max_connections: options.maxConnections,
    ...(options.maxSubscriptions > 0 ? { max_subscriptions: options.maxSubscriptions } : {}),
    ping_interval: nanoseconds(options.pingIntervalMs),
    ping_max: options.pingMax,
    http_host: address.host,
    http_port: address.port,
    http_base_path: '',
    https_port: 0,
    auth_timeout: options.authTimeoutMs / 1000,
    max_control_line: options.maxControlLineBytes,
    max_payload: options.maxPayloadBytes,
    max_pending: options.maxPendingBytes,
    cluster: {},
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket: webSocket(facts),
    jetstream: { config: jetStreamConfig(facts), stats: jetStreamStats(summary), limits: jetStreamLimits },
    tls_timeout: 0,
    write_deadline: nanoseconds(options.writeDeadlineMs),
    start: timeOf(startMs),
    now: nowText(),
    uptime: ageText(Date.now() - startMs),
    mem: process.memoryUsage.rss(),
    cores: availableParallelism(),
    gomaxprocs: options.shards,
    cpu: cpuPercent(),
    connections,
    total_connections: tallies.accepted,
    routes: 0,
    remotes: 0,
    leafnodes: 0,
    in_msgs: inMessages,
    in_bytes: inBytes,
    in_client_msgs: inMessages,
    in_client_bytes: inBytes,
    out_msgs: outMessages,
    out_bytes: outBytes,
    out_client_msgs: outMessages,
    out_client_bytes: outBytes,
    slow_consumers: slowConsumers,
    stale_connections: staleConnections,
    subscriptions: tallies.subscribed - tallies.unsubscribed,
    http_req_stats: Object.fromEntries(requests),
    config_load_time: timeOf(configuredMs),
    config_digest: '',
    ...(facts.hasSystem ? { system_account: systemAccountName } : {}),
    slow_consumer_stats: { ...noRoutes, clients: slowConsumers },
    stale_connection_stats: { ...noRoutes, clients: staleConnections },
    refused_connections: tallies.refused,
    auth_failures: tallies.authFailures,
    auth_timeouts: tallies.authTimeouts,
    http_auth_failures: tallies.wrongRequests,
    dropped_msgs: tallies.dropped,
    replaced_msgs: tallies.replaced,
    skipped_msgs: tallies.skipped,
    pending_bytes: summary.pendingBytes,
  });
}

function webSocket({ options, webSocketPort }: Facts): object {
  if (webSocketPort === null) return {};
  const { host, wsCompression } = options;
  return { host, port: webSocketPort, no_tls: true, ...(wsCompression ? { compression: true } : {}) };
}
