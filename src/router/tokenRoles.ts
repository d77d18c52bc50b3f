import type { SyncRole } from '../exchange/roles.js';
import { isTraceToken } from '../exchange/syncToken.js';

/** Passes on what becomes of messages with tokens to whoever waits for it: a message that is traced may have to be answered, too. */
export class TokenRoles implements SyncRole {
  readonly #waiters: SyncRole;
  readonly #traces: SyncRole;

  constructor(waiters: SyncRole, traces: SyncRole) {
    this.#waiters = waiters;
    this.#traces = traces;
  }

  onExpected(token: number, gateway: number, change: number): void {
    this.#waiters.onExpected(token, gateway, change);
    if (isTraceToken(token)) this.#traces.onExpected(token, gateway, change);
  }

  onSequenced(token: number): void {
    this.#waiters.onSequenced(token);
    if (isTraceToken(token)) this.#traces.onSequenced(token);
  }

  onTaken(token: number, gateway: number): void {
    this.#waiters.onTaken(token, gateway);
    if (isTraceToken(token)) this.#traces.onTaken(token, gateway);
  }

  onRefused(token: number, answer: string): void {
    this.#waiters.onRefused(token, answer);
  }

  onTold(token: number, thread: number, events: string): void {
    this.#traces.onTold?.(token, thread, events);
  }
}
