import type { Span } from '../../src/base/span.js';
import type { AnswerOutcome, Commands } from '../../src/gateway/commands/commands.js';
import type { Connection } from '../../src/gateway/connection.js';
import type { DurableOutcome } from '../../src/gateway/durables/durables.js';
import type { ProtocolError } from '../../src/protocol/errors.js';
import type { Publication } from '../../src/protocol/publication.js';

/** Commands that do nothing but say which they were: what a test is not about. */
export class NoCommands implements Commands {
  /** Told of everything that is not overridden. */
  note(_what: string): void {}

  publish(_connection: Connection, { message }: Publication): number {
    this.note('PUB');
    return message.count;
  }
  publishKnown(_connection: Connection, _span: Span, position: number): number {
    return position;
  }
  publishTogether(_connection: Connection, _lines: unknown, position: number): number {
    return position;
  }
  subscribe(_connection: Connection, subject: string, queue: string, sid: string, _prefetch: number): boolean {
    this.note(`SUB ${subject} ${queue} ${sid}`);
    return true;
  }
  unsubscribe(_connection: Connection, sid: string, max: number): boolean {
    this.note(`UNSUB ${sid} ${max}`);
    return true;
  }
  settled(): boolean {
    return true;
  }
  answer(_connection: Connection, delivery: number, answer: string, delayMs: number): AnswerOutcome {
    this.note(`${answer} ${delivery}${delayMs === 0 ? '' : ` ${delayMs}`}`);
    return 'taken';
  }
  subscribeDurably(_connection: Connection, topic: string, sid: string): DurableOutcome {
    this.note(`SUB ${topic} ${sid}`);
    return 'done';
  }
  connect(_connection: Connection, json: string): void {
    this.note(`CONNECT ${json.trim()}`);
  }
  ask(): null {
    this.note('ask');
    return null;
  }
  authenticate(): void {
    this.note('authenticate');
  }
  finishChore(): boolean {
    return true;
  }
  speak(): void {
    this.note('speak');
  }
  ping(): boolean {
    this.note('PING');
    return true;
  }
  pong(): void {
    this.note('PONG');
  }
  leave(): boolean {
    this.note('leave');
    return true;
  }
  fail(_connection: Connection, _error: ProtocolError): void {
    this.note('fail');
  }
  refuse(_connection: Connection, _error: ProtocolError): void {
    this.note('refuse');
  }
  flushIfPressed(): void {}
}
