import { assert } from '../base/assert.js';
import { latin1Bytes } from '../base/bytes.js';
import { fullness } from '../base/fullness.js';
import { layMessage } from '../base/laidMessage.js';
import {
  spanDeliveriesMax,
  spanEventsMax,
  spansUnderWayMax,
  traceDeliveriesMax,
  traceEventsMax,
  traceHeldBytesMax,
  tracesMax,
  tracesPerPublisherMax,
  traceUnits,
  traceWaitMs,
} from '../base/limits.js';
import { MessageView } from '../base/messageView.js';
import { placeOf } from '../base/span.js';
import { nowText } from '../base/timeText.js';
import { cost, textShift, zipShift } from '../base/work.js';
import type { SyncRole } from '../exchange/roles.js';
import { isSpanToken, syncCounterMax, type TokenKind, tokenKind, tokenOf } from '../exchange/syncToken.js';
import { isInternal } from '../protocol/deadLetter.js';
import type { ServerInfo } from '../protocol/info.js';
import { serverFields } from '../protocol/serverFields.js';
import { classifySubject } from '../protocol/subject.js';
import { type SpanStart, spanOf, type Told } from '../protocol/trace/messageSpan.js';
import { notListed, type TraceEvent } from '../protocol/trace/traceEvents.js';
import type { TraceOptions } from '../protocol/trace/traceHeaders.js';
import { readRequest, writeTrace } from '../protocol/trace/traceMessage.js';
import { readMessageId, type TraceContext } from '../protocol/trace/traceParent.js';
import type { Rights } from './rights.js';
import type { Router } from './router.js';
import type { SpanOutbox } from './spanOutbox.js';
import type { Topic } from './topic.js';

/** Who has messages traced. */
export interface TracingPublisher {
  readonly account: number;
  readonly rights: Rights | null;
  /** Its traces that are under way; kept by `Traces`. */
  tracing: number;
}

/** What is told of a delivery that is only counted. */
export const oneMore = '';

const nothingShown = { header: {}, msgsize: 0 };

/** What publishing traces needs of its thread. */
export interface TraceOffice {
  /** Has it looked up who takes the topic; false when that takes longer. */
  ready(topic: Topic): boolean;
  /** Publishes; false when there is no room. */
  publish(topic: Topic, message: MessageView): boolean;
  /** A publisher may have its next message traced. */
  onRoom(): void;
  /** Something is to be published. */
  requestTurn(): void;
  server(): ServerInfo;
}

/** What is wanted of a message: a trace that is published, a span, or both. */
export interface TraceParts {
  readonly traceOptions: TraceOptions | null;
  readonly span: SpanStart | null;
}

/** A message that is being traced, and what has become of it so far. */
export class Trace<P extends TracingPublisher = TracingPublisher> {
  readonly publisher: P;
  readonly traceOptions: TraceOptions | null;
  readonly span: SpanStart | null;
  /** The message as a trace shows it. */
  readonly request: { readonly header: Readonly<Record<string, readonly string[]>>; readonly msgsize: number };
  readonly told: Told[];
  /** Deliveries that nobody has told of yet, by gateway. What was told before it was announced counts below zero meanwhile. */
  readonly due = new Map<number, number>();
  /** Deliveries that were told and are not listed. */
  unlisted = 0;
  sequenced = false;
  dueMs = 0;
  heldBytes = 1_024;

  constructor(publisher: P, { traceOptions, span }: TraceParts, message: MessageView, events: readonly TraceEvent[]) {
    this.publisher = publisher;
    this.traceOptions = traceOptions;
    this.span = span;
    this.request = traceOptions === null ? nothingShown : readRequest(message, 0);
    this.told = events.map((event) => ({ event, thread: span?.shard ?? 0 }));
    for (const [name, values] of Object.entries(this.request.header))
      this.heldBytes += name.length + values.reduce((total, value) => total + value.length, 0);
  }

  get eventsMax(): number {
    return this.traceOptions === null ? spanEventsMax : traceEventsMax;
  }

  /** It was refused, or could not be put in order. */
  refuse(error: string): void {
    const [first] = this.told;
    assert(first !== undefined, 'where it came in is told first');
    this.told[0] = { ...first, event: { ...first.event, error } as TraceEvent };
  }

  get isWhole(): boolean {
    return this.sequenced && this.due.size === 0;
  }

  /** All has been told: how many deliveries are not listed is the last. */
  endList(): void {
    if (this.unlisted > 0)
      this.told.push({ event: notListed(nowText(), this.unlisted, this.unlisted), thread: this.span?.shard ?? 0 });
  }

