import type { Span } from '../base/span.js';
import type { DeliveryHead, DeliveryMark } from './deliveryHead.js';
import type { ClientInfo, ServerInfo } from './info.js';

/** How the broker speaks to the clients of a door: everything it says that is no delivery, and the form of deliveries. */
export interface Dialect {
  /** Connections of different names never share the bytes of a delivery. */
  readonly name: string;
  /** What a client is told first and whenever the server's state changes; null where nothing is said. */
  greeting(server: ServerInfo, client: ClientInfo): Uint8Array | null;
  /** @param requestId what the client called the command that failed, if it did */
  error(text: string, requestId: string | null): Uint8Array;
  ok(requestId: string | null): Uint8Array;
  pong(requestId: string | null): Uint8Array;
  /** Asks whether the client is still there; null where the protocol has no such question. */
  readonly ping: Uint8Array | null;
  /** @param mark what every delivery is marked with that has to be acknowledged; null for a subscription that does not */
  head(subject: Uint8Array, sid: string, mark: DeliveryMark | null): DeliveryHead;
  /** What a delivery that is encoded, `span[start, end)`, has of a message's headers and payload, in bytes. */
  messageBytes(span: Span, start: number, end: number): number;
  /** Whether deliveries are text, in which every byte of a message is looked at. */
  readonly textual: boolean;
  /** Whether deliveries can show the mark. */
  readonly marks: boolean;
  /**
   * Tells a subscription, in order with its deliveries, that it lost messages because it was slow; null when it cannot be told.
   *
   * @param subject what it subscribed to
   * @param policy the policy by which they were lost
   */
  lossNotice(subject: Uint8Array, sid: string, lost: number, policy: string, headers: boolean): Uint8Array | null;
}
