import type { SlowPolicy } from '../base/policy.js';

/**
 * What becomes of a message for a subscription that keeps what comes for it: it waits; it waits, and the oldest that wait are lost for
 * it; it waits, and its topic's publishers have to; it is lost; it is lost, and so is the patience with the subscriber.
 */
export type Verdict = 'waits' | 'displaces' | 'blocks' | 'lost' | 'ends';

/** What waits for a subscription. */
export interface Waiting {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Decides by what would wait, the message among it. One message may always wait, however large it is. Of values that take each other's
 * place, what would wait is known once it does: asked then, the verdict says whether the oldest go.
 *
 * @param count messages that would wait
 * @param bytes what they would take
 * @param squeezed whether nothing may be added, because what waits beside it is enough
 * @param dropsInRow messages lost since one could wait
 */
export function decide(
  policy: SlowPolicy,
  count: number,
  bytes: number,
  squeezed: boolean,
  dropsInRow: number,
): Verdict {
  if (!squeezed && count <= policy.maxMessages && bytes <= policy.maxBytes) return 'waits';
  if (policy.policy === 'block') return 'blocks';
  if (count <= 1) return 'waits';
  switch (policy.policy) {
    case 'drop-old':
    case 'conflate':
      return 'displaces';
    case 'drop-new':
      return 'lost';
    case 'disconnect':
      return hasLostTooMuch(policy, dropsInRow + 1) ? 'ends' : 'lost';
  }
}

/** Whether a subscription that has lost so many messages in a row is to end. */
export function hasLostTooMuch({ policy, maxDrops }: SlowPolicy, dropsInRow: number): boolean {
  return policy === 'disconnect' && dropsInRow > maxDrops;
}

/** Whether so little waits that publishers that waited go on, and a part of an image may be asked for. */
export function hasRoomAgain({ maxMessages, maxBytes }: SlowPolicy, { count, bytes }: Waiting): boolean {
  return count <= maxMessages / 2 && bytes <= maxBytes / 2;
}
