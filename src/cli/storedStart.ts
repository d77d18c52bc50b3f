import { InvalidArgumentError } from 'commander';
import { parseDurationMs } from '../options/units.js';
import type { ConsumerConfigJson } from '../protocol/streamApi/consumerJson.js';
import { isInstant } from './flags.js';

/** Where reading a stream begins, as a consumer's configuration says it. */
export type StoredStart = Pick<ConsumerConfigJson, 'deliver_policy' | 'opt_start_seq' | 'opt_start_time'>;

const named: Readonly<Record<string, StoredStart>> = {
  all: { deliver_policy: 'all' },
  // as `--last` has it: of each subject
  last: { deliver_policy: 'last_per_subject' },
  new: { deliver_policy: 'new' },
};

/** Reads `all`, `last`, `new`, a sequence, a time or how long ago, for commander. */
export function parseReplay(text: string): StoredStart {
  const policy = Object.hasOwn(named, text) ? named[text] : undefined;
  if (policy !== undefined) return policy;
  const sequence = Number(text);
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(sequence)) return startAt(sequence);
  if (isInstant(text)) return { deliver_policy: 'by_start_time', opt_start_time: text };
  const agoMs = parseDurationMs(text);
  if (agoMs !== null && agoMs > 0 && agoMs < Date.now())
    return { deliver_policy: 'by_start_time', opt_start_time: new Date(Date.now() - agoMs).toISOString() };
  throw new InvalidArgumentError(
    'It must be all, last, new, a sequence, a time such as 2026-01-31T12:00:00Z, or 10m (ago).',
  );
}

export function startAt(sequence: number): StoredStart {
  return { deliver_policy: 'by_start_sequence', opt_start_seq: sequence };
}
