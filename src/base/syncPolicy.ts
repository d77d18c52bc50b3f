import { syncIntervalMaxMs } from './limits.js';

/** When what a stream on disk has taken is brought there: before anybody is told, within so many milliseconds, or when the system does. */
export type SyncPolicy = 'always' | `interval:${number}` | 'never';

/** What says so in a stream's metadata. */
export const syncKey = 'shardcast.sync';

/** The forms of a `SyncPolicy`, for people. */
export const syncTexts: readonly string[] = ['always', `interval:<milliseconds up to ${syncIntervalMaxMs}>`, 'never'];

/** Within how many milliseconds; 0 for `always`, infinite for `never`, null for what is no such text. */
export function readSyncMs(text: string): number | null {
  if (text === 'always') return 0;
  if (text === 'never') return Number.POSITIVE_INFINITY;
  const milliseconds = Number(/^interval:([1-9]\d{0,8})$/.exec(text)?.[1] ?? Number.NaN);
  return milliseconds <= syncIntervalMaxMs ? milliseconds : null;
}
