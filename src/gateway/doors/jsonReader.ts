import { isUtf8 } from 'node:buffer';
import { assert } from '../../base/assert.js';
import { byteText } from '../../base/bytes.js';
import { jsonSlackBytes } from '../../base/limits.js';
import { MessageView } from '../../base/messageView.js';
import { nowhere, type Place, Span, spanEqualAt } from '../../base/span.js';
import { cost, headerShift, textShift, type Work } from '../../base/work.js';
import { lf } from '../../protocol/ascii.js';
import { deadDetail } from '../../protocol/deadLetter.js';
import { errors } from '../../protocol/errors.js';
import { type JsonCommand, parseJsonCommand } from '../../protocol/jsonCommand.js';
import type { JsonDialects } from '../../protocol/jsonDialect.js';
import type { JsonDurable } from '../../protocol/jsonDurable.js';
import type { Publication } from '../../protocol/publication.js';
import type { WorkAnswer } from '../../subscriber/workState.js';
import type { Commands } from '../commands/commands.js';
import type { Connection } from '../connection.js';
import type { GatewayLimits } from '../options.js';
import { readOptionsRequest } from '../policies/deliveryOptions.js';
import type { DoorReader, ReadOutcome } from './door.js';

type SubscribeCommand = Extract<JsonCommand, { command: 'SUB' }>;
type PublishCommand = Extract<JsonCommand, { command: 'PUB' }>;

const cr = 13;
const openingBrace = 0x7b;
/** A browser can be made to send lines of JSON to any port, in a request that begins like this. */
const httpRequest = /^[A-Z]+ \S+ HTTP\/\d/;

/** Reads JSON lines: an object a line. What is wrong with a line is told, and the next line is read. */
export class JsonReader implements DoorReader {
  outcome: ReadOutcome = 'incomplete';
  /** A line says nothing of its length. */
  readonly neededBytes = 0;
  /** The end of the input ends the last line, as it does in a file. */
  readonly lastWord = Uint8Array.of(lf);
  readonly #limits: GatewayLimits;
  readonly #commands: Commands;
  readonly #dialects: JsonDialects;
  readonly #work: Work;
  readonly #publication = new JsonPublication();

  constructor(limits: GatewayLimits, commands: Commands, dialects: JsonDialects, work: Work) {
    this.#work = work;
    this.#limits = limits;
    this.#commands = commands;
    this.#dialects = dialects;
  }

