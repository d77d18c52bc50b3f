import { InvalidArgumentError } from 'commander';
import { parseDurationMs } from '../options/units.js';
import { readStart, type StoredStart, startSince } from '../protocol/streamApi/storedReading.js';

/** Reads `all`, `last`, `new`, a sequence, a time or how long ago, for commander. */
export function parseReplay(text: string): StoredStart {
  const start = readStart(text);
  if (start !== null) return start;
  const agoMs = parseDurationMs(text);
  if (agoMs !== null && agoMs > 0 && agoMs < Date.now()) return startSince(new Date(Date.now() - agoMs).toISOString());
  throw new InvalidArgumentError(
    'It must be all, last, new, a sequence, a time such as 2026-01-31T12:00:00Z, or 10m (ago).',
  );
}
