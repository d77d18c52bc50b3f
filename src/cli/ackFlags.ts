import type { PolicyName } from '../base/policy.js';
import { usageError } from './exit.js';

/** What somebody asks for who acknowledges messages once they are printed, or loses some to a policy. */
export interface AckFlags {
  readonly prefetch?: number;
  readonly maxDeliver?: number;
  readonly ackWait?: number;
  readonly deadLetter?: string;
  readonly durable?: string;
  readonly policy?: PolicyName;
}

/** @throws CliError for what is asked of nobody who would do it */
export function checkAckFlags({ prefetch, durable, policy, maxDeliver, ackWait, deadLetter }: AckFlags): void {
  const acknowledges = prefetch !== undefined || durable !== undefined;
  if ((maxDeliver !== undefined || ackWait !== undefined) && !acknowledges)
    throw usageError('--max-deliver and --ack-wait need --prefetch or --durable');
  if (deadLetter === undefined) return;
  if (durable !== undefined || (prefetch === undefined && policy === undefined))
    throw usageError('--dead-letter needs --prefetch, or a --policy that drops messages');
  if (policy === 'block') throw usageError('--dead-letter is not for --policy block, which drops nothing');
}
