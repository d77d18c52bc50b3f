import { accountName } from '../base/account.js';

/** What `INFO` tells a client, in NATS's names. */
export interface ServerInfo {
  server_id: string;
  server_name: string;
  /** The level of NATS that this broker speaks, which clients compare with what a feature needs. */
  version: string;
  /** The version of Shardcast itself. */
  shardcast: string;
  proto: 1;
  /** What the broker runs on; nats-server names its Go here, and some clients fail without the field. */
  go: string;
  /** Where clients reach the broker: as it listens, or as `client_advertise` says. */
  host: string;
  port: number;
  headers: true;
  auth_required?: true;
  max_payload: number;
  /** Level of the JetStream API. */
  api_lvl: typeof apiLevel;
  /** Whether there are streams. */
  jetstream: true;
  /** Of the JetStream API. */
  domain?: string;
  /** A public X25519 key of this process, as an nkey. Nothing is encrypted to it: that is what NATS's auth callout does. */
  xkey: string;
  connect_urls?: string[];
  ldm?: true;
}

/** What `INFO` adds for the connection that reads it. */
export interface ClientInfo {
  client_id: number;
  client_ip: string;
  /** Of the one that answers CONNECT, directly behind the first PONG. */
  connect_info?: true;
  /** Account that CONNECT has led to, by NATS's name. */
  remote_account?: string;
}

/** Level of NATS spoken, and of its JetStream API. */
export const natsVersion = '2.15.1';
export const apiLevel = 5;

/** Lowest `protocol` in CONNECT of a client that takes an INFO at any time after its first PONG. */
export const asyncInfoProtocol = 1;

/** What a client is told of itself once its CONNECT has been taken. */
export function connectInfo(account: number): Pick<ClientInfo, 'connect_info' | 'remote_account'> {
  return { connect_info: true, remote_account: accountName(account) };
}

export function infoLine(server: ServerInfo, client: ClientInfo): string {
  return `INFO ${JSON.stringify({ ...server, ...client })}\r\n`;
}

/** Whether clients that know one of them learn nothing from the other. */
export function sameInfo(one: ServerInfo, other: ServerInfo): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
