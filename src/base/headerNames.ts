/** Headers that mean something to Shardcast. On the wire they are NATS headers; other doors have fields for them. */
export const headerNames = {
  /** The message's key: what a key-ordered group and `conflate` by key go by. */
  key: 'Shardcast-Key',
  /** On a notice to a subscriber: how many messages it lost since the last notice. */
  dropped: 'Shardcast-Dropped',
  /** On the same notice: the policy by which they were lost. */
  policy: 'Shardcast-Policy',
  /** On a delivery of a NATS client that has to be acknowledged: the reply that its publisher named. */
  reply: 'Shardcast-Reply',
  correlationId: 'Correlation-Id',
  /** W3C Trace Context. */
  traceparent: 'traceparent',
} as const;
