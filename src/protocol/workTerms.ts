import { type AckTerms, defaultTerms } from '../base/ackTerms.js';
import { byteText } from '../base/bytes.js';
import { ackWaitMsMax, prefetchMessagesMax, returnsMax } from '../base/limits.js';
import type { SlowPolicy } from '../base/policy.js';
import { isInternal } from './deadLetter.js';
import { isWellFormed } from './headerBlock.js';
import { classifySubject } from './subject.js';

/** What a member of a group asks for that acknowledges what it is given. */
export interface WorkTerms {
  /** Messages that it has unacknowledged at most. */
  readonly prefetch: number;
  readonly terms: AckTerms;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields that such a member has beside `prefetch`. Every door reads the same. */
export const termNames = ['ackWaitMs', 'maxDeliver', 'deadLetter'] as const;

/** At the end of a group's name: its messages are handed out by key. */
export const keyOrderedSuffix = '@key';

/**
 * Reads what a member of a group asks for.
 *
 * @param group its queue; '' for none
 * @returns null when it asks for nothing; a text that says what is wrong
 */
export function readWork(fields: Fields, group: string): WorkTerms | null | string {
  const { prefetch } = fields;
  if (prefetch === undefined) {
    const given = termNames.find((name) => fields[name] !== undefined);
    if (given === undefined || (given === 'deadLetter' && fields.policy !== undefined)) return null;
    const others = given === 'deadLetter' ? ', or a policy that drops' : '';
    return `${given} is for members that acknowledge: give a prefetch${others}`;
  }
  const wrong = whyNoWork(group);
  if (wrong !== null) return wrong;
  if (!isWhole(prefetch, prefetchMessagesMax))
    return `prefetch must be a whole number from 1 to ${prefetchMessagesMax}`;
  const terms = readTerms(fields);
  return typeof terms === 'string' ? terms : { prefetch, terms };
}

/** Why nobody acknowledges what comes for a group; null when its members may. */
export function whyNoWork(group: string): string | null {
  if (group === '') return 'prefetch is for members of a group: give a group';
  if (!group.endsWith(keyOrderedSuffix)) return null;
  return 'prefetch is not for a group ordered by key: what one member does not acknowledge would go to another out of order';
}

/** Reads what a member asks for beside its prefetch; a text says what is wrong. */
export function readTerms(fields: Fields): AckTerms | string {
  const { ackWaitMs = defaultTerms.ackWaitMs, maxDeliver, deadLetter } = fields;
  if (!isWhole(ackWaitMs, ackWaitMsMax)) return `ackWaitMs must be a whole number from 1 to ${ackWaitMsMax}`;
  if (maxDeliver !== undefined && !isWhole(maxDeliver, returnsMax))
    return `maxDeliver must be a whole number from 1 to ${returnsMax}`;
  const wrong = deadLetter === undefined ? null : whyNoDeadLetter(deadLetter);
  if (wrong !== null) return wrong;
  return {
    ackWaitMs,
    maxDeliver: (maxDeliver as number | undefined) ?? 0,
    deadLetter: deadLetter === undefined ? '' : byteText(deadLetter as string),
  };
}

/** Why something may not be where dead letters go; null when it may. */
export function whyNoDeadLetter(subject: unknown): string | null {
  if (typeof subject !== 'string' || subject === '') return 'deadLetter must be a string that is not empty';
  if (/[\s\u0000-\u0020\u007f-\u009f]/.test(subject)) return 'deadLetter must not hold blanks or control characters';
  if (!isWellFormed(subject)) return 'deadLetter is not well-formed Unicode';
  const bytes = Buffer.from(subject);
  const kind = classifySubject(bytes, 0, bytes.length);
  if (kind === 'invalid')
    return 'deadLetter must be tokens with a dot between them; none may be empty, and > only the last';
  if (kind === 'wildcard') return 'deadLetter must not have the wildcards * and > here';
  if (isInternal(subject))
    return 'deadLetter must not be a subject of the broker itself, such as those below $SHARDCAST, $JS and $SYS';
  return null;
}

/** Why what a policy drops goes nowhere; null when it drops anything. */
export function whyNoDrops({ policy }: SlowPolicy): string | null {
  return policy === 'block' ? 'block drops nothing: deadLetter is for policies that do' : null;
}

function isWhole(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max;
}
