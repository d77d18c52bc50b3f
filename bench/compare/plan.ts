import type { LoadScenario, Topics } from './scenario.js';

/** Who publishes and subscribes to which topics; topics are numbers from 0 here, each protocol spells them its way. */
export interface Plan {
  readonly topicCount: number;
  /** The topics a publisher goes through, message by message, again and again. */
  cycleOf(publisher: number): readonly number[];
  /** The topics a subscriber names, or one pattern that matches all of them. */
  subscriptionsOf(subscriber: number): readonly number[] | 'all-by-wildcard';
}

/** A small deterministic generator (mulberry32): every target and round sees the same random sets. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function drawWithoutReplacement(count: number, draws: number, random: () => number): number[] {
  const pool = Array.from({ length: count }, (_, topic) => topic);
  for (let index = 0; index < draws; index++) {
    const other = index + Math.floor(random() * (count - index));
    [pool[index], pool[other]] = [pool[other]!, pool[index]!];
  }
  return pool.slice(0, draws);
}

function countOf(topics: Topics): number {
  return topics.kind === 'one' ? 1 : topics.count;
}

/** Resolves a scenario's topic assignment. */
export function planOf(scenario: LoadScenario): Plan {
  const { topics, publishers } = scenario;
  const topicCount = countOf(topics);
  const everyTopic = Array.from({ length: topicCount }, (_, topic) => topic);

  // Publishers begin at different places of the rotation, as independent feeds would.
  const rotationFrom = (publisher: number): number[] => {
    const start = Math.floor((publisher * topicCount) / publishers);
    return [...everyTopic.slice(start), ...everyTopic.slice(0, start)];
  };

  switch (topics.kind) {
    case 'one':
    case 'rotating':
      return { topicCount, cycleOf: rotationFrom, subscriptionsOf: () => everyTopic };
    case 'per-pair':
      return {
        topicCount,
        cycleOf: (publisher) => [publisher % topicCount],
        subscriptionsOf: (subscriber) => [subscriber % topicCount],
      };
    case 'wildcard':
      return { topicCount, cycleOf: rotationFrom, subscriptionsOf: () => 'all-by-wildcard' };
    case 'random-sets':
      return {
        topicCount,
        cycleOf: rotationFrom,
        subscriptionsOf: (subscriber) =>
          drawWithoutReplacement(topicCount, topics.perSubscriber, seededRandom(subscriber + 1)),
      };
  }
}

/** How many subscribers each topic has. */
export function fanOutByTopic(plan: Plan, subscribers: number): number[] {
  const fanOut = new Array<number>(plan.topicCount).fill(0);
  for (let subscriber = 0; subscriber < subscribers; subscriber++) {
    const topics = plan.subscriptionsOf(subscriber);
    if (topics === 'all-by-wildcard') for (let topic = 0; topic < fanOut.length; topic++) fanOut[topic]!++;
    else for (const topic of topics) fanOut[topic]!++;
  }
  return fanOut;
}

/** Deliveries owed for the first `published` messages of one publisher. */
export function deliveriesOwed(plan: Plan, publisher: number, published: number, fanOut: readonly number[]): number {
  const cycle = plan.cycleOf(publisher);
  const wholeCycles = Math.floor(published / cycle.length);
  const inLastCycle = published % cycle.length;
  let perCycle = 0;
  let owed = 0;
  for (const [position, topic] of cycle.entries()) {
    perCycle += fanOut[topic]!;
    if (position < inLastCycle) owed += fanOut[topic]!;
  }
  return owed + wholeCycles * perCycle;
}
