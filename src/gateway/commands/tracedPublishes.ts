import { accountName } from '../../base/account.js';
import { latin1String, readableText } from '../../base/bytes.js';
import type { MessageView } from '../../base/messageView.js';
import { microsecondsAt, nowText } from '../../base/timeText.js';
import { cost, headerTextShift, zipShift } from '../../base/work.js';
import { errors, publishDenied, reservedReply, topicFull } from '../../protocol/errors.js';
import type { Publication } from '../../protocol/publication.js';
import { isReservedReply } from '../../protocol/subject.js';
import { serviceEvents } from '../../protocol/trace/serviceEvents.js';
import type { TraceEvent } from '../../protocol/trace/traceEvents.js';
import { readTraceOptions, type TraceOptions } from '../../protocol/trace/traceHeaders.js';
import { readSampled, type TraceContext } from '../../protocol/trace/traceParent.js';
import { isWorkReply } from '../../protocol/workReply.js';
import type { Topic } from '../../router/topic.js';
import { startOf, Trace, Traces } from '../../router/traces.js';
import type { Connection } from '../connection.js';
import { nameOf } from '../tracedDelivery.js';
import type { CommandsHost } from './host.js';
import type { Verdicts } from './verdicts.js';

/** The steps of a publish, as every message takes them. Of a number that is returned: how many were taken or refused, 0 when it waits; -1 when it goes on. */
export interface PublishSteps {
  publishPlain(connection: Connection, publication: Publication): number;
  waitForPlan(topic: Topic): number;
  answerHere(connection: Connection, topic: Topic, message: MessageView): number;
  waitOrRefuse(connection: Connection, topic: Topic, message: MessageView): number;
  isUnanswered(connection: Connection, topic: Topic, message: MessageView): boolean;
  accept(connection: Connection, topic: Topic): void;
}

/** Publishes messages whose publisher has them traced, one by one. */
export class TracedPublishes {
  readonly #host: CommandsHost;
  readonly #verdicts: Verdicts;
  readonly #steps: PublishSteps;

  constructor(host: CommandsHost, verdicts: Verdicts, steps: PublishSteps) {
    this.#host = host;
    this.#verdicts = verdicts;
    this.#steps = steps;
  }

  /** Publishes the first message of a run, which has a header that says so. @returns how many were taken */
  publish(connection: Connection, publication: Publication): number {
    publication.cut(1);
    const { message, subjectStart, subjectEnd, tainted } = publication;
    const mayBeTraced = !tainted && connection.options.headers && !isWorkReply(message.bytes, subjectStart, subjectEnd);
    const traceOptions = mayBeTraced ? readTraceOptions(message, 0) : null;
    const goes = traceOptions !== null && Traces.mayGoTo(traceOptions.destination);
    // as with nats-server nobody gets what is only to be traced, and cannot be
    if (traceOptions?.only && !goes) {
      this.#verdicts.accept(connection);
      return 1;
    }
    const context = mayBeTraced && !traceOptions?.only && this.#host.tracing.spansMore ? readSampled(message, 0) : null;
    if (!goes && context === null) return this.#steps.publishPlain(connection, publication);
    return this.#publish(connection, publication, goes ? traceOptions : null, context);
  }

