import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import type { MessageSpan } from '../protocol/trace/messageSpan.js';
import { SpanQueue, type SpanQueueEvents } from './spanQueue.js';
import { writeSpan } from './spanWriter.js';

/** Who exports, and where to. */
export interface ExportSettings {
  /** As of `OTEL_EXPORTER_OTLP_ENDPOINT`, which holds where it is null. */
  readonly endpoint: string | null;
  readonly serverId: string;
  readonly version: string;
}

/** What takes spans. */
export interface SpanExporting {
  write(span: MessageSpan): void;
  /** Resolves when all that was written is exported, or has failed. */
  flush(): Promise<void>;
}

/** Where a collector takes spans, below its address. */
const tracesPath = 'v1/traces';

/** Exports spans by OTLP over HTTP, as the environment says (`OTEL_EXPORTER_OTLP_…`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`). Loaded where spans are asked for. */
export function beginExporting(
  { endpoint, serverId, version }: ExportSettings,
  events: SpanQueueEvents,
): SpanExporting {
  const exporter = new OTLPTraceExporter(
    endpoint === null ? {} : { url: `${endpoint.replace(/\/$/, '')}/${tracesPath}` },
  );
  const queue = new SpanQueue(exporter, events);
  const ours = { 'service.name': 'shardcast', 'service.version': version, 'service.instance.id': serverId };
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes(ours).merge(detectResources({ detectors: [envDetector] })),
    // that was decided where the message was read
    sampler: new AlwaysOnSampler(),
    spanProcessors: [queue],
  });
  const tracer = provider.getTracer('shardcast', version);
  return { write: (span) => writeSpan(tracer, span), flush: () => queue.forceFlush() };
}
