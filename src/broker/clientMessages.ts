import type { EndpointData } from '../client/endpoint.js';
import type { PeerMemory } from '../exchange/memory.js';

/** What may be changed while a client's endpoint runs. */
export interface ClientSettings {
  /** Declared topics in strict mode, else null. */
  declared: readonly string[] | null;
  /** Topics that refuse what is published while they are full. */
  refusing: readonly string[];
  maxPayloadBytes: number;
  /** Over how long losses of a subscription are counted before they are warned of. */
  lossWindowMs: number;
}

/** From a thread that connects to the one that started the broker. */
export type FromClient =
  | { type: 'connect' }
  | { type: 'joined' }
  | { type: 'quiet'; quiet: boolean }
  /** It has closed its endpoint and is to be forgotten. */
  | { type: 'leave' }
  /** Its subscriptions have ended. */
  | { type: 'closed' };

/** From the thread that started the broker to one that has connected, or wants to. */
export type ToClient =
  | { type: 'welcome'; data: EndpointData }
  /** No endpoint is left, or the broker has stopped. */
  | { type: 'refused'; reason: string }
  | { type: 'join'; peer: PeerMemory }
  | { type: 'leave'; endpoint: number }
  | { type: 'reload'; settings: ClientSettings }
  | { type: 'stopPublishing' }
  | { type: 'askQuiet' }
  | { type: 'close' };
