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

/** An order of 300 messages with two subjects in turn, unless said otherwise. */
export function orderOf(shard: number, name: string, change: Partial<ConsumerOrder> = {}): ConsumerOrder {
  return {
    type: 'consume',
    shard,
    name,
    address: `_INBOX.${name}`,
    subjects: ['orders.new', 'orders.paid.eu'],
    count: 300,
    payloadBytes: 40,
    headers: '',
    perTurn: 32,
    ...change,
  };
}

/** A consumer has found no room, for the first time. */
export interface Waits {
  readonly type: 'waits';
  readonly name: string;
}

/** What became of a consumer's messages. */
export interface Consumed {
  readonly type: 'consumed';
  readonly name: string;
  /** Messages that were sent again, since nobody had taken them. */
  readonly redelivered: number;
}

export type OnChannel = ConsumerOrder | Waits | Consumed;

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
