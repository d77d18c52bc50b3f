import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Broker } from './broker.js';
import { nowNs } from './clock.js';
import { mergeLatencies } from './latencyRecorder.js';
import { peakMemoryBytes } from './processStats.js';
import type { RequestReport, RequestResult, RequestTask } from './requestThread.js';
import type { LoadResult, RunOptions } from './runLoad.js';
import type { RequestScenario } from './scenario.js';
import { SharedCounters } from './sharedCounters.js';
import { ratesBetween, snapshot } from './snapshot.js';

/** Clients and workers on a thread of their own. */
class Requesters {
  readonly #worker: Worker;
  readonly #counters = new SharedCounters(2);
  readonly #failed: Promise<never>;
  #told: (report: RequestReport) => void = () => {};

  constructor(scenario: RequestScenario, { endpoint }: Broker) {
    const workerData: RequestTask = { scenario, endpoint, counters: this.#counters.buffer };
    this.#worker = new Worker(new URL('./requestThread.js', import.meta.url), { workerData });
    this.#worker.on('message', (report: RequestReport) => this.#told(report));
    this.#failed = new Promise((_, reject) => {
      this.#worker.on('error', reject);
      this.#worker.on('exit', () => reject(new Error('generator thread ended')));
    });
    // it may fail while nobody waits for it; whoever waits later still sees it
    this.#failed.catch(() => {});
  }

  get published(): number {
    return this.#counters.sum(0, 1);
  }

  get delivered(): number {
    return this.#counters.sum(1, 2);
  }

  /** Connects everybody; resolves when all who answer are known. */
  async open(): Promise<void> {
    await this.#report();
  }

  /** Lets everybody ask; what is asked for within the window is timed. */
  start(fromNs: number, toNs: number): void {
    this.#worker.postMessage({ fromNs, toNs });
  }

  async finish(): Promise<RequestResult> {
    const report = this.#report();
    this.#worker.postMessage(null);
    return (await report) as RequestResult;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #report(): Promise<RequestReport> {
    const told = new Promise<RequestReport>((resolve) => {
      this.#told = resolve;
    });
    return Promise.race([told, this.#failed]);
  }
}

/** Drives a broker by requests: each client has so many under way, and asks anew when one is answered. */
export async function runRequests(
  scenario: RequestScenario,
  broker: Broker,
  { warmUpSeconds, seconds }: RunOptions,
): Promise<LoadResult> {
  if (broker.endpoint.protocol !== 'nats') throw new Error(`${broker.endpoint.protocol} has no requests`);
  const requesters = new Requesters(scenario, broker);
  try {
    await requesters.open();
    const fromNs = nowNs() + warmUpSeconds * 1e9;
    const toNs = fromNs + seconds * 1e9;
    requesters.start(fromNs, toNs);
    await sleep((fromNs - nowNs()) / 1e6);
    const before = snapshot(requesters, broker.pid);
    await sleep((toNs - nowNs()) / 1e6);
    const after = snapshot(requesters, broker.pid);
    const { latencies, missing, connectionsLost, errors } = await requesters.finish();
    return {
      kind: 'load',
      ...ratesBetween(before, after),
      peakMemoryBytes: peakMemoryBytes(broker.pid),
      latencies: mergeLatencies([latencies]),
      missing,
      stillToCome: 0,
      connectionsLost,
      errors,
    };
  } finally {
    await requesters.close();
  }
}
