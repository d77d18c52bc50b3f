import { fullness } from '../base/fullness.js';
import type { Exchange } from '../exchange/exchange.js';
import type { AwayRole, RouterRole } from '../exchange/roles.js';
import type { AwayEndpoint } from '../gateway/backpressure.js';
import type { Gateway } from '../gateway/gateway.js';
import { latestName } from '../protocol/messageKey.js';
import type { Handover } from '../router/handover.js';
import type { OwnerChanges } from '../router/ownerChanges.js';
import type { PlanningVoice } from '../router/plansAhead.js';
import type { Router } from '../router/router.js';
import type { Topic } from '../router/topic.js';
import type { WorkHost } from '../shard/work/works.js';
import type { FromShard } from './threadMessages.js';

/** The parts of a shard's thread that roles are made of. */
export interface RoleParts {
  readonly router: Router;
  readonly exchange: Exchange<Topic>;
  readonly gateway: Gateway;
  readonly handover: Handover;
  /** On the thread that decides on owners. */
  readonly ownerChanges: OwnerChanges | null;
}

/** What other threads announce, and whom it concerns here. */
export function routerRole({ router, gateway, handover, ownerChanges }: RoleParts): RouterRole<Topic> {
  return {
    ...router.role(),
    freshen: (topic) => router.ready(topic),
    onTopicFull: (endpoint, subject, state) => {
      router.holds.setFull(subject, endpoint, state);
      if (state <= fullness.dropping) gateway.relieve();
    },
    onLagging: (endpoint, subject, lags) => {
      router.holds.setLagging(subject, endpoint, lags);
      if (!lags) gateway.relieve();
    },
    onHoldSpent: (subject) => gateway.spend(subject),
    onGroupSpent: (...spent) => gateway.backpressure.onGroupSpent(...spent),
    onPlanAsked: (...asked) => router.onPlanAsked(...asked),
    onPlanMade: (number) => router.ahead?.onMade(number),
    onHandover: (...step) => handover.onStep(...step),
    onHandoverDone: (shard, step, number) => ownerChanges?.onDone(shard, step, number),
  };
}

/** Asks other threads for their part of a plan, and answers them. */
export function planningVoice(exchange: Exchange<Topic>): PlanningVoice {
  return {
    ask: (...asked) => exchange.announcer.announcePlanAsked(...asked),
    answer: (endpoint, number) => exchange.announcerTo(endpoint)?.planMade(number),
  };
}

/** Has publishers wait for threads of the user's that do not take what is for them. */
export function awayRole({ router, gateway }: RoleParts): AwayRole<Topic> {
  const holders = new Map<number, AwayEndpoint>();
  return {
    lossySubjects: (topic, endpoint) => router.lossySubjects(topic, endpoint),
    nameOf: (topic, message, index) => latestName(topic.text, message, index),
    hold: (topic, endpoint) => {
      const holder = holders.get(endpoint) ?? { endpoint };
      holders.set(endpoint, holder);
      gateway.hold(topic, holder);
    },
    release: (endpoint) => gateway.release(holders.get(endpoint) as AwayEndpoint),
  };
}

/** Has publishers wait for work that waits for its group, and tells the main thread of what is lost. */
export function workHost(
  exchange: Exchange<Topic>,
  gateway: () => Gateway,
  tell: (message: FromShard) => void,
): WorkHost {
  return {
    get congested() {
      return exchange.congested;
    },
    get lossWindowMs() {
      return gateway().limits.lossWindowMs;
    },
    onTooMuch: (topic, work) => gateway().hold(topic, work),
    onChange: (work, change) => gateway().changeHold(work, change),
    onEnoughTaken: (work) => gateway().release(work),
    onLost: (why, group, messages) => tell({ type: 'workLost', why, group, messages }),
  };
}
