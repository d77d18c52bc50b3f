import { readableText } from '../base/bytes.js';
import { traceNameMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { nowText } from '../base/timeText.js';
import { cost, type Work } from '../base/work.js';
import type { Exchange } from '../exchange/exchange.js';
import { isTraceOnly, isTraceToken } from '../exchange/syncToken.js';
import { eventTexts, notListed, type TraceEvent } from '../protocol/trace/traceEvents.js';
import type { Topic } from '../router/topic.js';
import { deliveriesToldMax, oneMore, type Traces } from '../router/traces.js';
import type { Connection } from './connection.js';
import type { FanoutPlan } from './fanoutPlan.js';
import type { Subscription } from './subscription.js';

const noEcho = 'Not delivered because of no echo';
const denied = 'Not delivered because subscription denies this subject';

type TellingExchange = Pick<Exchange<Topic>, 'syncTold' | 'syncTaken'>;

/** Tells the publishers of messages that are traced who gets them on this thread, or would. */
export class TracedDelivery {
  readonly #exchange: TellingExchange;
  readonly #work: Work;
  readonly #traces: Pick<Traces<Connection>, 'publisherOf'>;
  /** The message whose members of groups were told last, and how many. */
  #memberToken = 0;
  #membersTold = 0;

  constructor(exchange: TellingExchange, work: Work, traces: Pick<Traces<Connection>, 'publisherOf'>) {
    this.#exchange = exchange;
    this.#work = work;
    this.#traces = traces;
  }

  /** A message is about to be delivered by a plan. Returns true when that is all: it is only traced. */
  tells(plan: FanoutPlan, message: MessageView): boolean {
    const token = message.syncToken;
    if (!isTraceToken(token)) return false;
    if (message.exceptConnection === 0) message.exceptConnection = this.#senderWithoutEcho(token);
    this.#tell(token, this.#eventsOf(plan, message.exceptConnection, deliveriesToldMax(token)));
    if (!isTraceOnly(token)) return false;
    this.#exchange.syncTaken(token);
    return true;
  }

  /** A message has come for a group. What has come by a lane from who wants no echo is one of those from now on: no lane could say both again. */
  beginMember(message: MessageView): void {
    const token = message.syncToken;
    if (!isTraceToken(token) || message.exceptConnection !== 0) return;
    message.exceptConnection = this.#senderWithoutEcho(token);
    if (message.exceptConnection === 0) return;
    this.#exchange.syncTaken(token);
    message.syncToken = 0;
  }

  /** A member of a group gets a message that has a token. */
  tellMember(token: number, subscription: Subscription): void {
    if (!isTraceToken(token)) return;
    if (token !== this.#memberToken) {
      this.#memberToken = token;
      this.#membersTold = 0;
    }
    if (this.#membersTold++ < deliveriesToldMax(token)) {
      this.#tell(token, [egress(subscription, nowText())]);
      return;
    }
    this.#work.units += cost.queueMessage;
    this.#exchange.syncTold(token, oneMore);
  }

  #tell(token: number, events: readonly TraceEvent[]): void {
    this.#work.units += events.length * cost.tracedDelivery;
    for (const text of eventTexts(events)) this.#exchange.syncTold(token, text);
  }

  /** The publisher, if it is of this thread and wants no echo; else 0. */
  #senderWithoutEcho(token: number): number {
    const connection = this.#traces.publisherOf(token);
    return connection === null || connection.options.echo ? 0 : connection.id;
  }

  #eventsOf(plan: FanoutPlan, exceptConnection: number, most: number): TraceEvent[] {
    const ts = nowText();
    const events: TraceEvent[] = [];
    let unlisted = 0;
    let more = 0;
    for (const [subscription, error] of takers(plan, exceptConnection)) {
      if (events.length < most) events.push(egress(subscription, ts, error));
      else {
        unlisted++;
        if (error === undefined) more++;
      }
    }
    if (unlisted > 0) events.push(notListed(ts, unlisted, more));
    return events;
  }
}

/** All plain subscriptions by a plan, with why one does not get the message. */
function* takers(plan: FanoutPlan, exceptConnection: number): Generator<[Subscription, string | undefined]> {
  const whyNot = ({ connection }: Subscription) => (connection.id === exceptConnection ? noEcho : undefined);
  for (const { subscriptions } of plan.entries) for (const each of subscriptions) yield [each, whyNot(each)];
  for (const { subscription } of plan.limited) yield [subscription, whyNot(subscription)];
  for (const { subscriptions } of plan.policed) for (const each of subscriptions) yield [each, whyNot(each)];
  for (const each of plan.listening) yield [each, whyNot(each)];
  for (const each of plan.denied) if (each.queue === '') yield [each, denied];
}

function egress({ connection, subject, queue }: Subscription, ts: string, error?: string): TraceEvent {
  return {
    type: 'eg',
    ts,
    kind: 0,
    cid: connection.id,
    ...nameOf(connection),
    sub: readableText(subject),
    ...(queue === '' ? {} : { queue: readableText(queue) }),
    ...(error === undefined ? {} : { error }),
  };
}

/** What a client calls itself; nothing where it has no name. */
export function nameOf({ options }: Connection): { name?: string } {
  return options.name === '' ? {} : { name: options.name.slice(0, traceNameMax) };
}
