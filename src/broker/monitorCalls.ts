import { type PackedConnections, packConnections, unpackConnections } from '../base/packedConnections.js';
import type { ConnectionReport, Page, ShardSummary, WalkName, Walks } from '../base/reports.js';
import type { ShardStatistics } from '../base/statistics.js';

/** A page as it is posted: connections that are open are packed. */
export interface PostedPage extends Page {
  readonly packed: PackedConnections | null;
}

/** What the monitor asks of a shard's thread. */
export type MonitorCalls = {
  summary(): ShardSummary;
  statistics(): ShardStatistics;
  /** Names of a stream's consumers; null when there is no such stream. */
  consumersOf(stream: string): readonly string[] | null;
  /** Begins to tell of something: answered with the first page. @param number the monitor's own for it */
  walk(number: number, name: WalkName, asked: Walks[WalkName]['asked']): PostedPage;
  /** The next page of what was begun. */
  more(number: number): PostedPage;
  /** No more of it is wanted. */
  leave(number: number): void;
};

/** What a shard asks of the monitor. */
export type SystemCalls = {
  /** The answer to a request in the system account; null where there is none to be given. */
  systemAnswer(subject: string, body: string): Uint8Array | null;
  /** What the server tells of itself. */
  statsz(): Uint8Array;
};

export function postedPage(name: WalkName, page: Page): PostedPage {
  if (name !== 'connections') return { ...page, packed: null };
  const rows = page.rows as readonly ConnectionReport[];
  const packed = packConnections(rows.filter(({ end }) => end === null));
  return { ...page, rows: rows.filter(({ end }) => end !== null), packed };
}

export function receivedPage({ packed, ...page }: PostedPage): Page {
  return packed === null ? page : { ...page, rows: [...unpackConnections(packed), ...page.rows] };
}
