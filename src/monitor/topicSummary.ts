import type { TopicCount } from '../base/statistics.js';

/** How long messages of each topic took lately, as a summary of Prometheus: its quantiles are those of a sliding window. */
export const topicSummary = {
  name: 'shardcast_topic_read_to_written_seconds',
  help: 'Messages of clients by topic, from when they are read to when what they cause on the same thread is written: quantiles of the last half to one minute; of busy turns some are timed, for all.',
} as const;

interface SummarySample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** @returns no quantiles of a topic without messages in the window, as Prometheus has it */
export function summarySamples(topics: readonly TopicCount[]): SummarySample[] {
  const { name } = topicSummary;
  return topics.flatMap(({ topic, readToWritten }) => {
    if (readToWritten === null) return [];
    const { p50, p90, p99, p999, count, recentCount, totalSeconds } = readToWritten;
    const quantiles = Object.entries({ '0.5': p50, '0.9': p90, '0.99': p99, '0.999': p999 });
    return [
      ...quantiles.map(([quantile, value]) => ({
        labels: { topic, quantile },
        value: recentCount > 0 ? value : Number.NaN,
      })),
      { metricName: `${name}_sum`, labels: { topic }, value: totalSeconds },
      { metricName: `${name}_count`, labels: { topic }, value: count },
    ];
  });
}
