import { latin1String } from '../../base/bytes.js';
import { takeKernelBytes } from '../../base/kernel.js';
import { MessageView, positionBytes } from '../../base/messageView.js';
import { nowhere } from '../../base/span.js';
import { cost, runShift, type Work } from '../../base/work.js';
import { errors, type ProtocolError } from '../../protocol/errors.js';
import { op, Parser } from '../../protocol/parser.js';
import type { ParserLimits } from '../../protocol/publishRuns.js';
import type { Commands } from '../commands/commands.js';
import type { Connection } from '../connection.js';
import type { DoorReader, ReadOutcome } from './door.js';

const noBytes = new Uint8Array(0);
/** A run of so few messages is short: another topic's may follow, and be known. */
const shortRunMessages = 4;
/** So many short runs, at most, pass without a try at what follows them. */
const restMax = 32;

/** Reads what NATS clients send. */
export class NatsReader implements DoorReader {
  outcome: ReadOutcome = 'incomplete';
  /** As for nats-server, an operation that was not finished is none: it may have been cut off by a failing client. */
  readonly lastWord = noBytes;
  readonly #commands: Commands;
  readonly #parser: Parser;
  readonly #work: Work;
  /** How often in succession nothing known followed a short run, and behind how many of the next ones it is not tried. */
  #misses = 0;
  #rest = 0;

  constructor(limits: ParserLimits, commands: Commands, work: Work) {
    this.#parser = new Parser(limits, new MessageView(takeKernelBytes(positionBytes) ?? undefined));
    this.#commands = commands;
    this.#work = work;
  }

  get neededBytes(): number {
    return this.#parser.neededBytes;
  }

  read(connection: Connection, bytes: Uint8Array, start: number, end: number): number {
    const parser = this.#parser;
    const commands = this.#commands;
    const work = this.#work;
    let position = start;
    for (;;) {
      if (connection.chore !== null && !commands.finishChore(connection)) return this.#stop('yielded', position);
      const topic = connection.topic;
      const found = parser.next(bytes, position, end, topic ?? nowhere);
      switch (found) {
        case op.publish: {
          if (!connection.login.authenticated) return this.#refuseUnauthenticated(connection, position);
          const taken = commands.publish(connection, parser);
          work.units += cost.publish + (taken >> runShift);
          if (taken < parser.message.count) {
            // the first message that was not taken begins behind the last that was
            const rest = taken === 0 ? position : parser.message.ends[taken - 1] + 2;
            return this.#wait(rest);
          }
          break;
        }
        case op.incomplete:
          if (!connection.login.authenticated && position < end && (bytes[position] | 0x20) !== 0x63)
            return this.#refuseUnauthenticated(connection, position);
          return this.#stop('incomplete', position);
        case op.error:
          if (!commands.settled(connection)) return this.#stop('parked', position);
          commands.fail(
            connection,
            connection.login.authenticated ? parser.error : errorBeforeLogin(parser, bytes[position]),
          );
          return this.#stop('ended', position);
        default:
          if (!connection.login.authenticated && found !== op.connect)
            return this.#refuseUnauthenticated(connection, position);
          if (!this.#control(connection, bytes, found)) return this.#wait(position);
          if (connection.login.verifying) return this.#stop('parked', parser.nextPosition);
      }
      if (connection.state !== 'open') return this.#stop('ended', position);
      position = parser.nextPosition;
      if (found === op.publish && position < end) position = this.#publishKnown(connection, position, end);
      commands.flushIfPressed();
      if (work.spent && position < end) return this.#stop('yielded', position);
    }
  }

  /** Behind a short run there may be messages of other topics that are known, or that the same stream takes, or more requests to the broker. */
  #publishKnown(connection: Connection, position: number, end: number): number {
    const { count, span } = this.#parser.message;
    if (count > shortRunMessages) return position;
    if (connection.asked !== null || connection.topic?.captured)
      return this.#commands.publishTogether(connection, this.#parser, position, end);
    const tries = this.#rest === 0;
    const next = this.#commands.publishKnown(connection, span, position, end, tries);
    if (!tries) this.#rest--;
    else if (next === position) this.#rest = Math.min(++this.#misses, restMax);
    else this.#misses = 0;
    return next;
  }

  /** Everything but publishing; false when the connection has to wait. */
  #control(connection: Connection, bytes: Uint8Array, found: number): boolean {
    const parser = this.#parser;
    const commands = this.#commands;
    this.#work.units += costOf[found];
    switch (found) {
      case op.subscribe: {
        if (parser.tainted) {
          commands.refuse(connection, errors.invalidSubject);
          return true;
        }
        const subject = latin1String(bytes, parser.subjectStart, parser.subjectEnd);
        const queue = latin1String(bytes, parser.queueStart, parser.queueEnd);
        return commands.subscribe(connection, subject, queue, latin1String(bytes, parser.sidStart, parser.sidEnd), 0);
      }
      case op.unsubscribe:
        return commands.unsubscribe(
          connection,
          latin1String(bytes, parser.sidStart, parser.sidEnd),
          parser.maxMessages,
        );
      case op.connect:
        if (!commands.settled(connection)) return false;
        // every bracket of it may be an object of its own
        this.#work.units += parser.jsonEnd - parser.jsonStart;
        commands.connect(
          connection,
          Buffer.from(bytes.buffer, bytes.byteOffset + parser.jsonStart, parser.jsonEnd - parser.jsonStart).toString(),
        );
        return true;
      case op.ping:
        return commands.ping(connection);
      case op.pong:
        commands.pong(connection);
        return true;
      case op.clientError:
        return commands.leave(connection);
      default:
        return true;
    }
  }

  #stop(outcome: ReadOutcome, position: number): number {
    this.outcome = outcome;
    return position;
  }

  /** Stops before an operation that was not carried out. */
  #wait(position: number): number {
    return this.#stop(this.#work.spent ? 'yielded' : 'parked', position);
  }

  #refuseUnauthenticated(connection: Connection, position: number): number {
    this.#commands.fail(connection, errors.authorization);
    return this.#stop('ended', position);
  }
}

/** What control lines cost, by operation. */
const costOf: Readonly<Record<number, number>> = {
  [op.subscribe]: cost.subscribe,
  [op.unsubscribe]: cost.unsubscribe,
  [op.connect]: cost.connect,
  [op.ping]: cost.ping,
  [op.pong]: cost.line,
  [op.ignored]: cost.line,
  [op.clientError]: cost.line,
};

/** Before a good CONNECT nothing else is looked at, so that nothing else is told about it either. */
function errorBeforeLogin(parser: Parser, first: number): ProtocolError {
  return (first | 0x20) === 0x63 ? parser.error : errors.authorization;
}
