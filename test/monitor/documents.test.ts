import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { histogramSpecs } from '../../src/monitor/histogramSpecs.js';
import { metricSpecs } from '../../src/monitor/metricSpecs.js';
import { topicSummary } from '../../src/monitor/topicSummary.js';

const text = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const names = new Set([
  ...metricSpecs.map(({ name }) => name),
  ...histogramSpecs.flatMap(({ name }) => ['bucket', 'sum', 'count'].map((end) => `${name}_${end}`)),
  ...['', '_sum', '_count'].map((end) => `${topicSummary.name}${end}`),
]);
const labels = new Set([...metricSpecs.flatMap((spec) => spec.labels), 'le', 'quantile', 'instance', 'job']);

/** Metrics that an expression of Prometheus names, and labels that it sorts by. */
function namedIn(expression: string): { readonly metrics: string[]; readonly by: string[] } {
  const metrics = expression.match(/\b(?:events|shardcast)_\w+|\blag\b/g) ?? [];
  const by = [...expression.matchAll(/ by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
  return { metrics, by };
}

function check(expression: string): void {
  const { metrics, by } = namedIn(expression);
  for (const metric of metrics) expect(names.has(metric) || labels.has(metric), metric).toBe(true);
  for (const label of by) expect(labels.has(label), label).toBe(true);
}

test('the dashboard asks for metrics that there are', () => {
  const { panels } = JSON.parse(text('monitoring/grafana.json')) as { panels: { targets: { expr: string }[] }[] };
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(expressions.length).toBeGreaterThan(10);
  for (const expression of expressions) {
    expect(namedIn(expression).metrics.length, expression).toBeGreaterThan(0);
    check(expression);
  }
});

test('alert rules are about metrics that there are, and say how bad it is and where', () => {
  interface Rule {
    readonly alert: string;
    readonly expr: string;
    readonly labels: { readonly severity: string };
    readonly annotations: { readonly summary: string };
  }
  const { groups } = parse(text('monitoring/alerts.yaml')) as { groups: { rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { expr, labels: said, annotations } of rules) {
    check(expr);
    expect(['critical', 'warning']).toContain(said.severity);
    expect(annotations.summary).toMatch(/\{\{ \$labels\.\w+ \}\}/);
  }
});

test('every metric has a help, a name of its own, and a unit where it has one', () => {
  expect(names.size).toBe(metricSpecs.length + 3 * histogramSpecs.length + 3);
  for (const { name, help, type } of metricSpecs) {
    expect(help.length).toBeGreaterThan(5);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
  }
  for (const { name } of histogramSpecs) expect(name).toMatch(/_seconds$/);
});

test('MONITORING.md names what is told by subject, subscriber and consumer', () => {
  const page = text('MONITORING.md');
  for (const name of ['events_published_total', 'events_delivered_total', 'events_dropped_total', 'lag'])
    expect(page).toContain(`| \`${name}\` |`);
});
