import type { Counter, Gauge, Metric, Registry } from 'prom-client';
import type { Answer } from './answer.js';
import { consumerLags } from './consumerLags.js';
import { bucketSamples, type HistogramSpec, histogramSpecs } from './histogramSpecs.js';
import { type MetricSpec, metricSpecs, type Observed } from './metricSpecs.js';
import { type Sources, totals } from './sources.js';
import { makeStatistics } from './statistics.js';
import { summarySamples, topicSummary } from './topicSummary.js';

/** `/metrics`: what is counted, as Prometheus reads it. */
export async function metrics(sources: Sources): Promise<Answer> {
  exposition ??= new Exposition(await import('prom-client'));
  const [summary, shards] = await Promise.all([totals(sources), sources.statistics()]);
  const { tallies, histograms, shardTallies, connections, facts, requests } = sources;
  const statistics = makeStatistics({
    startMs: facts.startMs,
    connections,
    tallies,
    shardTallies,
    histograms,
    summary,
    shards,
  });
  const lags = await consumerLags(sources, summary.consumers);
  return await exposition.answer({
    statistics,
    histograms,
    lags,
    facts,
    requests,
    wrongRequests: tallies.wrongRequests,
  });
}

/** Made with the first request. */
let exposition: Exposition | null = null;

interface Client {
  readonly Registry: new () => Registry;
  readonly Counter: new (configuration: ConstructorParameters<typeof Counter>[0]) => Counter;
  readonly Gauge: new (configuration: ConstructorParameters<typeof Gauge>[0]) => Gauge;
}

/** All metrics, which are filled in for each request. */
class Exposition {
  readonly #registry: Registry;
  #observed: Observed | null = null;
  readonly #metrics: readonly [MetricSpec, (labels: Readonly<Record<string, string>>, value: number) => void][];

  constructor({ Registry, Counter, Gauge }: Client) {
    this.#registry = new Registry();
    const own = [...histogramSpecs.map((spec) => this.#histogramOf(spec)), this.#topicSummary()];
    for (const each of own) this.#registry.registerMetric(each as unknown as Metric);
    const registers = [this.#registry];
    this.#metrics = metricSpecs.map((spec) => {
      const { name, help } = spec;
      const labelNames = [...spec.labels];
      if (spec.type === 'gauge') {
        const gauge = new Gauge({ name, help, labelNames, registers });
        return [spec, (labels, value) => gauge.inc(labels, value)];
      }
      const counter = new Counter({ name, help, labelNames, registers });
      // what is but nearly right at a moment must not end the broker
      return [spec, (labels, value) => counter.inc(labels, Math.max(0, value))];
    });
  }

  /** prom-client's own count by themselves: this one shows what was counted elsewhere. */
  #histogramOf({ name, of, help }: HistogramSpec): object {
    const get = () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: this.#observed === null ? [] : bucketSamples(name, this.#observed.histograms[of]),
    });
    return { name, get, reset: () => {} };
  }

  #topicSummary(): object {
    const get = () => ({
      ...topicSummary,
      type: 'summary',
      aggregator: 'sum',
      values: summarySamples(this.#observed?.statistics.topics ?? []),
    });
    return { name: topicSummary.name, get, reset: () => {} };
  }

  async answer(observed: Observed): Promise<Answer> {
    this.#observed = observed;
    this.#registry.resetMetrics();
    for (const [spec, add] of this.#metrics) for (const [labels, value] of spec.read(observed)) add(labels, value);
    return { status: 200, text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}
