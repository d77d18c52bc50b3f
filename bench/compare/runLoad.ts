import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from './broker.js';
import { nowNs } from './clock.js';
import { Generator, type GeneratorThreads } from './generator.js';
import { type Latencies, mergeLatencies } from './latencyRecorder.js';
import { deliveriesOwed, fanOutByTopic, planOf } from './plan.js';
import { peakMemoryBytes } from './processStats.js';
import type { LoadScenario } from './scenario.js';
import { type Rates, ratesBetween, snapshot } from './snapshot.js';

export interface RunOptions {
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly threads: GeneratorThreads;
}

/** One measured run. Rates and CPU are of the measured window. */
export interface LoadResult extends Rates {
  readonly kind: 'load';
  readonly peakMemoryBytes: number;
  readonly latencies: Latencies | null;
  /** Deliveries owed for all that was published that had not come when deliveries ceased after the run: lost. */
  readonly missing: number;
  /** Or, had they not ceased by then, those still to come ten seconds after the last publish. */
  readonly stillToCome: number;
  readonly connectionsLost: number;
  readonly errors: readonly string[];
}

const leadInMs = 50;
/** Longer than the retransmission timers of TCP, which decide when a receive queue that was cut is filled again. */
const quietMs = 3_000;
const drainMs = 10_000;

/** Waits until `owed` deliveries have come, or none has for a while, or for ten seconds. */
async function drain(generator: Generator, owed: number): Promise<{ missing: number; stillToCome: number }> {
  const deadline = Date.now() + drainMs;
  let seen = -1;
  let seenAt = Date.now();
  while (generator.delivered < owed && Date.now() < deadline) {
    if (generator.delivered !== seen) {
      seen = generator.delivered;
      seenAt = Date.now();
    } else if (Date.now() - seenAt > quietMs) return { missing: owed - seen, stillToCome: 0 };
    await sleep(5);
  }
  const rest = owed - generator.delivered;
  return rest > 0 ? { missing: 0, stillToCome: rest } : { missing: rest, stillToCome: 0 };
}

/** Drives a broker through a scenario: warm-up, measured window, drain. */
export async function runLoad(scenario: LoadScenario, broker: Broker, options: RunOptions): Promise<LoadResult> {
  const { pid } = broker;
  const generator = await Generator.open(scenario, broker.endpoint, options.threads);
  try {
    const startNs = nowNs() + leadInMs * 1e6;
    const fromNs = startNs + options.warmUpSeconds * 1e9;
    const toNs = fromNs + options.seconds * 1e9;
    generator.start(startNs, fromNs, toNs);
    await sleep((fromNs - nowNs()) / 1e6);
    const before = snapshot(generator, pid);
    await sleep((toNs - nowNs()) / 1e6);
    const after = snapshot(generator, pid);
    const { publishedBy, results } = await generator.stopPublishers();

    const plan = planOf(scenario);
    const fanOut = fanOutByTopic(plan, scenario.subscribers);
    let owed = 0;
    for (const [publisher, count] of publishedBy.entries()) owed += deliveriesOwed(plan, publisher, count, fanOut);
    const drained = await drain(generator, owed);
    const peak = peakMemoryBytes(pid);
    const subscriberResults = await generator.finishSubscribers();
    const all = [...results, ...subscriberResults];
    const encoded = subscriberResults.flatMap((result) => result.latencies ?? []);

    return {
      kind: 'load',
      ...ratesBetween(before, after),
      peakMemoryBytes: peak,
      latencies: encoded.length > 0 ? mergeLatencies(encoded) : null,
      ...drained,
      connectionsLost: all.reduce((sum, result) => sum + result.connectionsLost, 0),
      errors: [...new Set(all.flatMap((result) => result.errors))],
    };
  } finally {
    await generator.close();
  }
}
