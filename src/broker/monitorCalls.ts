import type { Page, ShardSummary, WalkName, Walks } from '../base/reports.js';

/** What the monitor asks of a shard's thread. */
export type MonitorCalls = {
  summary(): ShardSummary;
  /** Names of a stream's consumers; null when there is no such stream. */
  consumersOf(stream: string): readonly string[] | null;
  /** Begins to tell of something: answered with the first page. @param number the monitor's own for it */
  walk(number: number, name: WalkName, asked: Walks[WalkName]['asked']): Page;
  /** The next page of what was begun. */
  more(number: number): Page;
  /** No more of it is wanted. */
  leave(number: number): void;
};
