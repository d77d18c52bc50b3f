import { bucketCount, bucketEnd } from '../base/histogram.js';
import type { HistogramName } from '../base/tally.js';

export interface HistogramSpec {
  readonly name: string;
  readonly of: HistogramName;
  readonly help: string;
}

export const histogramSpecs: readonly HistogramSpec[] = [
  {
    name: 'shardcast_read_to_written_seconds',
    of: 'readToWritten',
    help: 'Messages of clients, from when they are read to when what they cause on the same thread is written, or is in the lanes to others.',
  },
  { name: 'shardcast_turn_seconds', of: 'turn', help: "Turns of shards' loops that had something to do." },
  { name: 'shardcast_loop_delay_seconds', of: 'delay', help: 'How late a timer of 100 ms came on a shard.' },
  { name: 'shardcast_commit_seconds', of: 'commit', help: 'Writes of blocks to journals.' },
  {
    name: 'shardcast_handler_seconds',
    of: 'handler',
    help: 'Handlers in process, until what they return has settled; of short ones some are timed, for all.',
  },
];

interface BucketSample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Two buckets to each power of two, up to a minute: few enough to be stored, and a quantile between them is a fifth off at most. */
export function bucketSamples(name: string, numbers: Float64Array): BucketSample[] {
  const samples: BucketSample[] = [];
  let [count, at] = [0, 0];
  for (let bound = 16, step = 8; bound <= 2 ** 26; bound += step) {
    for (; at < bucketCount && bucketEnd(at) <= bound; at++) count += numbers[at] as number;
    samples.push({ metricName: `${name}_bucket`, labels: { le: bound / 1e6 }, value: count });
    if (bound === 4 * step) step *= 2;
  }
  for (; at < bucketCount; at++) count += numbers[at] as number;
  samples.push({ metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count });
  samples.push({ metricName: `${name}_sum`, labels: {}, value: (numbers[bucketCount] as number) / 1e6 });
  samples.push({ metricName: `${name}_count`, labels: {}, value: count });
  return samples;
}