  change(gateway: number, by: number): void {
    const due = (this.due.get(gateway) ?? 0) + by;
    if (due === 0) this.due.delete(gateway);
    else this.due.set(gateway, due);
  }
}

/**
 * Messages of this thread's publishers that are traced: what all threads tell of one is put together, and published where its publisher
 * has named. One a thread.
 */
export class Traces<P extends TracingPublisher = TracingPublisher> implements SyncRole {
  /** Traces that were not published since the start: nobody may publish there, or there was no room in time. */
  lost = 0;
  readonly #self: number;
  readonly #router: Router;
  readonly #office: TraceOffice;
  readonly #underWay = new Map<number, Trace<P>>();
  /** What is whole, and is to be published. */
  readonly #whole: Trace<P>[] = [];
  #heldBytes = 0;
  /** Messages under way of which nothing but a span is made. */
  #spanned = 0;
  #counter = 0;
  #sequence = 0;
  readonly #view = new MessageView();
  /** Where spans go; null where messages have none. */
  readonly spans: SpanOutbox | null;

  constructor(self: number, router: Router, office: TraceOffice, spans: SpanOutbox | null) {
    this.spans = spans;
    this.#self = self;
    this.#router = router;
    this.#office = office;
  }

  /** Traces that are not published yet. */
  get size(): number {
    return this.#underWay.size + this.#whole.length;
  }

  /** Whether a publisher may have one more message traced now; it is told when it may. */
  admits({ tracing }: P): boolean {
    return tracing < tracesPerPublisherMax && this.hasRoom;
  }

  get hasRoom(): boolean {
    return this.size - this.#spanned < tracesMax && this.#heldBytes < traceHeldBytesMax;
  }

  /** Whether one message more may have a span now; nobody waits for it. */
  get spansMore(): boolean {
    return this.spans?.allows === true && this.#spanned < spansUnderWayMax && this.#heldBytes < traceHeldBytesMax;
  }

  /** Whether a subject may be named for traces: as a reply may, and nothing that a client asks for makes the broker speak to itself. */
  static mayGoTo(destination: string): boolean {
    const { span, start, end } = placeOf(latin1Bytes(destination));
    return classifySubject(span.bytes, start, end) === 'literal' && !isInternal(destination);
  }

  /** A message is about to be published that is traced; returns its token. */
  begin(trace: Trace<P>): number {
    const kind = kindOf(trace);
    do this.#counter = (this.#counter % syncCounterMax) + 1;
    while (this.#underWay.has(tokenOf(kind, this.#self, this.#counter)));
    const token = tokenOf(kind, this.#self, this.#counter);
    this.beginAs(token, trace);
    return token;
  }

  /** The same under a token that its publisher waits for. */
  beginAs(token: number, trace: Trace<P>): void {
    trace.dueMs = performance.now() + traceWaitMs;
    this.#underWay.set(token, trace);
    this.#hold(trace);
  }

  /** It was not published after all. */
  cancel(token: number): void {
    const trace = this.#underWay.get(token);
    assert(trace !== undefined, 'what is not published was about to be');
    this.#underWay.delete(token);
    if (trace.span !== null) this.spans?.giveBack();
    this.#release(trace);
  }

  /** What became of a message is known at once. */
  end(trace: Trace<P>): void {
    this.#hold(trace);
    this.#complete(trace, true);
  }

  /** Whose message it is; null when that is not known any more. */
  publisherOf(token: number): P | null {
    return this.#underWay.get(token)?.publisher ?? null;
  }

  onExpected(token: number, gateway: number, change: number): void {
    this.#change(token, (trace) => trace.change(gateway, change));
  }

  onSequenced(token: number): void {
    this.#change(token, (trace) => {
      trace.sequenced = true;
    });
  }

  onTaken(token: number, gateway: number): void {
    this.#change(token, (trace) => trace.change(gateway, -1));
  }

  /** That it is not stored is told among the rest. */
  onRefused(): void {}

  onTold(token: number, thread: number, events: string): void {
    const trace = this.#underWay.get(token);
    if (trace === undefined) return;
    if (events === oneMore) {
      trace.unlisted++;
      return;
    }
    trace.heldBytes += events.length;
    this.#heldBytes += events.length;
    const room = Math.max(0, trace.eventsMax - trace.told.length);
    const more = JSON.parse(events) as TraceEvent[];
    for (const event of more.slice(0, room)) trace.told.push({ event, thread });
    trace.unlisted += Math.max(0, more.length - room);
  }

