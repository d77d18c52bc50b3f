import type { Protocol } from './protocol/codecs.js';
import type { LoadScenario } from './scenario.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** What a generator thread is started with. */
export interface ThreadTask {
  readonly role: 'publisher' | 'subscriber';
  /** The publishers or subscribers of the scenario that this thread plays. */
  readonly members: readonly number[];
  readonly endpoint: Endpoint;
  readonly scenario: LoadScenario;
  /** Shared counters, and this thread's slot in them. */
  readonly counters: SharedArrayBuffer;
  readonly slot: number;
}

/** To a generator thread, in this order. */
export type ThreadCommand =
  | { readonly kind: 'start'; readonly startNs: number; readonly measureFromNs: number; readonly measureToNs: number }
  | { readonly kind: 'stop' };

/** What a generator thread saw, sent once after `stop`. */
export interface ThreadResult {
  /** Messages accepted from each member, in the order of `members`; publishers only. */
  readonly publishedByMember: readonly number[];
  /** Connections that ended before we closed them. */
  readonly connectionsLost: number;
  /** Distinct errors the server sent or the socket met. */
  readonly errors: readonly string[];
  /** Latencies in HdrHistogram's format; subscribers at a fixed rate only. */
  readonly latencies: string | null;
}

/** From a generator thread. */
export type ThreadReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'finished'; readonly result: ThreadResult };
