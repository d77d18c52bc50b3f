import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { spanBatchMax, spanDelayMs, spanExportMs, spansQueuedMax } from '../base/limits.js';

/** Told of what became of spans. */
export interface SpanQueueEvents {
  onExported(spans: number): void;
  /** Whoever takes spans has not taken these, or nobody does. */
  onFailed(spans: number, reason: string): void;
  /** There was no room for this one. */
  onDropped(): void;
}

const success = 0;
/** How long a span may wait for others to go with it, and how many do, as OpenTelemetry's own queue is told. */
const delayMs = Number(process.env.OTEL_BSP_SCHEDULE_DELAY) || spanDelayMs;
const queuedMax = Number(process.env.OTEL_BSP_MAX_QUEUE_SIZE) || spansQueuedMax;

/** Spans that wait to be exported: a bounded number, one batch at a time. Made instead of the SDK's own since that does not say what it drops. */
export class SpanQueue implements SpanProcessor {
  readonly #exporter: SpanExporter;
  readonly #events: SpanQueueEvents;
  #spans: ReadableSpan[] = [];
  #delay: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;

  constructor(exporter: SpanExporter, events: SpanQueueEvents) {
    this.#exporter = exporter;
    this.#events = events;
  }

  onStart(_span: unknown, _context: Context): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#spans.length >= queuedMax) {
      this.#events.onDropped();
      return;
    }
    this.#spans.push(span);
    if (this.#spans.length >= spanBatchMax) this.#begin();
    else this.#beginLater(delayMs);
  }

  /** Resolves when nothing waits any more. */
  async forceFlush(): Promise<void> {
    while (this.#spans.length > 0 || this.#underWay !== null) {
      this.#begin();
      await this.#underWay;
    }
  }

  async shutdown(): Promise<void> {
    await this.#exporter.shutdown();
  }

  /** Begins after a while, unless an export is under way: the next one follows it. */
  #beginLater(afterMs: number): void {
    if (this.#underWay === null) this.#delay ??= setTimeout(() => this.#begin(), afterMs);
  }

  #begin(): void {
    if (this.#underWay !== null || this.#spans.length === 0) return;
    if (this.#delay !== null) clearTimeout(this.#delay);
    this.#delay = null;
    const batch = this.#spans.splice(0, spanBatchMax);
    this.#underWay = this.#export(batch).then((reason) => {
      this.#underWay = null;
      if (reason === null) this.#events.onExported(batch.length);
      else this.#events.onFailed(batch.length, reason);
      if (this.#spans.length > 0) this.#beginLater(reason === null ? 0 : delayMs);
    });
  }

  /** Resolves with why the spans were not taken; null when they were. */
  #export(batch: ReadableSpan[]): Promise<string | null> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve('no answer'), spanExportMs);
      const end = (reason: string | null): void => {
        clearTimeout(late);
        resolve(reason);
      };
      try {
        this.#exporter.export(batch, ({ code, error }) =>
          end(code === success ? null : error?.message || error?.name || 'refused'),
        );
      } catch (error) {
        end(String(error));
      }
    });
  }
}
