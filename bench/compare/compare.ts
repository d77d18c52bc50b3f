import type { Broker } from './broker.js';
import { runIdle } from './runIdle.js';
import { type RunOptions, runLoad } from './runLoad.js';
import { runRequests } from './runRequests.js';
import type { Scenario } from './scenario.js';
import type { RunResult } from './summary.js';
import type { Target } from './targets.js';

export interface CompareOptions extends RunOptions {
  readonly rounds: number;
  readonly onProgress: (line: string) => void;
}

const defaultShardcastArgs = ['--shards', '1'];

/** Drives a running broker through one scenario. */
export function runScenario(scenario: Scenario, broker: Broker, options: RunOptions): Promise<RunResult> {
  if (scenario.kind === 'idle') return runIdle(scenario, broker);
  if (scenario.kind === 'requests') return runRequests(scenario, broker, options);
  return runLoad(scenario, broker, { ...options, seconds: scenario.seconds ?? options.seconds });
}

/** One run against a fresh broker, so that its peak memory is this run's. A failure is a result, not an exception. */
async function runOnce(scenario: Scenario, target: Target, options: RunOptions): Promise<RunResult> {
  let broker: Broker | null = null;
  try {
    broker = await target.start(scenario.shardcastArgs ?? defaultShardcastArgs);
    return await runScenario(scenario, broker, options);
  } catch (error) {
    const log = broker?.logTail();
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason: log ? `${reason}; its log ends: ${log}` : reason };
  } finally {
    await broker?.stop();
  }
}

/** Runs a scenario on every target in turn, `rounds` times; a target's results are in the order of the rounds. */
export async function compare(
  scenario: Scenario,
  targets: readonly Target[],
  options: CompareOptions,
): Promise<Map<string, RunResult[]>> {
  const results = new Map(targets.map((target) => [target.name, [] as RunResult[]]));
  for (let round = 1; round <= options.rounds; round++) {
    for (const target of targets) {
      options.onProgress(`${scenario.name}: round ${round}/${options.rounds}, ${target.name}`);
      results.get(target.name)!.push(await runOnce(scenario, target, options));
    }
  }
  return results;
}
