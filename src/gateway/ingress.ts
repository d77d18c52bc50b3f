import { latin1String } from '../base/bytes.js';
import { carryBytesMax } from '../base/limits.js';
import { Span } from '../base/span.js';
import { errors, type ProtocolError } from '../protocol/errors.js';
import { op, Parser, type ParserLimits } from '../protocol/parser.js';
import type { Connection } from './connection.js';

/** What the operations of a client do. */
export interface Commands {
  /**
   * Publishes the parser's run of messages. Returns how many were taken: fewer than all when there is no room and the
   * connection has to wait.
   */
  publish(connection: Connection, parser: Parser): number;
  subscribe(connection: Connection, subject: string, queue: string, sid: string): boolean;
  unsubscribe(connection: Connection, sid: string, maxMessages: number): void;
  connect(connection: Connection, json: string): void;
  /** Answers a PING; false while what the connection published before is not sequenced yet. */
  ping(connection: Connection): boolean;
  pong(connection: Connection): void;
  leave(connection: Connection): void;
  fail(connection: Connection, error: ProtocolError): void;
  refuse(connection: Connection, error: ProtocolError): void;
  /** Called now and then while input is being processed, so that a long read does not hold back what it caused. */
  breathe(): void;
}

/** How a stretch of input was left. */
type Outcome = 'incomplete' | 'parked' | 'ended';

const noMemo = new Span(new Uint8Array(0));
const noBytes = noMemo.bytes;
/** Operations larger than this are put together in a buffer of their own, smaller ones are read again, in bytes. */
const assembledBytesMin = 8 * 1024;
/** Smallest buffer for a large operation that comes in pieces, in bytes. */
const partialBytesMin = 64 * 1024;

/**
 * The way in: cuts what a socket delivers into operations, wherever the stream was split, and has them carried out in
 * order. A connection whose publish finds no room is parked: its input is kept, its socket is not read, and
 * it is tried again when room may have come.
 */
export class Ingress {
  readonly #commands: Commands;
  readonly #parser: Parser;
  /** Connections that wait, first come first. */
  #parked: Connection[] = [];
  #outcome: Outcome = 'incomplete';

  constructor(limits: ParserLimits, commands: Commands) {
    this.#parser = new Parser(limits);
    this.#commands = commands;
  }

  get parkedCount(): number {
    return this.#parked.length;
  }

  /**
   * Takes `bytes[start, end)` that a socket delivered, with `carryBytesMax` of room before `start` that it may
   * overwrite. Returns false when the socket is not to be read for now.
   */
  onRead(connection: Connection, bytes: Uint8Array, start: number, end: number): boolean {
    if (connection.parkedInput !== null) {
      // a stream that was resumed may be read once more after it was stopped again: what comes belongs behind the rest
      connection.parkedInput = concat(connection.parkedInput, bytes.subarray(start, end));
      return false;
    }
    let position = start;
    if (connection.partial !== null) {
      position = this.#fillPartial(connection, bytes, start, end);
      if (connection.partialBytes < connection.partialNeededBytes) return true;
      const whole = connection.partial;
      connection.partial = null;
      const reached = this.#process(connection, whole, 0, connection.partialNeededBytes);
      if (this.#outcome === 'ended') return true;
      if (this.#outcome === 'parked') {
        this.#park(connection, whole.subarray(reached, connection.partialNeededBytes), bytes.subarray(position, end));
        return false;
      }
    } else if (connection.carry !== null) {
      position -= connection.carry.length;
      bytes.set(connection.carry, position);
      connection.carry = null;
    }
    return this.#run(connection, bytes, position, end, false);
  }

  /** Holds a connection back though its input is in order: the broker's memory is full. */
  hold(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    this.#park(connection, connection.carry ?? noBytes, bytes.subarray(start, end));
    connection.carry = null;
  }

  /** Tries every parked connection again. */
  resumeParked(): void {
    if (this.#parked.length === 0) return;
    const waiting = this.#parked;
    this.#parked = [];
    for (const connection of waiting) this.#resume(connection);
  }

  /** Tries one parked connection again: what it waited for was its own. */
  resume(connection: Connection): void {
    const at = this.#parked.indexOf(connection);
    if (at < 0) return;
    this.#parked.splice(at, 1);
    this.#resume(connection);
  }

  #resume(connection: Connection): void {
    const input = connection.parkedInput as Uint8Array;
    connection.parkedInput = null;
    if (connection.state !== 'open') return;
    if (connection.partial !== null) {
      // held back in the middle of a large operation
      const room = new Uint8Array(carryBytesMax + input.length);
      room.set(input, carryBytesMax);
      if (this.onRead(connection, room, carryBytesMax, room.length)) connection.socket.resume();
      return;
    }
    if (this.#run(connection, input, 0, input.length, true) && connection.state === 'open') connection.socket.resume();
  }

  /** @param kept whether the bytes are the connection's own, and need no copy when it is parked */
  #run(connection: Connection, bytes: Uint8Array, start: number, end: number, kept: boolean): boolean {
    const reached = this.#process(connection, bytes, start, end);
    if (this.#outcome === 'ended') return true;
    if (this.#outcome === 'parked') {
      const rest = bytes.subarray(reached, end);
      this.#wait(connection, kept ? rest : rest.slice());
      return false;
    }
    this.#keepRest(connection, bytes, reached, end);
    return true;
  }

  #park(connection: Connection, first: Uint8Array, second: Uint8Array): void {
    this.#wait(connection, concat(first, second));
  }

  #wait(connection: Connection, input: Uint8Array): void {
    connection.parkedInput = input;
    this.#parked.push(connection);
  }

