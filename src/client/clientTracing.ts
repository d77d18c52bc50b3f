import { accountName, mainAccount } from '../base/account.js';
import { readableText } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { microsecondsAt, nowText } from '../base/timeText.js';
import type { Exchange } from '../exchange/exchange.js';
import type { SpanStart } from '../protocol/trace/messageSpan.js';
import { serviceEvents } from '../protocol/trace/serviceEvents.js';
import { eventTexts, type TraceEvent } from '../protocol/trace/traceEvents.js';
import { firstTraced, readTraceOptions } from '../protocol/trace/traceHeaders.js';
import { readSampled } from '../protocol/trace/traceParent.js';
import type { Rights } from '../router/rights.js';
import type { Topic } from '../router/topic.js';
import { deliveriesToldMax, startOf, Trace, Traces } from '../router/traces.js';
import type { Subscription } from './subscription.js';

/** What traces call publishers and subscribers that are no connections. */
const inProcess = { kind: 0, cid: 0, name: 'in process' } as const;

/** Has messages traced that this thread publishes. */
export class ClientTracing {
  readonly #traces: Traces;
  readonly #publisher: { account: number; rights: Rights | null; tracing: number };

  constructor(traces: Traces, rights: Rights | null) {
    this.#traces = traces;
    this.#publisher = { account: mainAccount, rights, tracing: 0 };
  }

  /**
   * Begins the trace of a message with headers that is about to be published.
   *
   * @returns its token; 0 when it is published as any other, 'nothing' when it is not published at all
   */
  begin(topic: Topic, message: MessageView): number | 'nothing' {
    const trace = this.prepare(topic, message);
    if (trace === 'nothing') return trace;
    return trace === null ? 0 : this.#traces.begin(trace);
  }

  /** A message is about to be published under a token that its publisher waits for, with what was prepared for it. */
  beginAs(token: number, trace: Trace): void {
    this.#traces.beginAs(token, trace);
  }

  /**
   * What is to be told of a message with headers.
   *
   * @returns null when it is published as any other, 'nothing' when it is not published at all
   */
  prepare(topic: Topic, message: MessageView): Trace | null | 'nothing' {
    const traceOptions = firstTraced(message) === 0 ? readTraceOptions(message, 0) : null;
    // nothing waits for another trace to end: the message goes without
    const goes = traceOptions !== null && Traces.mayGoTo(traceOptions.destination) && this.#traces.hasRoom;
    const otherwise = traceOptions?.only ? 'nothing' : null;
    const span = otherwise === null ? this.#spanOf(topic, message) : null;
    if (!goes && span === null) return otherwise;
    const ts = nowText();
    const subj = readableText(topic.text);
    const events: TraceEvent[] = [{ type: 'in', ts, ...inProcess, acc: accountName(mainAccount), subj }];
    if (topic.endpoint !== null) events.push(...serviceEvents(topic.text, ts));
    const trace = new Trace(this.#publisher, { traceOptions: goes ? traceOptions : null, span }, message, events);
    if (topic.goes && (topic.endpoint === null || topic.endpoint.answerer === 'shard')) {
      if (topic.endpoint === null || !traceOptions?.only) return trace;
    }
    this.#traces.end(trace);
    return topic.endpoint === null ? null : otherwise;
  }

  /** What a message's span begins with; null where it has none, as requests to the broker. */
  #spanOf(topic: Topic, message: MessageView): SpanStart | null {
    if (topic.endpoint !== null || !this.#traces.spansMore) return null;
    const context = readSampled(message, 0);
    return context === null ? null : startOf(context, topic, message, microsecondsAt(performance.now()));
  }

  /** It was not published after all. */
  cancel(token: number): void {
    if (token !== 0) this.#traces.cancel(token);
  }
}

/** Tells the publisher of a message that is traced which subscribers of this thread get it, or would. */
export function tellSubscribers(
  exchange: Pick<Exchange<Topic>, 'syncTold'>,
  token: number,
  subscriptions: readonly Subscription[],
): void {
  const ts = nowText();
  const most = deliveriesToldMax(token);
  const events = subscriptions.slice(0, most).map(({ subject, queue }): TraceEvent => {
    const group = queue === '' ? {} : { queue: readableText(queue) };
    return { type: 'eg', ts, ...inProcess, sub: readableText(subject), ...group };
  });
  const more = subscriptions.length - events.length;
  if (more > 0) events.push({ type: 'eg', ts, ...inProcess, sub: '', error: `${more} more are not listed`, more });
  for (const text of eventTexts(events)) exchange.syncTold(token, text);
}
