import type { StoredReading } from './streamApi/storedReading.js';

/** What a line of JSON asks for of a durable subscription. */
export interface JsonDurable {
  /** Of the consumer. */
  readonly name: string;
  /** '' for the one that takes the topic. */
  readonly stream: string;
  readonly prefetch: number;
  readonly reading: Omit<StoredReading, 'subjects'>;
}
