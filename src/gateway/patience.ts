import { stopAllowanceMs } from '../base/limits.js';
import type { Connection } from './connection.js';

/**
 * Whether it is worth waiting for a connection that is behind: it has taken something since publishers first waited for it, or
 * they have not waited long. What it has used up of that only progress gives back.
 */
export function isWaitable({ state, waitedSinceMs }: Connection, nowMs: number): boolean {
  return state === 'open' && !(nowMs - waitedSinceMs >= stopAllowanceMs);
}

/** Publishers wait for a connection. */
export function noteWaited(connection: Connection, nowMs: number): void {
  if (Number.isNaN(connection.waitedSinceMs)) connection.waitedSinceMs = nowMs;
}

/** A connection has taken something. */
export function noteProgress(connection: Connection): void {
  connection.waitedSinceMs = Number.NaN;
}
