import { microsecondsOf } from '../../base/timeText.js';
import type { TraceEvent } from './traceEvents.js';
import type { TraceContext } from './traceParent.js';

/** What is known of a message that has a span before it is put in order. */
export interface SpanStart {
  readonly context: TraceContext;
  /** When it was read, in microseconds since 1970. */
  readonly startUs: number;
  /** Who puts it in order. */
  readonly shard: number;
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** The id by which streams know it again; '' where it has none. */
  readonly messageId: string;
}

/** Something that became of it, where, and when. */
export interface SpanEvent {
  readonly name: 'deliver' | 'store';
  readonly timeUs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** A message as its span shows it; it can be posted. */
export interface MessageSpan extends SpanStart {
  readonly endUs: number;
  readonly subject: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly deliveries: number;
  readonly stream: string;
  /** In the stream; 0 where none has it. */
  readonly sequence: number;
  readonly events: readonly SpanEvent[];
  /** Why it was refused, or not stored; '' when it was not. */
  readonly error: string;
  /** Whether all threads have told in time what they did with it. */
  readonly isWhole: boolean;
}

/** Something that was told of a message, and the thread that did. */
export interface Told {
  readonly event: TraceEvent;
  readonly thread: number;
}

/** Makes a span of what was told of a message; its publisher's thread has told first. */
export function spanOf(start: SpanStart, told: readonly Told[], isWhole: boolean): MessageSpan {
  const span = {
    ...start,
    endUs: start.startUs,
    subject: '',
    clientId: '',
    clientName: '',
    deliveries: 0,
    stream: '',
    sequence: 0,
    events: [] as SpanEvent[],
    error: '',
    isWhole,
  };
  for (const { event, thread } of told) {
    const timeUs = microsecondsOf(event.ts);
    span.endUs = Math.max(span.endUs, timeUs);
    if (event.type === 'in') {
      span.subject = event.subj;
      span.clientId = `${event.cid}`;
      span.clientName = event.name ?? '';
      span.error = event.error ?? '';
    } else if (event.type === 'eg') {
      if (event.error === undefined) span.deliveries++;
      span.deliveries += event.more ?? 0;
      if (event.more === undefined)
        span.events.push({ name: 'deliver', timeUs, attributes: deliveryOf(event, thread) });
    } else if (event.type === 'js') {
      span.stream = event.stream;
      span.sequence = event.sequence ?? 0;
      span.error = event.error ?? span.error;
      span.events.push({ name: 'store', timeUs, attributes: storeOf(event, thread) });
    }
  }
  return span;
}

type EventOf<T extends TraceEvent['type']> = Extract<TraceEvent, { type: T }>;

function deliveryOf({ cid, name, sub, queue, error }: EventOf<'eg'>, shard: number): SpanEvent['attributes'] {
  return {
    'messaging.client.id': `${cid}`,
    ...(name === undefined ? {} : { 'shardcast.client.name': name }),
    'messaging.destination.subscription.name': sub,
    ...(queue === undefined ? {} : { 'messaging.consumer.group.name': queue }),
    'shardcast.thread': shard,
    ...(error === undefined ? {} : { 'shardcast.not_delivered': error }),
  };
}

function storeOf({ stream, sequence, error, nointerest }: EventOf<'js'>, shard: number): SpanEvent['attributes'] {
  return {
    'shardcast.stream.name': stream,
    ...(sequence === undefined ? {} : { 'shardcast.stream.sequence': sequence }),
    ...(nointerest === undefined ? {} : { 'shardcast.stream.no_interest': true }),
    'shardcast.thread': shard,
    ...(error === undefined ? {} : { 'shardcast.not_stored': error }),
  };
}
