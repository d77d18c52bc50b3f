import { type AckTerms, defaultTerms } from '../base/ackTerms.js';
import { ackWaitMsDefault, ackWaitMsMax, bufferMessagesDefault } from '../base/limits.js';
import {
  type PolicyName,
  parsePolicy,
  policyBytesDefault,
  policyMessagesMax,
  type SlowPolicy,
} from '../base/policy.js';
import { readTerms, whyNoDrops } from '../protocol/workTerms.js';
import { keyedSuffix } from '../router/queueNames.js';
import { checkFunction, checkNames, checkSignal, type Names } from './checks.js';
import { ArgumentError } from './errors.js';
import type { OnDrop, OnError } from './handlers.js';
import { storedTermsOf } from './streams/storedOptions.js';

/** A group whose members share its messages. */
export type Group = string | { readonly name: string; readonly orderedBy?: 'key' };

const groupNames: Names<Exclude<Group, string>> = { name: true, orderedBy: true };

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
  /** Of a group's member: most messages that it has, and has not acknowledged with `ack()`; without it, no limit. With `durable` 64 by default. */
  readonly prefetch?: number | undefined;
  /**
   * Reads what a stream has of the topic, by this name: who uses it again goes on where it left off, whichever side has crashed. A handler's end
   * acknowledges the message, and so does an iterator that asks for the next one.
   */
  readonly durable?: string | undefined;
  /** Where reading a stream begins: without `durable`, for this subscription alone; with it, when the name is new, `new` by default. */
  readonly replay?: 'all' | 'last' | 'new' | number | Date | undefined;
  /** How many times as fast as they came messages come; as fast as it can be by default. */
  readonly speed?: number | undefined;
  /** Of which stream, where several take the topic. */
  readonly stream?: string | undefined;
  /** With `prefetch` or `durable`: how often a message is delivered; without limit by default. */
  readonly maxDeliver?: number | undefined;
  /**
   * Where what nobody is to have goes, with headers that say why: with `prefetch` what was terminated, or delivered `maxDeliver` times; with a policy
   * that drops messages these.
   */
  readonly deadLetter?: string | undefined;
  /** With `prefetch` or `durable`: how long a message may be in flight without any sign from it, in milliseconds; 30 seconds by default. */
  readonly ackWaitMs?: number | undefined;
  /** Whether it first gets the last message of each subject that it takes, where those are kept (`lastValue`); not for groups. */
  readonly last?: boolean | undefined;
  /** Told of losses, once a turn at most: messages lost since the last time, and in all. */
  readonly onDrop?: OnDrop | undefined;
}

/** Of a subscription with a handler. */
export interface HandlerOptions<T> extends SubscribeOptions {
  /**
   * Told what the handler throws or rejects with; the subscription goes on. Without it that is an uncaught exception, but for
   * messages whose `value` cannot be read, which anybody can send: those are counted (`unreadable`), and the first is a
   * warning of the process. So is the first failure with `prefetch` (`failed`): its message comes again.
   */
  readonly onError?: OnError<T> | undefined;
}

const subscribeOptionNames: Names<SubscribeOptions> = {
  signal: true,
  policy: true,
  bufferCount: true,
  maxBytes: true,
  maxDrops: true,
  by: true,
  group: true,
  prefetch: true,
  durable: true,
  replay: true,
  speed: true,
  stream: true,
  maxDeliver: true,
  deadLetter: true,
  ackWaitMs: true,
  last: true,
  onDrop: true,
};
export const handlerOptionNames: Names<HandlerOptions<unknown>> = { ...subscribeOptionNames, onError: true };

/** @throws ArgumentError for options that there are not, or of a wrong kind */
export function checkSubscribeOptions(options: SubscribeOptions, handled: boolean): void {
  checkNames(options, handled ? handlerOptionNames : subscribeOptionNames);
  const { signal, onDrop, onError, last } = options as HandlerOptions<unknown>;
  checkSignal(signal);
  if (onDrop !== undefined) checkFunction(onDrop, 'onDrop');
  if (onError !== undefined) checkFunction(onError, 'onError');
  if (last !== undefined && typeof last !== 'boolean') throw new ArgumentError('last must be true or false');
  policyOf(options);
  queueOf(options.group);
  // these have their own prefetch
  if (storedTermsOf(options) === null) prefetchOf(options);
  handTermsOf(options);
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
  if (typeof group !== 'string') checkNames(group, groupNames, 'group');
  const { name, orderedBy } = typeof group === 'string' ? { name: group } : group;
  if (typeof name !== 'string' || !/^[^\s\p{Cc}]+$/u.test(name))
    throw new ArgumentError('the name of a group must be a text without spaces');
  if (orderedBy !== undefined && orderedBy !== 'key') throw new ArgumentError('a group can be ordered by key only');
  return Buffer.from(orderedBy === 'key' ? `${name}@key` : name).toString('latin1');
}

/** @throws ArgumentError */
export function prefetchOf({ prefetch, group, policy }: SubscribeOptions): number {
  if (prefetch === undefined) return 0;
  if (group === undefined) throw new ArgumentError('prefetch is for members of a group');
  if (!Number.isInteger(prefetch) || prefetch < 1 || prefetch > policyMessagesMax)
    throw new ArgumentError(`prefetch must be a whole number from 1 to ${policyMessagesMax}`);
  if (queueOf(group).endsWith(keyedSuffix)) throw new ArgumentError('prefetch is not for a group ordered by key');
  if (policy !== undefined && policy !== 'block') throw new ArgumentError('prefetch and a policy exclude each other');
  return prefetch;
}

/** @throws ArgumentError */
export function ackWaitOf({ ackWaitMs, prefetch, durable }: SubscribeOptions): number {
  if (ackWaitMs === undefined) return ackWaitMsDefault;
  if (prefetch === undefined && durable === undefined)
    throw new ArgumentError('ackWaitMs is for members with a prefetch');
  if (!Number.isInteger(ackWaitMs) || ackWaitMs < 1 || ackWaitMs > ackWaitMsMax)
    throw new ArgumentError(`ackWaitMs must be a whole number from 1 to ${ackWaitMsMax}`);
  return ackWaitMs;
}

/**
 * What a member of a group, or whoever loses messages to a policy, has asked for.
 *
 * @throws ArgumentError
 */
export function handTermsOf(options: SubscribeOptions): AckTerms {
  const ackWaitMs = ackWaitOf(options);
  const { maxDeliver, deadLetter, prefetch, durable } = options;
  // these have their own
  if (durable !== undefined) return { ...defaultTerms, ackWaitMs };
  if (maxDeliver !== undefined && prefetch === undefined)
    throw new ArgumentError('maxDeliver is for members with a prefetch, and for what reads a stream: say durable');
  const wrong = deadLetter === undefined || prefetch !== undefined ? null : whyNoDrops(policyOf(options));
  if (wrong !== null) throw new ArgumentError(`deadLetter is for members with a prefetch, and for policies that drop`);
  const terms = readTerms({ ackWaitMs, maxDeliver, deadLetter });
  if (typeof terms === 'string') throw new ArgumentError(terms);
  return terms;
}
