/** What a gateway needs to know; the limits may change by a reload. Names and units as in the broker's options. */
export interface GatewayLimits {
  maxControlLineBytes: number;
  maxPayloadBytes: number;
  maxPendingBytes: number;
  /** What waits for every subscriber of a topic when it counts as full. */
  topicBufferBytes: number;
  /** How long publishers of a topic are held up in any minute for those that ask for it; 0 is never. */
  blockMaxMs: number;
  /** Whether a subscription to a pattern that begins with a wildcard may hold publishers up. */
  allowBlock: boolean;
  /** Whether messages for a connection that lags are dropped, in place of publishers waiting for it. */
  noFastProducerStall: boolean;
  /** Subscriptions a connection; 0 is without limit. */
  maxSubscriptions: number;
  /** What all subscriptions that a thread knows may take of its heap. */
  subscriptionMemoryBytes: number;
  authTimeoutMs: number;
  pingIntervalMs: number;
  pingMax: number;
  writeDeadlineMs: number;
  /** How long deliveries are held back to be sent together, in microseconds; 0 not at all. */
  lingerUs: number;
  /** A subscription that loses much is named in the log once in so much time. */
  lossWindowMs: number;
}

/** What holds for WebSocket connections only. */
export interface WebSocketSettings {
  /** Whether clients may compress what they send. */
  compression: boolean;
  /** Origins of the web pages that may connect; empty lets all. */
  origins: readonly string[];
}

/** Who may come in; all null lets everybody in. A password may be a bcrypt hash. */
export interface Credentials {
  user: string | null;
  pass: string | null;
  token: string | null;
}
