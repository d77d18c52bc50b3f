import type { MessagePort } from 'node:worker_threads';
import type { Credentials } from '../gateway/options.js';
import type { Facts } from '../monitor/sources.js';

/** What may change while the monitor runs. */
export interface MonitorSettings {
  readonly facts: Facts;
  readonly credentials: Credentials;
}

/** What the monitor's thread is started with. */
export interface MonitorData extends MonitorSettings {
  readonly host: string;
  /** null where it does not listen, and answers in the system account alone. */
  readonly port: number | null;
  /** The ways to the shards. */
  readonly shards: readonly MessagePort[];
  readonly tallies: SharedArrayBuffer;
  /** Connections by gateway. */
  readonly load: SharedArrayBuffer;
  /** Passwords known to be right. */
  readonly passwords: SharedArrayBuffer;
}

/** From the main thread to the monitor's; before these it is sent its `MonitorData`. */
export type ToMonitor = { readonly type: 'settings'; readonly settings: MonitorSettings } | { readonly type: 'exit' };

/** So many requests gave wrong credentials since this was told last; the last one came from there. */
export interface WrongCredentials {
  readonly type: 'wrongCredentials';
  readonly remoteAddress: string;
  readonly refused: number;
}

/** Whether the monitor listens: the first thing that it tells. */
export type MonitorStarted =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'refused'; readonly code: string; readonly message: string };

/** From the monitor's thread to the main one. */
export type FromMonitor = MonitorStarted | WrongCredentials;