  #publish(
    connection: Connection,
    publication: Publication,
    traceOptions: TraceOptions | null,
    context: TraceContext | null,
  ): number {
    const { router, tracing } = this.#host;
    const { message, subjectStart, subjectEnd } = publication;
    if (traceOptions !== null && !tracing.admits(connection)) return 0;
    const topic = router.topics.obtain(message.span, subjectStart, subjectEnd, connection.account);
    connection.topic = topic;
    if (!router.ready(topic) || router.ahead?.has(topic)) return this.#steps.waitForPlan(topic);
    const span =
      context === null || topic.endpoint !== null
        ? null
        : startOf(context, topic, message, microsecondsAt(connection.traffic.readMs));
    // requests to the broker have none
    if (traceOptions === null && span === null) return this.#steps.publishPlain(connection, publication);
    router.work.units += costOf(traceOptions, message);
    const subject = latin1String(message.bytes, subjectStart, subjectEnd);
    const ingress = {
      type: 'in',
      ts: nowText(),
      kind: 0,
      cid: connection.id,
      ...nameOf(connection),
      acc: accountName(connection.account),
      subj: readableText(subject),
    } as const;
    const refused = this.#refuse(connection, topic, message);
    const events: TraceEvent[] = [refused === null ? ingress : { ...ingress, error: readableText(refused) }];
    if (refused === null && topic.endpoint !== null) events.push(...serviceEvents(subject, nowText()));
    const trace = new Trace(connection, { traceOptions, span }, message, events);
    if (refused !== null) {
      tracing.end(trace);
      return 1;
    }
    if (topic.endpoint !== null) {
      if (traceOptions?.only) return this.#endUnserved(connection, topic, message, trace);
      if (topic.endpoint.answerer === 'gateway') {
        const taken = this.#steps.answerHere(connection, topic, message);
        if (taken > 0) tracing.end(trace);
        return taken;
      }
    }
    return this.#send(connection, topic, message, trace);
  }

  /** Refuses what its publisher may not publish so, as every message is; returns why. */
  #refuse(connection: Connection, topic: Topic, message: MessageView): string | null {
    const { rights, options } = connection;
    if (rights?.mayPublish(topic) === false) {
      this.#verdicts.deny(connection, topic, 1);
      return publishDenied(topic.text).text;
    }
    if (message.withReplies && isReservedReply(message.bytes, message.replyStarts[0], message.replyEnds[0])) {
      this.#verdicts.refuseReply(connection, message);
      return reservedReply(message.replyText(0)).text;
    }
    if (topic.endpoint?.answerer === 'gateway') return null;
    const isPedantic = options.pedantic && topic.kind !== 'literal';
    if (!isPedantic && topic.allowed) return null;
    const error = isPedantic ? errors.invalidPublishSubject : errors.unknownTopic;
    this.#verdicts.refusePublish(connection, 1, error);
    return error.text;
  }

  /** A request to the broker itself that is only traced is answered by nobody. */
  #endUnserved(connection: Connection, topic: Topic, message: MessageView, trace: Trace<Connection>): number {
    const { answers, tracing } = this.#host;
    const { options } = connection;
    tracing.end(trace);
    if (message.withReplies && options.noResponders) answers.noResponders(connection, topic, message, 1);
    this.#verdicts.accept(connection);
    return 1;
  }

  #send(connection: Connection, topic: Topic, message: MessageView, trace: Trace<Connection>): number {
    const { answers, tracing, meter, self } = this.#host;
    let unanswered = this.#steps.isUnanswered(connection, topic, message);
    if (topic.goes) {
      const waits = this.#steps.waitOrRefuse(connection, topic, message);
      if (waits > 0) {
        trace.refuse(readableText(topicFull(topic.text).text));
        tracing.end(trace);
      }
      if (waits >= 0) return waits;
      // the reply may be the topic itself
      unanswered = this.#steps.isUnanswered(connection, topic, message);
      if (!this.#sendTo(connection, topic, message, trace)) return 0;
      if (topic.owner !== self) connection.order.noteSent();
    } else {
      topic.published++;
      meter.noteUnwanted(1);
      tracing.end(trace);
    }
    if (unanswered) answers.noResponders(connection, topic, message, 1);
    this.#steps.accept(connection, topic);
    return 1;
  }

  #sendTo(connection: Connection, topic: Topic, message: MessageView, trace: Trace<Connection>): boolean {
    const { tracing, stores, exchange, apiCallers } = this.#host;
    const token = tracing.begin(trace);
    const isAnsweredLater = connection.requestId !== null && topic.captured;
    if (isAnsweredLater) stores.begin(connection, token);
    message.exceptConnection = connection.options.echo ? 0 : connection.id;
    message.syncToken = token;
    message.caller = topic.endpoint === null ? null : apiCallers.callerOf(connection, topic);
    const isTaken = exchange.shards[topic.owner].publish(topic, message) > 0;
    message.syncToken = 0;
    message.caller = null;
    if (isTaken) return true;
    tracing.cancel(token);
    if (isAnsweredLater) stores.cancel(token);
    return false;
  }
}

function costOf(traceOptions: TraceOptions | null, message: MessageView): number {
  if (traceOptions === null) return cost.span;
  const headerBytes = message.headerBytes(0);
  const zippedUnits = traceOptions.encodings === null ? 0 : headerBytes >> zipShift;
  return cost.trace + (headerBytes >> headerTextShift) + zippedUnits;
}
