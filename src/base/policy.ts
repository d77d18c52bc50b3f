/** What becomes of messages for a subscription that is behind. */
export const policyNames = ['disconnect', 'drop-new', 'drop-old', 'block', 'conflate'] as const;
export type PolicyName = (typeof policyNames)[number];

/** How a subscription wants to be treated when it is slow. Every door asks for the same, each in its own way. */
export interface SlowPolicy {
  readonly policy: PolicyName;
  /** Messages that may wait for the subscription before the policy acts. */
  readonly maxMessages: number;
  /** Bytes that may wait for the subscription before the policy acts. */
  readonly maxBytes: number;
  /** Of `disconnect`: messages lost in a row after which the connection ends; 0 ends it at the first. */
  readonly maxDrops: number;
  /** Of `conflate`: what has one latest message, a subject or a key within a subject (no key: the subject). */
  readonly by: 'subject' | 'key';
}

const policyMessagesDefault = 65_536;
export const policyBytesDefault = 8 * 1024 * 1024;
export const policyMessagesMax = 16 * 1024 * 1024;
export const policyBytesMax = 1024 * 1024 * 1024;

/** Names of what may be asked, in every door's JSON and in the options of the in-process API. */
const fieldNames = ['policy', 'maxMessages', 'maxBytes', 'maxDrops', 'by'];

/**
 * Reads a policy from the fields of a JSON object; fields that are no part of a policy are left to the caller.
 *
 * @returns the policy; null when none is asked for; a text that says what is wrong
 */
export function parsePolicy(fields: Readonly<Record<string, unknown>>): SlowPolicy | null | string {
  if (fieldNames.every((name) => fields[name] === undefined)) return null;
  const { policy, by = 'subject' } = fields;
  if (!policyNames.includes(policy as PolicyName)) return `policy must be one of ${policyNames.join(', ')}`;
  if (by !== 'subject' && by !== 'key') return 'by must be subject or key';
  const wrong =
    outOfBounds(fields, 'maxMessages', 1, policyMessagesMax) ??
    outOfBounds(fields, 'maxBytes', 1, policyBytesMax) ??
    outOfBounds(fields, 'maxDrops', 0, policyMessagesMax);
  if (wrong !== null) return wrong;
  return {
    policy: policy as PolicyName,
    maxMessages: (fields.maxMessages as number | undefined) ?? policyMessagesDefault,
    maxBytes: (fields.maxBytes as number | undefined) ?? policyBytesDefault,
    maxDrops: (fields.maxDrops as number | undefined) ?? 0,
    by,
  };
}

function outOfBounds(fields: Readonly<Record<string, unknown>>, name: string, min: number, max: number): string | null {
  const value = fields[name];
  if (value === undefined) return null;
  const right = Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return right ? null : `${name} must be a whole number from ${min} to ${max}`;
}