  read(connection: Connection, bytes: Uint8Array, start: number, end: number): number {
    let position = start;
    for (;;) {
      if (connection.chore !== null && !this.#commands.finishChore(connection)) return this.#stop('yielded', position);
      const lineEnd = this.#findLineEnd(connection, bytes, position, end);
      if (lineEnd < 0) {
        if (end - position > this.#lineBytesMax(connection)) return this.#tooLong(connection, position);
        return this.#stop('incomplete', position);
      }
      if (lineEnd - position > this.#lineBytesMax(connection)) return this.#tooLong(connection, position);
      this.#work.units += cost.line + ((lineEnd - position) >> textShift);
      if (!this.#line(connection, bytes, position, lineEnd))
        return this.#stop(this.#work.spent ? 'yielded' : 'parked', position);
      if (connection.awaitsVerdict) return this.#stop('parked', lineEnd + 1);
      if (connection.state !== 'open') return this.#stop('ended', position);
      connection.requestId = null;
      position = lineEnd + 1;
      this.#commands.flushIfPressed();
      if (this.#work.spent && position < end) return this.#stop('yielded', position);
    }
  }

  /** Where the line ends that begins at `position`, or -1; what has been looked through before is not again. */
  #findLineEnd(connection: Connection, bytes: Uint8Array, position: number, end: number): number {
    const from = position + connection.searchedBytes;
    const found = from < end ? bytes.subarray(from, end).indexOf(lf) : -1;
    connection.searchedBytes = found < 0 ? end - position : 0;
    return found < 0 ? -1 : from + found;
  }

  /** Escapes may make a payload longer on the line than it is: twice is enough for text. */
  #lineBytesMax(connection: Connection): number {
    const { maxControlLineBytes, maxPayloadBytes } = this.#limits;
    return connection.login.authenticated
      ? maxControlLineBytes + 2 * maxPayloadBytes + jsonSlackBytes
      : maxControlLineBytes;
  }

  /** Carries out one line; false when the connection has to wait. */
  #line(connection: Connection, bytes: Uint8Array, start: number, end: number): boolean {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    if (isBlank(buffer)) return true;
    if (!isUtf8(buffer)) return this.#mistake(connection, 'the line is not valid UTF-8');
    this.#work.units += cost.jsonLine;
    const line = buffer.toString();
    if (buffer[0] !== openingBrace && httpRequest.test(line)) {
      if (!this.#commands.settled(connection)) return false;
      this.#commands.fail(connection, { text: 'this port speaks JSON lines, not HTTP', closes: true });
      return true;
    }
    const command = parseJsonCommand(line);
    connection.requestId = command.id;
    if ('mistake' in command) return this.#mistake(connection, command.mistake);
    if (!connection.login.authenticated && command.command !== 'AUTH') {
      this.#commands.fail(connection, errors.authorization);
      return true;
    }
    const wordBytes = wordBytesOf(command);
    const { maxControlLineBytes } = this.#limits;
    if (wordBytes > maxControlLineBytes)
      return this.#mistake(
        connection,
        `the topic, with reply and group, has ${wordBytes} bytes; ${maxControlLineBytes} are allowed`,
      );
    return this.#carryOut(connection, command);
  }

  #carryOut(connection: Connection, command: JsonCommand): boolean {
    const commands = this.#commands;
    switch (command.command) {
      case 'PUB':
        return this.#publish(connection, command);
      case 'SUB':
        return this.#subscribe(connection, command);
      case 'UNSUB':
        if (!connection.subscriptions.has(sidOf(command)))
          return this.#mistake(connection, 'there is no such subscription');
        return commands.unsubscribe(connection, sidOf(command), 0);
      case 'ACK':
      case 'WORKING':
        return this.#answer(connection, command.delivery, answers[command.command], 0);
      case 'TERM':
        return this.#answer(connection, command.delivery, 'terminate', 0, deadDetail(command.reason));
      case 'NACK':
        return this.#answer(
          connection,
          command.delivery,
          command.delayMs === 0 ? 'nack' : 'nackLater',
          command.delayMs,
        );
      case 'PING':
        return commands.ping(connection);
      case 'FORMAT':
        if (!this.#dialects[command.format].marks && connection.acknowledging > 0)
          return this.#mistake(connection, `this connection has subscriptions with prefetch or durable, ${whyJson}`);
        if (!commands.settled(connection)) return false;
        // the status that says so has no form as text
        connection.options = { ...connection.options, noResponders: command.format === 'json' };
        commands.speak(connection, this.#dialects[command.format]);
        return true;
      case 'AUTH': {
        if (!commands.settled(connection)) return false;
        const { user, pass, token } = command;
        commands.authenticate(connection, { ...connection.options, user, pass, authToken: token });
        return true;
      }
    }
  }

  #answer(connection: Connection, delivery: number, answer: WorkAnswer, delayMs: number, detail = ''): boolean {
    const outcome = this.#commands.answer(connection, delivery, answer, delayMs, detail);
    if (outcome !== 'unknown') return outcome === 'taken';
    return this.#mistake(connection, `no delivery ${delivery} waits to be acknowledged`);
  }

  #subscribe(connection: Connection, command: SubscribeCommand): boolean {
    if (!this.#commands.settled(connection)) return false;
    const sid = sidOf(command);
    if (command.durable !== null) return this.#subscribeDurably(connection, command.topic, sid, command.durable);
    const wrongPrefetch = prefetchMistake(connection, sid, command.prefetch);
    if (wrongPrefetch !== null) return this.#mistake(connection, wrongPrefetch);
    if (command.options !== null) {
      // what was lost is told, unless somebody does not want to hear of it
      const notice = command.options.policy !== undefined;
      const asked = readOptionsRequest({ notice, ...command.options, sid });
      const wrong = typeof asked === 'string' ? asked : this.#commands.ask(connection, asked);
      if (wrong !== null) return this.#mistake(connection, wrong);
    }
    const { topic, group, prefetch, terms } = command;
    return this.#commands.subscribe(connection, topic, group, sid, prefetch, terms);
  }

  #subscribeDurably(connection: Connection, topic: string, sid: string, durable: JsonDurable): boolean {
    if (!connection.dialect.marks)
      return this.#mistake(connection, `send FORMAT json first; durable is for subscriptions ${whyJson}`);
    const outcome = this.#commands.subscribeDurably(connection, topic, sid, durable);
    return typeof outcome === 'object' ? this.#mistake(connection, outcome.mistake) : outcome === 'done';
  }

