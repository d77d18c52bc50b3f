import { formatDurationMs } from '../options/units.js';
import { CliError } from './exit.js';

/** What is wrong when the time is over: of `count` messages so many are still to come; null when nobody counts. */
export function tooFew(left: number, count: number | undefined, timeoutMs: number): CliError | null {
  if (count === undefined) return null;
  return new CliError(`${count - left} of ${count} messages within ${formatDurationMs(timeoutMs)}`);
}
