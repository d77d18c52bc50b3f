import { latin1Bytes } from '../base/bytes.js';
import { hashBytes, hashSeedStable } from '../base/hash.js';

/** How many versions of interest there are: a change concerns the topics of one, unless a pattern begins with a wildcard. */
export const bucketCount = 1024;

function firstTokenOf(subject: string): string {
  const dot = subject.indexOf('.');
  return dot < 0 ? subject : subject.slice(0, dot);
}

/** The bucket of a subject. */
export function bucketOf(subject: string): number {
  return interestBucket(firstTokenOf(subject));
}

/** Instead of a bucket: a pattern may take topics of all of them. */
export const allBuckets = -1;

/** The bucket of the topics that a subject or pattern takes. */
export function bucketOfPattern(subject: string): number {
  const first = firstTokenOf(subject);
  return first === '*' || first === '>' ? allBuckets : interestBucket(first);
}

/** The bucket of versions for subjects whose first token is `token`. */
function interestBucket(token: string): number {
  const bytes = latin1Bytes(token);
  return hashBytes(bytes, 0, bytes.length, hashSeedStable) & (bucketCount - 1);
}
