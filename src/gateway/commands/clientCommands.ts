import type { AckTerms } from '../../base/ackTerms.js';
import type { Span } from '../../base/span.js';
import { cost } from '../../base/work.js';
import { type ConnectOptions, parseConnectOptions } from '../../protocol/connectOptions.js';
import type { Dialect } from '../../protocol/dialect.js';
import { errors, type ProtocolError } from '../../protocol/errors.js';
import type { JsonDurable } from '../../protocol/jsonDurable.js';
import type { Publication } from '../../protocol/publication.js';
import { hasCaughtUp, isSettled } from '../../router/settling.js';
import type { WorkAnswer } from '../../subscriber/workState.js';
import { finishChore } from '../connection/chore.js';
import type { Connection } from '../connection.js';
import { DurableReader } from '../durables/durableReader.js';
import type { DurableOutcome } from '../durables/durables.js';
import type { OptionsRequest } from '../policies/deliveryOptions.js';
import type { AnswerOutcome, Commands, PlainLines } from './commands.js';
import type { CommandsHost } from './host.js';
import { Publishes } from './publishes.js';
import { Verdicts } from './verdicts.js';

/** Carries out what clients ask for. */
export class ClientCommands implements Commands {
  readonly verdicts: Verdicts;
  readonly #host: CommandsHost;
  readonly #publishes: Publishes;

  constructor(host: CommandsHost) {
    this.#host = host;
    this.verdicts = new Verdicts(host);
    this.#publishes = new Publishes(host, this.verdicts);
  }

  publish(connection: Connection, publication: Publication): number {
    return this.#publishes.publish(connection, publication);
  }

  publishKnown(connection: Connection, span: Span, position: number, end: number, tries: boolean): number {
    return this.#publishes.publishKnown(connection, span, position, end, tries);
  }

  publishTogether(connection: Connection, lines: PlainLines, position: number, end: number): number {
    return this.#publishes.publishTogether(connection, lines, position, end);
  }

  settled(connection: Connection): boolean {
    return isSettled(connection.order, this.#host.exchange);
  }

  subscribe(
    connection: Connection,
    subject: string,
    queue: string,
    sid: string,
    prefetch: number,
    terms?: AckTerms,
  ): boolean {
    if (!this.settled(connection)) return false;
    const begun = this.#host.subscriptions.begin(connection, subject, queue, sid, prefetch, terms);
    if (begun === 'waits') return false;
    if (begun === 'begun') this.verdicts.accept(connection);
    else this.verdicts.refuse(connection, begun);
    return true;
  }

  unsubscribe(connection: Connection, sid: string, maxMessages: number): boolean {
    if (!this.settled(connection) || !this.#host.subscriptions.limit(connection, sid, maxMessages)) return false;
    connection.order.fenced = false;
    this.verdicts.accept(connection);
    return true;
  }

  subscribeDurably(connection: Connection, topic: string, sid: string, durable: JsonDurable): DurableOutcome {
    if (!this.settled(connection)) return 'waits';
    return this.#host.durables.begin(connection, topic, sid, durable);
  }

  answer(connection: Connection, delivery: number, answer: WorkAnswer, delayMs: number, detail = ''): AnswerOutcome {
    const reader = connection.unacknowledged.find(delivery)?.listener ?? null;
    // what a stream has to know is answered when it does
    if (reader instanceof DurableReader)
      return this.#host.durables.answer(connection, reader, delivery, answer, delayMs, detail) ? 'taken' : 'waits';
    this.#host.router.work.units += answer === 'nackLater' ? cost.workHeldBack : cost.workAnswer;
    if (!this.#host.delivery.prefetching.answer(connection, delivery, answer, delayMs, detail)) return 'unknown';
    this.verdicts.accept(connection);
    return 'taken';
  }

  connect(connection: Connection, json: string): void {
    const options = parseConnectOptions(json, connection.options);
    if (options === null) this.fail(connection, errors.parser);
    else this.authenticate(connection, options);
  }

  authenticate(connection: Connection, options: ConnectOptions): void {
    this.#host.logins.authenticate(connection, options);
  }

  ask(connection: Connection, asked: OptionsRequest): string | null {
    return this.#host.asking.askFor(connection, asked);
  }

  finishChore(connection: Connection): boolean {
    return finishChore(connection, this.#host.router.work);
  }

  speak(connection: Connection, dialect: Dialect): void {
    if (connection.dialect !== dialect) {
      connection.dialect = dialect;
      this.#host.delivery.looks.change(connection);
    }
    this.verdicts.accept(connection);
  }

  ping(connection: Connection): boolean {
    if (connection.imagesOwed > 0 || connection.confirming > 0) return false;
    const exchange = this.#host.exchange;
    if (!exchange.alone) {
      if (!exchange.controlClear || exchange.congested || !hasCaughtUp(connection.order, exchange)) return false;
      const { delivery } = this.#host;
      // what was given back to its shard is part of what the PONG promises; more may have been while the rest was waited for
      while (connection.order.noteRequeues(delivery.requeues) || connection.order.unsequenced)
        if (!this.settled(connection)) return false;
    }
    this.#host.egress.write(connection, connection.dialect.pong(connection.requestId));
    if (connection.login.onPong()) this.#host.greeter.greetConnected(connection);
    return true;
  }

  pong(connection: Connection): void {
    connection.clock.onPong();
    if (connection.backlogs.pacing !== null) this.#host.policing.onPong(connection, connection.backlogs.pacing);
  }

  leave(connection: Connection): boolean {
    return this.#host.lifecycle.finishInput(connection, 'client error');
  }

  /** Tells a client what it did wrong, and ends the connection where that is NATS's way. */
  fail(connection: Connection, error: ProtocolError): void {
    this.#host.lifecycle.fail(connection, error);
  }

  refuse(connection: Connection, error: ProtocolError): void {
    this.verdicts.refuse(connection, error);
  }

  flushIfPressed(): void {
    if (this.#host.egress.pressing) this.#host.flush();
  }
}
