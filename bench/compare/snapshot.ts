import { nowNs } from './clock.js';
import { cpuMicroseconds, hostCpuMicroseconds } from './processStats.js';

/** What is counted while a broker is driven. */
export interface Counted {
  readonly published: number;
  readonly delivered: number;
}

/** Counts and processor times at one moment. */
export interface Snapshot extends Counted {
  readonly atNs: number;
  readonly brokerUs: number;
  readonly generatorUs: number;
  readonly hostUs: number;
}

export function snapshot({ published, delivered }: Counted, pid: number): Snapshot {
  return {
    atNs: nowNs(),
    published,
    delivered,
    brokerUs: cpuMicroseconds(pid),
    generatorUs: cpuMicroseconds(process.pid),
    hostUs: hostCpuMicroseconds(),
  };
}

/** Rates and processor time of what lies between two moments; CPU in cores is CPU time / window. */
export interface Rates {
  readonly publishedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly brokerCpuUsPerDelivery: number;
  readonly brokerCores: number;
  readonly generatorCores: number;
  /** What else ran on this machine meanwhile: a large figure here spoils the run. */
  readonly otherCores: number;
}

export function ratesBetween(before: Snapshot, after: Snapshot): Rates {
  const elapsedUs = (after.atNs - before.atNs) / 1e3;
  const delivered = after.delivered - before.delivered;
  const brokerUs = after.brokerUs - before.brokerUs;
  const generatorUs = after.generatorUs - before.generatorUs;
  const otherUs = after.hostUs - before.hostUs - brokerUs - generatorUs;
  return {
    publishedPerSecond: ((after.published - before.published) * 1e6) / elapsedUs,
    deliveredPerSecond: (delivered * 1e6) / elapsedUs,
    brokerCpuUsPerDelivery: delivered > 0 ? brokerUs / delivered : Number.NaN,
    brokerCores: brokerUs / elapsedUs,
    generatorCores: generatorUs / elapsedUs,
    otherCores: Math.max(0, otherUs / elapsedUs),
  };
}
