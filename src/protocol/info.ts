/** What `INFO` tells a client, in NATS's names. */
export interface ServerInfo {
  server_id: string;
  server_name: string;
  /** The level of NATS that this broker speaks, which clients compare with what a feature needs. */
  version: string;
  /** The version of Shardcast itself. */
  shardcast: string;
  proto: 1;
  host: string;
  port: number;
  headers: true;
  max_payload: number;
  auth_required?: true;
  connect_urls?: string[];
  ldm?: true;
}

/** What `INFO` adds for the connection that reads it. */
export interface ClientInfo {
  client_id: number;
  client_ip: string;
}

/** Level of NATS spoken. */
export const natsVersion = '2.10.0';

export function infoLine(server: ServerInfo, client: ClientInfo): string {
  return `INFO ${JSON.stringify({ ...server, ...client })}\r\n`;
}
