import { Worker } from 'node:worker_threads';
import type { LoadScenario } from './scenario.js';
import { SharedCounters } from './sharedCounters.js';
import type { Endpoint, ThreadCommand, ThreadReport, ThreadResult, ThreadTask } from './threadMessages.js';

/** How many threads publish and how many subscribe. */
export interface GeneratorThreads {
  readonly publishing: number;
  readonly subscribing: number;
}

/** Member numbers 0..count-1 dealt to at most `threads` hands. */
function deal(count: number, threads: number): number[][] {
  const hands = Array.from({ length: Math.min(count, threads) }, () => [] as number[]);
  for (let member = 0; member < count; member++) hands[member % hands.length]!.push(member);
  return hands;
}

interface GeneratorThread {
  readonly task: ThreadTask;
  readonly worker: Worker;
  readonly ready: Promise<unknown>;
  readonly finished: Promise<ThreadResult>;
}

function startThread(task: ThreadTask): GeneratorThread {
  const worker = new Worker(new URL('./generatorThread.js', import.meta.url), { workerData: task });
  const failed = new Promise<never>((_, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('generator thread ended')));
    worker.on('message', (report: ThreadReport) => {
      if (report.kind === 'failed') reject(new Error(report.reason));
    });
  });
  const reported = <Kind extends ThreadReport['kind']>(kind: Kind): Promise<Extract<ThreadReport, { kind: Kind }>> => {
    const report = new Promise<Extract<ThreadReport, { kind: Kind }>>((resolve) => {
      worker.on('message', (message: ThreadReport) => {
        if (message.kind === kind) resolve(message as Extract<ThreadReport, { kind: Kind }>);
      });
    });
    const outcome = Promise.race([report, failed]);
    // It may fail while nobody waits for it; whoever waits later still sees it.
    outcome.catch(() => {});
    return outcome;
  };
  const ready = reported('ready');
  const finished = reported('finished').then((report) => report.result);
  finished.catch(() => {});
  return { task, worker, ready, finished };
}

/** The load generator's threads for one run, all connected and ready. */
export class Generator {
  readonly #threads: GeneratorThread[] = [];
  readonly #counters: SharedCounters;
  readonly #publishingThreads: number;

  private constructor(counters: SharedCounters, publishingThreads: number) {
    this.#counters = counters;
    this.#publishingThreads = publishingThreads;
  }

  /** Connects all subscribers, then all publishers. */
  static async open(scenario: LoadScenario, endpoint: Endpoint, threads: GeneratorThreads): Promise<Generator> {
    const publishing = deal(scenario.publishers, threads.publishing);
    const subscribing = deal(scenario.subscribers, threads.subscribing);
    const counters = new SharedCounters(publishing.length + subscribing.length);
    const generator = new Generator(counters, publishing.length);
    const common = { endpoint, scenario, counters: counters.buffer };
    try {
      for (const [index, members] of subscribing.entries()) {
        const slot = publishing.length + index;
        generator.#threads.push(startThread({ ...common, role: 'subscriber', members, slot }));
      }
      await Promise.all(generator.#threads.map((thread) => thread.ready));
      for (const [slot, members] of publishing.entries()) {
        generator.#threads.push(startThread({ ...common, role: 'publisher', members, slot }));
      }
      await Promise.all(generator.#threads.map((thread) => thread.ready));
    } catch (error) {
      await generator.close();
      throw error;
    }
    return generator;
  }

  /** Messages accepted by publishers' sockets so far. */
  get published(): number {
    return this.#counters.sum(0, this.#publishingThreads);
  }

  /** Messages received whole by subscribers so far. */
  get delivered(): number {
    return this.#counters.sum(this.#publishingThreads, this.#threads.length);
  }

  /** Begins publishing at `startNs`; latencies are recorded for messages due within [measureFromNs, measureToNs). */
  start(startNs: number, measureFromNs: number, measureToNs: number): void {
    this.#command({ kind: 'start', startNs, measureFromNs, measureToNs });
  }

  /** Stops publishing; returns messages accepted of each publisher, by publisher number. */
  async stopPublishers(): Promise<{ publishedBy: number[]; results: ThreadResult[] }> {
    const threads = this.#threads.filter((thread) => thread.task.role === 'publisher');
    const results = await this.#finish(threads);
    const publishedBy: number[] = [];
    for (const [index, { task }] of threads.entries()) {
      for (const [position, member] of task.members.entries()) {
        publishedBy[member] = results[index]!.publishedByMember[position]!;
      }
    }
    return { publishedBy, results };
  }

  /** Collects what the subscribers saw. */
  finishSubscribers(): Promise<ThreadResult[]> {
    return this.#finish(this.#threads.filter((thread) => thread.task.role === 'subscriber'));
  }

  /** Ends all threads and with them their connections. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.worker.terminate()));
  }

  #finish(threads: readonly GeneratorThread[]): Promise<ThreadResult[]> {
    for (const { worker } of threads) worker.postMessage({ kind: 'stop' } satisfies ThreadCommand);
    return Promise.all(threads.map((thread) => thread.finished));
  }

  #command(command: ThreadCommand): void {
    for (const { worker } of this.#threads) worker.postMessage(command);
  }
}
