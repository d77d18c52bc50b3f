import type { StreamConfig } from './streamConfig.js';

/** What bounds a stream, as numbers to compare with; without a limit infinite. */
export interface StreamLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Whether what is over these two goes: a stream that discards what is new may keep it. */
  readonly discardsOld: boolean;
  readonly ageUs: number;
  readonly perSubjectMax: number;
  /** Headers and payload. */
  readonly messageBytesMax: number;
  readonly windowUs: number;
}

const nanosecondsPerUs = 1000;

export function limitsOf(config: StreamConfig): StreamLimits {
  return {
    messagesMax: limit(config.max_msgs),
    bytesMax: limit(config.max_bytes),
    discardsOld: config.discard === 'old',
    ageUs: limit(config.max_age) / nanosecondsPerUs,
    perSubjectMax: limit(config.max_msgs_per_subject),
    messageBytesMax: limit(config.max_msg_size),
    windowUs: Number(config.duplicate_window) / nanosecondsPerUs,
  };
}

function limit(value: bigint): number {
  return value <= 0n ? Number.POSITIVE_INFINITY : Number(value);
}

/** What a message counts for `max_bytes` and in a stream's state, as nats-server counts it for that storage. */
export function countedBytes(
  config: StreamConfig,
  subjectBytes: number,
  headerBytes: number,
  payloadBytes: number,
): number {
  if (config.storage === 'memory') return 16 + subjectBytes + headerBytes + payloadBytes;
  return 30 + subjectBytes + payloadBytes + (headerBytes > 0 ? 4 + headerBytes : 0);
}
