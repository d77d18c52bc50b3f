import {
  type Attributes,
  type HrTime,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { MessageSpan } from '../protocol/trace/messageSpan.js';

const sampled = 1;

/** Makes spans by the conventions for messaging: <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>. */
export function writeSpan(tracer: Tracer, span: MessageSpan): void {
  const { traceId, parentId } = span.context;
  const parent = trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId: parentId,
    traceFlags: sampled,
    isRemote: true,
    ...(span.context.state === '' ? {} : { traceState: stateOf(span.context.state) }),
  });
  const written = tracer.startSpan(
    `process ${span.subject}`,
    { kind: SpanKind.CONSUMER, startTime: timeOf(span.startUs), attributes: attributesOf(span) },
    parent,
  );
  for (const { name, timeUs, attributes } of span.events) written.addEvent(name, attributes, timeOf(timeUs));
  if (span.error !== '') written.setStatus({ code: SpanStatusCode.ERROR, message: span.error });
  written.end(timeOf(span.endUs));
}

function attributesOf(span: MessageSpan): Attributes {
  return {
    'messaging.system': 'nats',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': span.subject,
    'messaging.client.id': span.clientId,
    'messaging.message.body.size': span.bodyBytes,
    'messaging.message.envelope.size': span.bodyBytes + span.headerBytes,
    ...(span.messageId === '' ? {} : { 'messaging.message.id': span.messageId }),
    ...(span.clientName === '' ? {} : { 'shardcast.client.name': span.clientName }),
    'shardcast.shard': span.shard,
    'shardcast.deliveries': span.deliveries,
    ...(span.stream === '' ? {} : { 'shardcast.stream.name': span.stream }),
    ...(span.sequence === 0 ? {} : { 'shardcast.stream.sequence': span.sequence }),
    ...(span.isWhole ? {} : { 'shardcast.incomplete': true }),
    ...(span.error === '' ? {} : { 'error.type': '_OTHER' }),
  };
}

/** What vendors have said is passed on as it is: nobody here reads it. */
function stateOf(text: string) {
  const state = { get: () => undefined, set: () => state, unset: () => state, serialize: () => text };
  return state;
}

function timeOf(timeUs: number): HrTime {
  return [Math.floor(timeUs / 1e6), Math.round((timeUs % 1e6) * 1000)];
}
