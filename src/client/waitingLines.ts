import { clientWaitingBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { OwnMessage, ownBytes } from '../base/ownMessage.js';
import { Span } from '../base/span.js';
import { AbortedError } from './errors.js';
import { optional } from './sequencing.js';

/** A message that waits for its topic to take it. */
interface Waiting {
  readonly message: OwnMessage;
  readonly span: Span;
  /** Resolves when it has left the line, either way. */
  readonly settled: Promise<void>;
  resolve(sequenced: Promise<boolean>): void;
  reject(error: Error): void;
}

/** Sends a message whose bytes begin where `span` does; returns what tells when it is in order, or null when it has to wait on. */
export type SendWaiting = (message: OwnMessage, span: Span) => Promise<boolean> | null;

/** What was published in process and waits for its topics to take it: a line a subject, in the order of the calls. */
export class WaitingLines {
  readonly #lines = new Map<string, Waiting[]>();
  #bytes = 0;

  /** Messages that wait. */
  get count(): number {
    let count = 0;
    for (const line of this.#lines.values()) count += line.length;
    return count;
  }

  get empty(): boolean {
    return this.#lines.size === 0;
  }

  has(subject: string): boolean {
    return this.#lines.size > 0 && this.#lines.has(subject);
  }

  /** Whether one more of that length may wait. */
  hasRoomFor(lengthBytes: number): boolean {
    return this.#bytes + lengthBytes <= clientWaitingBytesMax;
  }

  /** Has the message that a view shows wait; resolves as what sends it says, rejects when it is given up. */
  add(subject: string, view: MessageView, signal: AbortSignal | null): Promise<boolean> {
    const span = new Span(new Uint8Array(ownBytes(view, 0)));
    const message = new OwnMessage();
    message.copy(view, 0, span, 0);
    const sequenced = new Promise<boolean>((resolve, reject) => {
      let leave!: () => void;
      const settled = new Promise<void>((onLeft) => {
        leave = onLeft;
      });
      const onAbort = (): void => this.#giveUp(subject, waiting, new AbortedError(signal?.reason));
      const settle = (): void => {
        signal?.removeEventListener('abort', onAbort);
        leave();
      };
      const waiting: Waiting = {
        message,
        span,
        settled,
        resolve: (sequenced) => {
          settle();
          resolve(sequenced);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort);
      this.#enter(subject, waiting);
    });
    return optional(sequenced);
  }

  /** Visits the lines; `take` may be called meanwhile for the one that is visited. */
  visit(see: (subject: string, count: number) => void): void {
    for (const [subject, line] of this.#lines) see(subject, line.length);
  }

  /** Has up to so many messages of a subject sent, in their order; returns how many were. */
  take(subject: string, most: number, send: SendWaiting): number {
    const line = this.#lines.get(subject) ?? [];
    let sent = 0;
    for (; sent < most; sent++) {
      const { message, span, resolve } = line[sent];
      const sequenced = send(message, span);
      if (sequenced === null) break;
      this.#bytes -= message.lengthBytes;
      resolve(sequenced);
    }
    line.splice(0, sent);
    if (line.length === 0) this.#lines.delete(subject);
    return sent;
  }

  /** Resolves when everything that waits now has left its line. */
  async settled(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.at(-1)!.settled));
  }

  /** Gives up all that waits. */
  abandon(error: Error): void {
    for (const line of this.#lines.values()) for (const waiting of line) waiting.reject(error);
    this.#lines.clear();
  }

  #enter(subject: string, waiting: Waiting): void {
    const line = this.#lines.get(subject);
    if (line === undefined) this.#lines.set(subject, [waiting]);
    else line.push(waiting);
    this.#bytes += waiting.message.lengthBytes;
  }

  #giveUp(subject: string, waiting: Waiting, reason: Error): void {
    const line = this.#lines.get(subject);
    const at = line === undefined ? -1 : line.indexOf(waiting);
    if (line === undefined || at < 0) return;
    line.splice(at, 1);
    if (line.length === 0) this.#lines.delete(subject);
    this.#bytes -= waiting.message.lengthBytes;
    waiting.reject(reason);
  }
}