  #publish(connection: Connection, command: PublishCommand): boolean {
    const publication = this.#publication;
    this.#work.units += command.block.length << headerShift;
    const payloadBytes = publication.set(command, connection.topic ?? nowhere);
    const { maxPayloadBytes } = this.#limits;
    if (payloadBytes > maxPayloadBytes)
      return this.#mistake(
        connection,
        `the payload, with headers, has ${payloadBytes} bytes; ${maxPayloadBytes} are allowed`,
      );
    return this.#commands.publish(connection, publication) > 0;
  }

  /** Before somebody has come in nothing is told but that. */
  #mistake(connection: Connection, text: string): boolean {
    if (connection.login.authenticated) this.#commands.refuse(connection, { text: byteText(text), closes: false });
    else this.#commands.fail(connection, errors.authorization);
    return true;
  }

  #tooLong(connection: Connection, position: number): number {
    if (!this.#commands.settled(connection)) return this.#stop('parked', position);
    connection.searchedBytes = 0;
    const text = `the line is longer than ${this.#lineBytesMax(connection)} bytes`;
    this.#commands.fail(connection, connection.login.authenticated ? { text, closes: true } : errors.authorization);
    return this.#stop('ended', position);
  }

  #stop(outcome: ReadOutcome, position: number): number {
    this.outcome = outcome;
    return position;
  }
}

/** A publish as a line of JSON said it, laid out as the NATS protocol has it: the rest of the broker knows one form only. */
class JsonPublication implements Publication {
  readonly message = new MessageView();
  readonly subjectStart = 0;
  subjectEnd = 0;
  subjectIsMemo = false;
  withHeaders = false;
  readonly tainted = false;
  #span = new Span(new Uint8Array(64 * 1024));

  /** Takes over a command; returns the length of its payload with headers, in bytes. It is valid until the next. */
  set(command: PublishCommand, memo: Place): number {
    const { topic, reply, block, payload } = command;
    // a character of text is at most three bytes, one of base64 less than one
    this.#makeRoom(topic.length + reply.length + block.length + payload.text.length * 3 + 2);
    const span = this.#span;
    const buffer = Buffer.from(span.bytes.buffer);
    const subjectEnd = buffer.write(topic, 0, 'latin1');
    const replyEnd = subjectEnd + buffer.write(reply, subjectEnd, 'latin1');
    const payloadStart = replyEnd + buffer.write(block, replyEnd, 'latin1');
    const end = payloadStart + buffer.write(payload.text, payloadStart, payload.encoding);
    span.bytes[end] = cr;
    span.bytes[end + 1] = lf;
    const message = this.message;
    message.set(span, replyEnd, end);
    message.setReply(subjectEnd, replyEnd);
    message.setHeaders(payloadStart - replyEnd);
    this.subjectEnd = subjectEnd;
    this.subjectIsMemo = subjectEnd === memo.end - memo.start && spanEqualAt(span, 0, memo);
    this.withHeaders = block !== '';
    return end - replyEnd;
  }

  cut(count: number): void {
    assert(count === this.message.count, 'a line has one message');
  }

  #makeRoom(lengthBytes: number): void {
    const keptBytes = 64 * 1024;
    if (lengthBytes > this.#span.bytes.length) this.#span = new Span(new Uint8Array(lengthBytes));
    else if (this.#span.bytes.length > keptBytes && lengthBytes <= keptBytes)
      this.#span = new Span(new Uint8Array(keptBytes));
  }
}

/** What a command says of a delivery. */
const answers = { ACK: 'ack', WORKING: 'working' } as const;

/** A subscription is named by what it is to: all connections with the same share an audience. */
function sidOf(command: { readonly topic: string; readonly group: string; readonly durableName: string }): string {
  // no topic and no group has a blank in it
  if (command.durableName !== '') return `${command.topic}  ${command.durableName}`;
  return command.group === '' ? command.topic : `${command.topic} ${command.group}`;
}

const whyJson = 'whose deliveries have to be acknowledged by their numbers: only the json format shows them';

function prefetchMistake(connection: Connection, sid: string, prefetch: number): string | null {
  if (prefetch > 0 && !connection.dialect.marks) return `send FORMAT json first; prefetch is for members ${whyJson}`;
  const there = connection.subscriptions.get(sid);
  if (there === undefined || (there.inFlight === null) === (prefetch === 0)) return null;
  return `there is such a subscription ${prefetch === 0 ? 'with' : 'without'} prefetch; UNSUB it first`;
}

/** What would stand in a control line on NATS's own door, in bytes. */
function wordBytesOf(command: JsonCommand): number {
  if (command.command === 'PUB') return command.topic.length + command.reply.length;
  if (command.command === 'SUB') return command.topic.length + command.group.length + command.terms.deadLetter.length;
  return command.command === 'UNSUB' ? command.topic.length + command.group.length : 0;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === cr || byte === 9);
}
