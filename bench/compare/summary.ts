import { median } from '../median.js';
import type { IdleResult } from './runIdle.js';
import type { LoadResult } from './runLoad.js';

/** One round of one target, or why there is none. */
export type RunResult = LoadResult | IdleResult | { readonly kind: 'failed'; readonly reason: string };

/** Medians over the rounds of one target; what was not measured is absent. Units are in the names. */
export interface Summary {
  readonly target: string;
  readonly rounds: number;
  readonly metrics: Readonly<Partial<Record<Metric, number>>>;
  /** What spoils these figures: rounds that failed, connections lost, deliveries missing, errors. */
  readonly incidents: readonly string[];
}

export type Metric =
  | 'publishedPerSecond'
  | 'deliveredPerSecond'
  | 'cpuUsPerDelivery'
  | 'brokerCores'
  | 'generatorCores'
  | 'otherCores'
  | 'p50Us'
  | 'p99Us'
  | 'p999Us'
  | 'peakMemoryBytes'
  | 'openedPerSecond'
  | 'bytesPerConnection'
  | 'residentBytesBefore'
  | 'residentBytesOpen'
  | 'residentBytesAfterClose'
  | 'descriptorsLeft';

function metricsOf(result: LoadResult | IdleResult): Partial<Record<Metric, number>> {
  if (result.kind === 'idle') {
    return {
      openedPerSecond: result.openedPerSecond,
      bytesPerConnection: result.bytesPerConnection,
      brokerCores: result.brokerCoresWhileIdle,
      residentBytesBefore: result.residentBytesBefore,
      residentBytesOpen: result.residentBytesOpen,
      residentBytesAfterClose: result.residentBytesAfterClose,
      peakMemoryBytes: result.peakMemoryBytes,
      descriptorsLeft: result.descriptorsLeft,
    };
  }
  const { latencies } = result;
  return {
    publishedPerSecond: result.publishedPerSecond,
    deliveredPerSecond: result.deliveredPerSecond,
    ...(result.deliveredPerSecond > 0 && { cpuUsPerDelivery: result.brokerCpuUsPerDelivery }),
    brokerCores: result.brokerCores,
    generatorCores: result.generatorCores,
    otherCores: result.otherCores,
    peakMemoryBytes: result.peakMemoryBytes,
    ...(latencies && { p50Us: latencies.p50, p99Us: latencies.p99, p999Us: latencies.p999 }),
  };
}

function incidentsOf(result: RunResult): string[] {
  if (result.kind === 'failed') return [`failed: ${result.reason}`];
  const incidents = [...result.errors];
  if (result.connectionsLost > 0) incidents.unshift(`${result.connectionsLost} connections lost`);
  if (result.kind === 'load') {
    if (result.missing > 0) incidents.push(`${result.missing} deliveries lost`);
    if (result.missing < 0) incidents.push(`${-result.missing} deliveries too many`);
    if (result.stillToCome > 0) incidents.push(`${result.stillToCome} deliveries still to come 10 s after the load`);
  }
  return incidents;
}

/** Summarises the rounds of one target. */
export function summarise(target: string, rounds: readonly RunResult[]): Summary {
  const measured = rounds.flatMap((result) => (result.kind === 'failed' ? [] : [metricsOf(result)]));
  const names = new Set(measured.flatMap((metrics) => Object.keys(metrics) as Metric[]));
  const metrics: Partial<Record<Metric, number>> = {};
  for (const name of names) metrics[name] = median(measured.flatMap((round) => round[name] ?? []));
  const incidents = rounds.flatMap((result, index) =>
    incidentsOf(result).map((incident) => `round ${index + 1}: ${incident}`),
  );
  return { target, rounds: rounds.length, metrics, incidents };
}

/** `metric` of one summary over that of another, if both have it. */
export function ratio(of: Summary, to: Summary, metric: Metric): number | null {
  const [numerator, denominator] = [of.metrics[metric], to.metrics[metric]];
  return numerator === undefined || !denominator ? null : numerator / denominator;
}