  /** Keeps the beginning of an operation until the rest comes. */
  #keepRest(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    const neededBytes = this.#parser.neededBytes;
    if (start === end) return;
    if (neededBytes <= assembledBytesMin) {
      connection.carry = bytes.slice(start, end);
      return;
    }
    connection.partialNeededBytes = neededBytes;
    connection.partialBytes = end - start;
    connection.partial = new Uint8Array(Math.min(neededBytes, Math.max(partialBytesMin, 2 * (end - start))));
    connection.partial.set(bytes.subarray(start, end));
  }

  /** Adds to a large operation; its buffer grows with what has come, not with what was promised. */
  #fillPartial(connection: Connection, bytes: Uint8Array, start: number, end: number): number {
    let partial = connection.partial as Uint8Array;
    const take = Math.min(end - start, connection.partialNeededBytes - connection.partialBytes);
    if (connection.partialBytes + take > partial.length) {
      const length = Math.max(connection.partialBytes + take, partial.length * 2);
      const larger = new Uint8Array(Math.min(length, connection.partialNeededBytes));
      larger.set(partial.subarray(0, connection.partialBytes));
      partial = larger;
      connection.partial = larger;
    }
    partial.set(bytes.subarray(start, start + take), connection.partialBytes);
    connection.partialBytes += take;
    return start + take;
  }

  /** Carries out the operations in `bytes[start, end)`; returns where it stopped, and sets why. */
  #process(connection: Connection, bytes: Uint8Array, start: number, end: number): number {
    const parser = this.#parser;
    const commands = this.#commands;
    let position = start;
    for (;;) {
      const topic = connection.topic;
      const found = parser.next(bytes, position, end, topic === null ? noMemo : topic.span);
      switch (found) {
        case op.publish: {
          if (!connection.authenticated) return this.#refuseUnauthenticated(connection, position);
          const taken = commands.publish(connection, parser);
          if (taken < parser.message.count) {
            // the first message that was not taken begins behind the last that was
            const rest = taken === 0 ? position : parser.message.ends[taken - 1] + 2;
            return this.#stop('parked', rest);
          }
          break;
        }
        case op.incomplete:
          if (!connection.authenticated && position < end && (bytes[position] | 0x20) !== 0x63)
            return this.#refuseUnauthenticated(connection, position);
          return this.#stop('incomplete', position);
        case op.error:
          commands.fail(
            connection,
            connection.authenticated ? parser.error : errorBeforeLogin(parser, bytes[position]),
          );
          return this.#stop('ended', position);
        default:
          if (!connection.authenticated && found !== op.connect)
            return this.#refuseUnauthenticated(connection, position);
          if (!this.#control(connection, bytes, found)) return this.#stop('parked', position);
          if (connection.verifying) return this.#stop('parked', parser.nextPosition);
      }
      if (connection.state !== 'open') return this.#stop('ended', position);
      position = parser.nextPosition;
      commands.breathe();
    }
  }

  /** Everything but publishing; false when the connection has to wait. */
  #control(connection: Connection, bytes: Uint8Array, found: number): boolean {
    const parser = this.#parser;
    const commands = this.#commands;
    switch (found) {
      case op.subscribe: {
        if (parser.tainted) {
          commands.refuse(connection, errors.invalidSubject);
          return true;
        }
        const subject = latin1String(bytes, parser.subjectStart, parser.subjectEnd);
        const queue = latin1String(bytes, parser.queueStart, parser.queueEnd);
        return commands.subscribe(connection, subject, queue, latin1String(bytes, parser.sidStart, parser.sidEnd));
      }
      case op.unsubscribe:
        commands.unsubscribe(connection, latin1String(bytes, parser.sidStart, parser.sidEnd), parser.maxMessages);
        return true;
      case op.connect:
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
        commands.leave(connection);
        return true;
      default:
        return true;
    }
  }

  #stop(outcome: Outcome, position: number): number {
    this.#outcome = outcome;
    return position;
  }

  #refuseUnauthenticated(connection: Connection, position: number): number {
    this.#commands.fail(connection, errors.authorization);
    return this.#stop('ended', position);
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** Before a good CONNECT nothing else is looked at, so that nothing else is told about it either. */
function errorBeforeLogin(parser: Parser, first: number): ProtocolError {
  return (first | 0x20) === 0x63 ? parser.error : errors.authorization;
}