  /** Publishes what is whole, so much of it a turn: one at least. */
  doWork(): void {
    const nowMs = performance.now();
    const { work } = this.#router;
    const lastUnits = work.units + traceUnits;
    const count = this.#whole.length;
    let tried = 0;
    for (; tried < count && (tried === 0 || work.units < lastUnits); tried++) {
      const trace = this.#whole[tried];
      const isLate = nowMs > trace.dueMs;
      const posted = this.#post(trace);
      if (posted === 'waits' && !isLate) {
        this.#whole.push(trace);
        continue;
      }
      if (posted !== 'gone') this.lost++;
      this.#release(trace);
    }
    this.#whole.splice(0, tried);
    if (this.#whole.length > 0) this.#office.requestTurn();
  }

  /** Waits no longer for those who were to tell what became of a message. */
  tick(nowMs: number): void {
    for (const [token, trace] of this.#underWay) {
      // the oldest come first
      if (nowMs < trace.dueMs) return;
      this.#underWay.delete(token);
      this.#complete(trace, false);
    }
  }

  /** Nobody is left to publish anything. */
  abandon(): void {
    this.lost += this.size;
    this.#underWay.clear();
    this.#whole.length = 0;
  }

  #change(token: number, change: (trace: Trace<P>) => void): void {
    const trace = this.#underWay.get(token);
    if (trace === undefined) return;
    change(trace);
    if (!trace.isWhole) return;
    this.#underWay.delete(token);
    this.#complete(trace, true);
  }

  /** All is told, or nobody waits any longer for who has not told. */
  #complete(trace: Trace<P>, isWhole: boolean): void {
    trace.endList();
    if (trace.span !== null) this.spans?.add(spanOf(trace.span, trace.told, isWhole));
    if (trace.traceOptions === null) {
      this.#release(trace);
      return;
    }
    trace.dueMs = performance.now() + traceWaitMs;
    this.#whole.push(trace);
    this.#office.requestTurn();
  }

  #hold(trace: Trace<P>): void {
    if (trace.span !== null) this.spans?.take();
    // nobody waits for spans
    if (trace.traceOptions === null) this.#spanned++;
    else trace.publisher.tracing++;
    this.#heldBytes += trace.heldBytes;
  }

  #release(trace: Trace<P>): void {
    this.#heldBytes -= trace.heldBytes;
    if (trace.traceOptions === null) {
      this.#spanned--;
      return;
    }
    trace.publisher.tracing--;
    this.#office.onRoom();
  }

  #post({ traceOptions, publisher, request, told }: Trace<P>): 'gone' | 'waits' | 'denied' {
    assert(traceOptions !== null, 'what is published is to go somewhere');
    const { span, start, end } = placeOf(latin1Bytes(traceOptions.destination));
    const topic = this.#router.topics.obtain(span, start, end, publisher.account);
    if (topic.endpoint !== null || publisher.rights?.mayPublish(topic) === false) return 'denied';
    if (!this.#office.ready(topic)) return 'waits';
    if (!topic.allowed) return 'denied';
    if (!topic.goes) return 'gone';
    if (topic.fullness > fullness.dropping || this.#router.holds.isParked(topic)) return 'waits';
    const server = serverFields(this.#office.server(), ++this.#sequence);
    const events = told.map(({ event }) => event);
    const { block, payload, lengthBytes } = writeTrace(server, request, events, traceOptions.encodings);
    this.#router.work.units += cost.trace + (lengthBytes >> (block.length === 0 ? textShift : zipShift));
    layMessage(this.#view, [block, payload]);
    this.#view.setHeaders(block.length);
    return this.#office.publish(topic, this.#view) ? 'gone' : 'waits';
  }
}

/** What is told of it. */
export function kindOf({ traceOptions }: Trace): TokenKind {
  if (traceOptions === null) return tokenKind.spanned;
  return traceOptions.only ? tokenKind.onlyTraced : tokenKind.traced;
}

/** So many deliveries of a message are told by one thread, each by itself. */
export function deliveriesToldMax(token: number): number {
  return isSpanToken(token) ? spanDeliveriesMax : traceDeliveriesMax;
}

/** What is known of a message that is to have a span, before anything becomes of it. */
export function startOf(context: TraceContext, topic: Topic, message: MessageView, startUs: number): SpanStart {
  const headerBytes = message.headerBytes(0);
  const bodyBytes = message.ends[0] - message.starts[0] - headerBytes;
  return { context, startUs, shard: topic.owner, bodyBytes, headerBytes, messageId: readMessageId(message, 0) };
}
