import { accountName, mainAccount } from '../base/account.js';
import { readableText } from '../base/bytes.js';
import { traceDeliveriesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { nowText } from '../base/timeText.js';
import type { Exchange } from '../exchange/exchange.js';
import { serviceEvents } from '../protocol/trace/serviceEvents.js';
import { eventTexts, type TraceEvent } from '../protocol/trace/traceEvents.js';
import { firstTraced, readTraceOptions } from '../protocol/trace/traceHeaders.js';
import { readRequest } from '../protocol/trace/traceMessage.js';
import type { Rights } from '../router/rights.js';
import type { Topic } from '../router/topic.js';
import { Trace, Traces } from '../router/traces.js';
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
    const traceOptions = firstTraced(message) === 0 ? readTraceOptions(message, 0) : null;
    if (traceOptions === null) return 0;
    const otherwise = traceOptions.only ? 'nothing' : 0;
    // nothing waits for another trace to end: the message goes without
    if (!Traces.mayGoTo(traceOptions.destination) || !this.#traces.hasRoom) return otherwise;
    const ts = nowText();
    const subj = readableText(topic.text);
    const events: TraceEvent[] = [{ type: 'in', ts, ...inProcess, acc: accountName(mainAccount), subj }];
    const trace = new Trace(this.#publisher, traceOptions, readRequest(message, 0), events);
    if (topic.endpoint !== null) events.push(...serviceEvents(topic.text, ts));
    if (topic.goes && (topic.endpoint === null || topic.endpoint.answerer === 'shard')) {
      if (topic.endpoint === null || !traceOptions.only) return this.#traces.begin(trace);
    }
    this.#traces.end(trace);
    return topic.endpoint === null ? 0 : otherwise;
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
  const events = subscriptions.slice(0, traceDeliveriesMax).map(({ subject, queue }): TraceEvent => {
    const group = queue === '' ? {} : { queue: readableText(queue) };
    return { type: 'eg', ts, ...inProcess, sub: readableText(subject), ...group };
  });
  for (const text of eventTexts(events)) exchange.syncTold(token, text);
}
