import type { Bars, Scenario } from './scenario.js';
import { type Metric, ratio, type Summary } from './summary.js';

/** One bar and whether it is met; `measured` is null when something it needs was not measured. */
export interface Verdict {
  readonly bar: string;
  readonly measured: number | null;
  readonly met: boolean;
}

interface BarRule {
  readonly metric: Metric;
  readonly label: string;
  readonly kind: 'ratio' | 'value';
  readonly bound: 'min' | 'max';
  /** The bar's unit over the metric's unit. */
  readonly scale: number;
}

const value = (metric: Metric, label: string, bound: 'min' | 'max', scale = 1): BarRule => {
  return { metric, label, kind: 'value', bound, scale };
};
const ratioOf = (metric: Metric, label: string, bound: 'min' | 'max'): BarRule => {
  return { metric, label, kind: 'ratio', bound, scale: 1 };
};

const rules: Readonly<Record<Exclude<keyof Bars, 'against'>, BarRule>> = {
  throughputRatioMin: ratioOf('deliveredPerSecond', 'throughput', 'min'),
  cpuRatioMax: ratioOf('cpuUsPerDelivery', 'CPU per delivery', 'max'),
  p50RatioMax: ratioOf('p50Us', 'p50', 'max'),
  p99RatioMax: ratioOf('p99Us', 'p99', 'max'),
  peakMemoryMbMax: value('peakMemoryBytes', 'peak memory MB', 'max', 1e-6),
  publishedPerSecondMin: value('publishedPerSecond', 'published/s', 'min'),
  deliveredPerSecondMin: value('deliveredPerSecond', 'delivered/s', 'min'),
  p99MsMax: value('p99Us', 'p99 ms', 'max', 1e-3),
  descriptorsLeftMax: value('descriptorsLeft', 'descriptors left', 'max'),
};

/** Judges `subject` (Shardcast) by the scenario's bars. A run with incidents, or without its peer, meets none. */
export function judge(scenario: Scenario, subject: Summary, all: readonly Summary[]): Verdict[] {
  const bars = scenario.bars ?? {};
  const peer = all.find((summary) => summary.target === bars.against);
  const verdicts: Verdict[] = [];
  for (const [name, rule] of Object.entries(rules) as [Exclude<keyof Bars, 'against'>, BarRule][]) {
    const limit = bars[name];
    if (limit === undefined) continue;
    const raw = rule.kind === 'value' ? subject.metrics[rule.metric] : peer && ratio(subject, peer, rule.metric);
    const measured = raw === undefined || raw === null ? null : raw * rule.scale;
    const within = measured !== null && (rule.bound === 'min' ? measured >= limit : measured <= limit);
    const what = rule.kind === 'ratio' ? `${rule.label} / ${bars.against}` : rule.label;
    const bar = `${what} ${rule.bound === 'min' ? 'at least' : 'at most'} ${limit.toLocaleString('en-US')}`;
    verdicts.push({ bar, measured, met: within && subject.incidents.length === 0 });
  }
  return verdicts;
}
