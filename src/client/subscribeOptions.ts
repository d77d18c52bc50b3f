import { bufferMessagesDefault } from '../base/limits.js';
import {
  type PolicyName,
  parsePolicy,
  policyBytesDefault,
  policyMessagesMax,
  type SlowPolicy,
} from '../base/policy.js';
import type { OnError } from './consumers.js';
import { ArgumentError } from './errors.js';
import type { OnDrop } from './subscription.js';

/** A group whose members share its messages. */
export type Group = string | { readonly name: string; readonly orderedBy?: 'key' };

/** How a subscription wants to be treated. */
export interface SubscribeOptions {
  /** Ends the subscription when aborted; what is buffered is still given. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What happens when more waits than may: `block` (default) makes the topic's publishers wait and loses nothing,
   * `drop-new`, `drop-old`, `conflate` (keeps the latest a subject or key), `disconnect` (ends the subscription).
   */
  readonly policy?: PolicyName | undefined;
  /** Most messages that may wait, 1,024 by default. */
  readonly bufferCount?: number | undefined;
  /** Most bytes that may wait, payloads with headers, 8 MiB by default. */
  readonly maxBytes?: number | undefined;
  /** Of `disconnect`: messages that may be lost in a row, 0 by default. */
  readonly maxDrops?: number | undefined;
  /** Of `conflate`: what has one latest message, `subject` (default) or `key`. */
  readonly by?: 'subject' | 'key' | undefined;
  /** Each message goes to one member of the group; with `orderedBy: 'key'` those of one key to the same. */
  readonly group?: Group | undefined;
  /** Of a group's member: most messages in its hands that it has not acknowledged with `ack()`; without it, no limit. */
  readonly prefetch?: number | undefined;
  /** Whether it first gets the last message of each subject that it takes, where those are kept (`lastValue`); not for groups. */
  readonly last?: boolean | undefined;
  /** Told of losses, once a turn at most: messages lost since the last time, and in all. */
  readonly onDrop?: OnDrop | undefined;
}

/** Of a subscription with a handler. */
export interface HandlerOptions<T> extends SubscribeOptions {
  /** Told what the handler throws or rejects with; without it that is an uncaught exception. The subscription goes on. */
  readonly onError?: OnError<T> | undefined;
}

/** @throws ArgumentError */
export function policyOf(options: SubscribeOptions): SlowPolicy {
  const {
    policy = 'block',
    bufferCount = bufferMessagesDefault,
    maxBytes = policyBytesDefault,
    maxDrops,
    by,
  } = options;
  const parsed = parsePolicy({ policy, maxMessages: bufferCount, maxBytes, maxDrops, by });
  if (parsed === null || typeof parsed === 'string')
    throw new ArgumentError((parsed ?? 'no policy').replace('maxMessages', 'bufferCount'));
  return parsed;
}

/**
 * The name of a group's queue, '' for none.
 *
 * @throws ArgumentError
 */
export function queueOf(group: Group | undefined): string {
  if (group === undefined) return '';
  const name = typeof group === 'string' ? group : group.name;
  const orderedBy = typeof group === 'string' ? undefined : group.orderedBy;
  if (typeof name !== 'string' || !/^[^\s\p{Cc}]+$/u.test(name))
    throw new ArgumentError('the name of a group must be a text without spaces');
  if (orderedBy !== undefined && orderedBy !== 'key') throw new ArgumentError('a group can be ordered by key only');
  return Buffer.from(orderedBy === 'key' ? `${name}@key` : name).toString('latin1');
}

/** @throws ArgumentError */
export function prefetchOf({ prefetch, group }: SubscribeOptions): number {
  if (prefetch === undefined) return 0;
  if (group === undefined) throw new ArgumentError('prefetch is for members of a group');
  if (!Number.isInteger(prefetch) || prefetch < 1 || prefetch > policyMessagesMax)
    throw new ArgumentError(`prefetch must be a whole number from 1 to ${policyMessagesMax}`);
  return prefetch;
}
