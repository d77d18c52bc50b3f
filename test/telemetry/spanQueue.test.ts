import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { spanBatchMax, spanDelayMs, spanExportMs, spansQueuedMax } from '../../src/base/limits.js';
import { telemetryLack } from '../../src/telemetry/packages.js';
import { SpanQueue } from '../../src/telemetry/spanQueue.js';

// Invariant 58 of docs/INVARIANTS.md.

type Answer = Parameters<SpanExporter['export']>[1];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function queueOf() {
  const batches: { readonly spans: number; readonly answer: Answer }[] = [];
  const counts = { exported: 0, failed: 0, dropped: 0, reason: '' };
  const exporter: SpanExporter = {
    export: (spans, answer) => batches.push({ spans: spans.length, answer }),
    shutdown: async () => {},
  };
  const queue = new SpanQueue(exporter, {
    onExported: (spans) => (counts.exported += spans),
    onFailed: (spans, reason) => Object.assign(counts, { failed: counts.failed + spans, reason }),
    onDropped: () => counts.dropped++,
  });
  const add = (spans: number) => {
    for (let i = 0; i < spans; i++) queue.onEnd({} as ReadableSpan);
  };
  return { queue, batches, counts, add };
}

test('spans go together, after a while, one batch at a time', async () => {
  const { batches, counts, add } = queueOf();
  add(3);
  expect(batches).toEqual([]);
  await vi.advanceTimersByTimeAsync(spanDelayMs);
  add(2);
  await vi.advanceTimersByTimeAsync(3 * spanDelayMs);
  expect(batches.map(({ spans }) => spans)).toEqual([3]);
  batches[0]!.answer({ code: 0 });
  await vi.advanceTimersByTimeAsync(spanDelayMs);
  expect(batches.map(({ spans }) => spans)).toEqual([3, 2]);
  batches[1]!.answer({ code: 1, error: new Error('no') });
  await vi.advanceTimersByTimeAsync(0);
  expect(counts).toEqual({ exported: 3, failed: 2, dropped: 0, reason: 'no' });
});

test('who never answers is given up, and what finds no room is counted', async () => {
  const { batches, counts, add } = queueOf();
  add(spanBatchMax);
  expect(batches).toHaveLength(1);
  add(spansQueuedMax + 5);
  expect(counts).toMatchObject({ failed: 0, dropped: 5 });
  await vi.advanceTimersByTimeAsync(spanExportMs);
  expect(counts).toMatchObject({ failed: spanBatchMax, reason: 'no answer' });
  await vi.advanceTimersByTimeAsync(spanDelayMs);
  expect(batches).toHaveLength(2);
});

test('an exporter that throws is one that refuses', async () => {
  const counts: string[] = [];
  const broken = {
    export: () => {
      throw new Error('broken');
    },
    shutdown: async () => {},
  };
  const queue = new SpanQueue(broken, {
    onExported: () => {},
    onFailed: (_, reason) => counts.push(reason),
    onDropped: () => {},
  });
  queue.onEnd({} as ReadableSpan);
  await queue.forceFlush();
  expect(counts).toEqual(['Error: broken']);
});

test('packages that are missing are named, with how to get them', () => {
  expect(telemetryLack(() => {})).toBeNull();
  const lack = telemetryLack((name) => {
    if (name.endsWith('/api')) throw new Error('not there');
  });
  expect(lack).toBe('needs packages that are not installed beside shardcast: npm install @opentelemetry/api@^1.9.0');
});
