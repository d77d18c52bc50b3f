import type { AckTerms } from '../../base/ackTerms.js';
import type { MessageView } from '../../base/messageView.js';
import type { Span } from '../../base/span.js';
import type { ConnectOptions } from '../../protocol/connectOptions.js';
import type { Dialect } from '../../protocol/dialect.js';
import type { ProtocolError } from '../../protocol/errors.js';
import type { JsonDurable } from '../../protocol/jsonDurable.js';
import type { Publication } from '../../protocol/publication.js';
import type { WorkAnswer } from '../../subscriber/workState.js';
import type { Connection } from '../connection.js';
import type { DurableOutcome } from '../durables/durables.js';
import type { OptionsRequest } from '../policies/deliveryOptions.js';

/** What came of what a client says of a delivery: it is taken, there is none of that number, or the connection has to wait. */
export type AnswerOutcome = 'taken' | 'unknown' | 'waits';

/** What the operations of a client do. */
export interface Commands {
  /**
   * Publishes a run of messages. Returns how many were taken: fewer than all when there is no room and the
   * connection has to wait.
   */
  publish(connection: Connection, publication: Publication): number;
  /**
   * Publishes the messages that follow a short run, `span[position, end)`, as far as they are plain and of topics that are known, without looking at
   * each of them. Returns where the first begins that was not published.
   *
   * @param tries false to have the run's own topic known, and no more
   */
  publishKnown(connection: Connection, span: Span, position: number, end: number, tries: boolean): number;
  /**
   * Publishes the messages that follow what was published last, from `position` on, as far as one stream takes all of them and nobody else
   * does, or as far as they are requests that one topic stands for, whatever their subjects. Returns where the first begins that was not published.
   */
  publishTogether(connection: Connection, lines: PlainLines, position: number, end: number): number;
  /**
   * Whether all that the connection published is sequenced, and what it gets of that is on its way to it. Whatever is not a publish asks
   * this first, so that a connection's operations take effect in their order on all threads; when it is false the connection waits.
   */
  settled(connection: Connection): boolean;
  /**
   * @param prefetch of a queue group's member that acknowledges: how many messages it has unacknowledged at most; else 0
   * @param terms what it asks for besides
   */
  subscribe(
    connection: Connection,
    subject: string,
    queue: string,
    sid: string,
    prefetch: number,
    terms?: AckTerms,
  ): boolean;
  /** False when the connection has to wait. */
  unsubscribe(connection: Connection, sid: string, maxMessages: number): boolean;
  /** Begins a durable subscription, or changes the prefetch of the one that has its sid. */
  subscribeDurably(connection: Connection, topic: string, sid: string, durable: JsonDurable): DurableOutcome;
  /**
   * Takes what a client says of a delivery.
   *
   * @param delayMs of `nackLater`: for how long it is held back
   * @param detail of `terminate`: why
   */
  answer(connection: Connection, delivery: number, answer: WorkAnswer, delayMs: number, detail?: string): AnswerOutcome;
  connect(connection: Connection, json: string): void;
  /** Takes what a client says of itself once its credentials are found right; `connection.login.verifying` until then. */
  authenticate(connection: Connection, options: ConnectOptions): void;
  /** Takes what a subscription is to be treated like, before it is made or after; returns what is wrong, or null. */
  ask(connection: Connection, asked: OptionsRequest): string | null;
  /** Goes on with what an earlier operation has left to do (`connection.chore`); false while its share does not last for all of it. */
  finishChore(connection: Connection): boolean;
  /** Has a connection spoken to in another way from now on. */
  speak(connection: Connection, dialect: Dialect): void;
  /** Answers a PING; false while what the connection published before is not sequenced yet. */
  ping(connection: Connection): boolean;
  pong(connection: Connection): void;
  /** A client has reported an error, and is about to leave; false while what it published before is not sequenced yet. */
  leave(connection: Connection): boolean;
  fail(connection: Connection, error: ProtocolError): void;
  refuse(connection: Connection, error: ProtocolError): void;
  /** Called now and then while input is being processed, so that a long read does not hold back what it caused. */
  flushIfPressed(): void;
}

/** Lines of publishes that follow one another, as a parser reads them. */
export interface PlainLines {
  /** Of the publish that was read last. */
  readonly message: MessageView;
  readonly subjectStart: number;
  readonly subjectEnd: number;
  readonly nextPosition: number;
  readNext(position: number, end: number, index: number): boolean;
}
