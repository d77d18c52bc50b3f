import type { ServerInfo } from './info.js';

/** What nats-server sets in `flags` where there are streams. */
const jetStreamFlag = 1;

/**
 * The server as nats-server describes itself in what its system account says, in that order.
 *
 * @param seq how many of them whoever describes it has made
 */
export function serverFields({ server_name, host, server_id, domain, version, jetstream }: ServerInfo, seq: number) {
  const time = new Date().toISOString();
  return { name: server_name, host, id: server_id, domain, ver: version, jetstream, flags: jetStreamFlag, seq, time };
}
