/** A consumer that a test asks for: so many numbered messages, message `i` under `subjects[i % subjects.length]`. */
export interface ConsumerOrder {
  readonly type: 'consume';
  readonly shard: number;
  readonly name: string;
  readonly address: string;
  readonly subjects: readonly string[];
  readonly count: number;
  readonly payloadBytes: number;
  readonly headers: string;
  /** Messages that it sends in a turn. */
  readonly perTurn: number;
}

/** What became of a consumer's messages. */
export interface Consumed {
  readonly type: 'consumed';
  readonly name: string;
  /** Messages that were sent again, since nobody had taken them. */
  readonly redelivered: number;
}

/** Every message's headers, and payload: its number, filled up. */
export function contentOf({ headers, payloadBytes }: ConsumerOrder, sequence: number): string {
  return `${headers}${String(sequence).padEnd(payloadBytes, '.')}`;
}

/** When a stream would have got a message: seconds and nanoseconds. */
export const timeOf = (sequence: number): readonly [number, number] => [
  1_700_000_000 + sequence,
  (sequence * 7919) % 1_000_000_000,
];

/** Names the channel by which a test and its shards' threads reach each other; threads have it from the one that starts them. */
export const channelVariable = 'SHARDCAST_TEST_CONSUMERS';
