import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Run } from './scenario.js';
import { scenarios } from './scenarios.js';
import { createTurnstile, traceOf } from './turnstile.js';

/** Replay with `INTERLEAVE_SEED=17 INTERLEAVE_SEEDS=1 npx vitest run test/interleave`. */
const firstSeed = Number(process.env.INTERLEAVE_SEED ?? 1);
const seeds = Number(process.env.INTERLEAVE_SEEDS ?? 300);
const seedsPlanted = 60;

/** Node takes the condition from the worker's own arguments; so it runs what `npm run build` made of these files. */
const workerUrl = new URL('../../dist/test/interleave/worker.js', import.meta.url);

interface Outcome {
  seed: number;
  /** What went wrong, or ''. */
  fault: string;
  trace: number;
}

class Pair {
  readonly #workers = [0, 1].map(
    (thread) => new Worker(workerUrl, { workerData: thread, execArgv: ['--conditions=interleave'] }),
  );

  /** Rejects when the workers cannot even be loaded. */
  readonly ready = Promise.all(this.#workers.map((worker) => once(worker, 'message')));

  async run(scenario: string, seed: number, plant: string): Promise<Outcome> {
    const turnstile = createTurnstile(seed);
    const run: Run = { scenario, turnstile, memory: scenarios[scenario].memory(seed), seed, plant };
    const answers = this.#workers.map((worker) => once(worker, 'message'));
    for (const worker of this.#workers) worker.postMessage(run);
    const faults = (await Promise.all(answers)).map(([answer]) => answer as string).filter((fault) => fault !== '');
    // the thread that found it says what; the other only that it was stopped
    const fault = faults.find((text) => text !== 'aborted') ?? faults[0] ?? '';
    return { seed, fault, trace: traceOf(turnstile) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** The tests of one scenario: sound under every seed, each planted bug found in most, the same run from the same seed. */
export function interleave(title: string, scenario: string): void {
  let pair: Pair;
  beforeAll(async () => {
    pair = new Pair();
    await pair.ready;
  });
  afterAll(() => pair.close());

  const outcomes = async (plant: string, count: number): Promise<Outcome[]> => {
    const found: Outcome[] = [];
    for (let seed = firstSeed; seed < firstSeed + count; seed++) found.push(await pair.run(scenario, seed, plant));
    return found;
  };

  test(title, async () => {
    const found = await outcomes('', seeds);
    expect(found.filter(({ fault }) => fault !== '')).toEqual([]);
    // the seeds do differ
    expect(new Set(found.map(({ trace }) => trace)).size).toBeGreaterThan(found.length / 2);
  });

  test.each(scenarios[scenario].planted)('finds the planted bug: %s', async (plant) => {
    const found = await outcomes(plant, seedsPlanted);
    const faults = found.filter(({ fault }) => fault !== '');
    expect(faults.length, `found in ${faults.length} of ${found.length} seeds`).toBeGreaterThan(found.length / 2);
  });

  test('a seed replays', async () => {
    const plant = scenarios[scenario].planted[0];
    const both = [await outcomes(plant, 10), await outcomes(plant, 10)];
    expect(both[0]).toEqual(both[1]);
  });
}
