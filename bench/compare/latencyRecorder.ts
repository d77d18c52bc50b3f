import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { nowNs } from './clock.js';

/** Three significant digits up to ten minutes. */
export function emptyHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600e6,
    numberOfSignificantValueDigits: 3,
  });
}

/**
 * Histogram (in µs) of receipt time minus the *intended* send time that each message carries as a double at the start of
 * its payload. A late generator or a stalled broker therefore counts against every message that was due meanwhile.
 */
export class LatencyRecorder {
  readonly #histogram = emptyHistogram();
  readonly #messageBytes: number;
  readonly #payloadOffset: number;
  /** Every how many messages one is recorded: a histogram of all of them could cost more than the broker. */
  readonly #stride: number;
  #untilNext = 0;
  #fromNs = Number.POSITIVE_INFINITY;
  #toNs = Number.POSITIVE_INFINITY;

  constructor(messageBytes: number, payloadOffset: number, stride: number) {
    this.#messageBytes = messageBytes;
    this.#payloadOffset = payloadOffset;
    this.#stride = stride;
  }

  /** Only messages meant to be sent within [fromNs, toNs) are recorded. */
  setWindow(fromNs: number, toNs: number): void {
    this.#fromNs = fromNs;
    this.#toNs = toNs;
  }

  /** Records `count` consecutive whole messages from `offset`, all received now. */
  record(chunk: Uint8Array, offset: number, count: number): void {
    let index = this.#untilNext;
    if (index < count) {
      const now = nowNs();
      const view = new DataView(chunk.buffer, chunk.byteOffset);
      for (; index < count; index += this.#stride) {
        const intended = view.getFloat64(offset + index * this.#messageBytes + this.#payloadOffset, true);
        if (intended >= this.#fromNs && intended < this.#toNs) {
          this.#histogram.recordValue(Math.max(0, Math.round((now - intended) / 1e3)));
        }
      }
    }
    this.#untilNext = index - count;
  }

  encoded(): string {
    return encodedHistogram(this.#histogram);
  }
}

/** A histogram in HdrHistogram's own interchange format. */
export function encodedHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram);
}

/** Percentiles of a run, in µs. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly samples: number;
}

/** Merges the histograms of several subscriber threads. */
export function mergeLatencies(encoded: readonly string[]): Latencies {
  const all = emptyHistogram();
  for (const part of encoded) all.add(decodeFromCompressedBase64(part, 32, false));
  return {
    p50: all.getValueAtPercentile(50),
    p99: all.getValueAtPercentile(99),
    p999: all.getValueAtPercentile(99.9),
    max: all.maxValue,
    samples: all.totalCount,
  };
}
