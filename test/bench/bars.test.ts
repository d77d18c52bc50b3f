import { expect, it } from 'vitest';
import { judge } from '../../bench/compare/bars.js';
import { scenarios } from '../../bench/compare/scenarios.js';
import { type RunResult, summarise } from '../../bench/compare/summary.js';

const scenario = scenarios.find(({ id }) => id === '1-1-16')!;

function round(deliveredPerSecond: number, cpuUs: number, connectionsLost = 0): RunResult {
  return {
    kind: 'load',
    publishedPerSecond: deliveredPerSecond,
    deliveredPerSecond,
    brokerCpuUsPerDelivery: cpuUs,
    brokerCores: 1,
    generatorCores: 0.1,
    otherCores: 0,
    peakMemoryBytes: 1e6,
    latencies: null,
    missing: 0,
    stillToCome: 0,
    connectionsLost,
    errors: [],
  };
}

const peer = summarise('nats-server', [round(100, 1), round(90, 1.1), round(5_000, 0.9)]);

it('judges the ratios of medians', () => {
  const subject = summarise('shardcast', [round(160, 0.5), round(1, 9), round(170, 0.6)]);
  expect(judge(scenario, subject, [subject, peer]).map(({ measured, met }) => [measured, met])).toEqual([
    [1.6, true],
    [0.6, true],
  ]);
});

it('a bar is not met without the peer, nor by a run that lost a connection', () => {
  const subject = summarise('shardcast', [round(500, 0.1)]);
  const spoiled = summarise('shardcast', [round(500, 0.1, 1)]);
  expect(judge(scenario, subject, [subject]).every(({ met, measured }) => !met && measured === null)).toBe(true);
  expect(judge(scenario, spoiled, [spoiled, peer]).some(({ met }) => met)).toBe(false);
});
