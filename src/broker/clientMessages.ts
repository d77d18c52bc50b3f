import type { EndpointData } from '../client/endpoint.js';
import type { EndpointSettings } from '../client/endpointSettings.js';
import type { PeerMemory } from '../exchange/memory.js';
import type { AnswerMessage, CallMessage } from './calls.js';

/** What the thread that started the broker asks of one that has connected. */
export type ClientCalls = {
  /** Another endpoint has come; answered when it will know what this thread wants. */
  join(peer: PeerMemory): void;
  /** What is not done yet, as the log has it; null when nothing is on its way, and no handler at work. */
  unrest(): string | null;
  /** Answered when its subscriptions have ended. */
  close(): void;
};

/** From a thread that connects to the one that started the broker. */
export type FromClient =
  | AnswerMessage
  | { type: 'connect' }
  /** It has closed its endpoint and is to be forgotten. */
  | { type: 'leave' };

/** From the thread that started the broker to one that has connected, or wants to. */
export type ToClient =
  | CallMessage<ClientCalls>
  | { type: 'welcome'; data: EndpointData }
  /** No endpoint is left, or the broker has stopped. */
  | { type: 'refused'; reason: string }
  /** Another endpoint has gone. */
  | { type: 'leave'; endpoint: number }
  | { type: 'reload'; settings: EndpointSettings }
  /** The broker stops: only handlers at work may still publish. */
  | { type: 'beginStop' }
  | { type: 'stopPublishing' };
