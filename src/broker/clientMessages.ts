import type { EndpointData, EndpointSettings } from '../client/endpoint.js';
import type { PeerMemory } from '../exchange/memory.js';

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
  | { type: 'reload'; settings: EndpointSettings }
  | { type: 'stopPublishing' }
  | { type: 'askQuiet' }
  | { type: 'close' };
