import type { Exchange } from '../exchange/exchange.js';
import type { Interest } from './interest.js';
import type { LocalSubscription } from './interestEntry.js';
import type { Topic } from './topic.js';

/** Somebody whose operations take effect in their order, whichever threads they touch: a client's connection. */
export interface Orderly {
  /** Whether something that it sent to another thread is not known to be sequenced. */
  unsequenced: boolean;
  /** How far its thread had written to every shard when it began to wait for all that to be sequenced. */
  sequencedMarks: Int32Array | null;
  /** What taking deliveries has returned that its operation waits for; 0 when it waits for none. */
  deliveriesAsked: number;
  /** Whether its fence is on its way, behind which a member of a queue group ends. */
  fenced: boolean;
}

/**
 * Whether all that somebody published is sequenced, and what was sequenced before that has been delivered here. When it is false, whoever
 * asked waits: there will be relief when something has moved. Who has published nothing to other threads pays nothing.
 */
export function isSettled(party: Orderly, exchange: Exchange<Topic>): boolean {
  if (!party.unsequenced) return true;
  party.sequencedMarks ??= exchange.markPublished();
  if (party.sequencedMarks === null || !exchange.isSequenced(party.sequencedMarks)) return false;
  if (!hasCaughtUp(party, exchange)) return false;
  party.sequencedMarks = null;
  party.unsequenced = false;
  return true;
}

/** Whether all that was sequenced before somebody asked first has been delivered here. When it is false its share of work is spent. */
export function hasCaughtUp(party: Orderly, exchange: Exchange<Topic>): boolean {
  party.deliveriesAsked = exchange.drainDeliveries(party.deliveriesAsked);
  return party.deliveriesAsked === 0;
}

/**
 * Whether a member may leave its queue group: not while messages may be on their way here that the group has nobody else here to take, and
 * maybe, by then, nowhere. Such a member is taken out of the group's count first; what shards sequenced before they knew is still its own,
 * and has come when they have taken the fence. When it is false, whoever asked waits and asks again, settled.
 */
export function mayLeaveGroup(
  party: Orderly,
  subscription: LocalSubscription,
  interest: Interest,
  exchange: Exchange<Topic>,
): boolean {
  if (exchange.alone || party.fenced) return true;
  if (!subscription.retired && !interest.retireLocal(subscription)) return true;
  party.fenced = exchange.fence();
  party.unsequenced = party.fenced;
  return party.fenced && isSettled(party, exchange);
}
