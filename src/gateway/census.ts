/** What a gateway holds at the moment: all of it comes and goes with clients, so that without any it is nothing. */
export interface GatewayCensus {
  readonly connections: number;
  /** WebSocket clients of which no connection has come yet. */
  readonly handshakes: number;
  /** Connections whose input waits. */
  readonly parked: number;
  readonly subscriptions: number;
  /** Sets of connections that are sent the same bytes; forgotten a while after their last use. */
  readonly audiences: number;
  /** Topics that subscribers hold up, because all of them are full or one asked to be waited for. */
  readonly heldTopics: number;
  /** Subscriptions that lost messages lately. */
  readonly losing: number;
  /** Images of last values that are on their way. */
  readonly images: number;
  /** What waits for connections, and for subscriptions with a policy, in bytes. */
  readonly pendingBytes: number;
  /** Memory that counts in `--memory-max`, but for chunks that are kept for reuse. */
  readonly heldBytes: number;
  readonly backlogBytes: number;
  /** What waits for members of groups to have room, or to acknowledge it, in bytes. */
  readonly workBytes: number;
}
