/** What one thread's end of the broker holds at the moment. */
export interface EndpointCensus {
  /** Subscriptions of this thread that have not ended. */
  readonly subscriptions: number;
  /** Subscription subjects of the whole broker, and names of queue groups, as this thread knows them. */
  readonly interest: number;
  readonly queues: number;
  /** Topics that it remembers; forgotten a while after their last use. */
  readonly topics: number;
  /** Topics whose publishers wait for subscriptions of this thread. */
  readonly blocked: number;
  /** Publishes that wait for room or for somebody to be done, and requests without an answer. */
  readonly publishing: number;
  readonly synchronous: number;
  /** Dead letters that were denied, and for which there was no room, since the start. */
  readonly lettersDenied: number;
  readonly lettersLost: number;
  readonly requests: number;
  /** Other endpoints that it has lanes to. */
  readonly peers: number;
}
