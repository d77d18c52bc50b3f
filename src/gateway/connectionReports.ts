import { readableText } from '../base/bytes.js';
import { closedSubscriptionsKept, reportPageMs, reportPageRows } from '../base/limits.js';
import type { ConnectionReport, SubscriptionReport } from '../base/reports.js';
import type { Connection } from './connection.js';
import type { Subscription } from './subscription.js';

/** Connections that have ended, the latest of them: the first one that was noted makes room. */
export class ClosedConnections {
  readonly #max: number;
  readonly #reports: ConnectionReport[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  note(report: ConnectionReport): void {
    this.#reports[this.#next] = report;
    this.#next = (this.#next + 1) % this.#max;
  }

  [Symbol.iterator](): Iterator<ConnectionReport> {
    return this.#reports.values();
  }
}

/** What is told of a connection as it is. */
export function reportConnection(connection: Connection): ConnectionReport {
  const { id, remoteAddress, remotePort, traffic, options, subscriptions, clock, pendingBytes } = connection;
  const { inMessages, inBytes, outMessages, outBytes, startMs, activeMs } = traffic;
  const { name, lang, version, user } = options;
  return {
    id,
    account: connection.account,
    kind: kindOf(connection),
    address: remoteAddress,
    port: remotePort,
    startMs,
    activeMs,
    end: null,
    rttMs: clock.rttMs,
    pendingBytes,
    inMessages,
    inBytes,
    outMessages,
    outBytes,
    subscriptions: subscriptions.size,
    name,
    lang,
    version,
    user: user ?? '',
  };
}

/** What is kept of a connection that ends now. */
export function reportEnd(connection: Connection, reason: string): ConnectionReport {
  const had: SubscriptionReport[] = [];
  for (const subscription of connection.subscriptions.values()) {
    if (had.length === closedSubscriptionsKept) break;
    had.push(reportSubscription(subscription));
  }
  return { ...reportConnection(connection), end: { ms: Date.now(), reason }, had };
}

export function reportSubscription({
  connection,
  subject,
  queue,
  sid,
  delivered,
  maxMessages,
}: Subscription): SubscriptionReport {
  return {
    account: connection.account,
    connection: connection.id,
    subject: readableText(subject),
    queue: readableText(queue),
    sid: readableText(sid),
    messages: delivered,
    messagesMax: maxMessages,
  };
}

/** What becomes of something that is walked over: it is told, only counted, or left out. */
export type Told<R> = R | 'counted' | 'ignored';

interface Rows<R> {
  readonly rows: R[];
  readonly passed: number;
}

/** Pages of what there is of something: as much as fits in a page, or in its time. */
export function* pagesOf<T, R extends object>(
  things: Iterable<T>,
  tell: (thing: T) => Told<R>,
): Generator<Rows<R>, void> {
  let rows: R[] = [];
  let [passed, seen] = [0, 0];
  let endMs = performance.now() + reportPageMs;
  for (const thing of things) {
    const told = tell(thing);
    if (told === 'counted') passed++;
    else if (told !== 'ignored') rows.push(told);
    const isFull = rows.length === reportPageRows;
    if (!isFull && (++seen % looksEvery !== 0 || performance.now() < endMs)) continue;
    yield { rows, passed };
    rows = [];
    passed = 0;
    endMs = performance.now() + reportPageMs;
  }
  yield { rows, passed };
}

/** So many are walked over between two looks at the clock. */
const looksEvery = 16;

/** By which door it came. */
export function kindOf({ dialect, frameOpcode }: Connection): ConnectionReport['kind'] {
  if (dialect.textual) return 'jsonl';
  return frameOpcode === 0 ? 'nats' : 'websocket';
}
