import { assert } from '../base/assert.js';
import type { SyncRole } from '../exchange/roles.js';
import { storeTokenOf, syncCounterMax } from '../exchange/syncToken.js';
import type { Connection } from './connection.js';
import type { Egress } from './egress.js';

/** A publish whose client is to hear what became of it. */
interface Waiting {
  readonly connection: Connection;
  /** As the client has called it. */
  readonly requestId: string;
}

/** Publishes of clients to streams that are answered when they are stored: a yes means that, whichever door it comes by. */
export class StoreAnswers implements SyncRole {
  readonly #self: number;
  readonly #egress: Egress;
  /** Called when a connection that awaits its end has no more answers to come. */
  readonly #onDone: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #counter = 0;

  constructor(self: number, egress: Egress, onDone: () => void) {
    this.#self = self;
    this.#egress = egress;
    this.#onDone = onDone;
  }

  /** Publishes that wait to be stored. */
  get size(): number {
    return this.#waiting.size;
  }

  /** A connection publishes what it has given a name; returns the token by which its answer is found. @param token that of one that is traced */
  begin(connection: Connection, token = this.#nextToken()): number {
    assert(connection.requestId !== null, 'only what has a name is answered');
    this.#waiting.set(token, { connection, requestId: connection.requestId });
    connection.storing++;
    return token;
  }

  /** It was not published after all. */
  cancel(token: number): void {
    const { connection } = this.#take(token) as Waiting;
    connection.storing--;
  }

  onSequenced(token: number): void {
    this.#answer(token, ({ dialect }, requestId) => dialect.ok(requestId));
  }

  onRefused(token: number, answer: string): void {
    const { error } = JSON.parse(answer) as { error: { description: string; err_code: number } };
    const text = `not stored: ${error.description} (${error.err_code})`;
    this.#answer(token, ({ dialect }, requestId) => dialect.error(text, requestId));
  }

  /** Nobody publishes here in a way that is told of deliveries. */
  onExpected(): void {}

  onTaken(): void {}

  #answer(token: number, write: (connection: Connection, requestId: string) => Uint8Array): void {
    const waiting = this.#take(token);
    if (waiting === null) return;
    const { connection, requestId } = waiting;
    connection.storing--;
    if (connection.state === 'open') this.#egress.write(connection, write(connection, requestId));
    if (connection.storing === 0 && connection.input.ended) this.#onDone();
  }

  #take(token: number): Waiting | null {
    const waiting = this.#waiting.get(token) ?? null;
    this.#waiting.delete(token);
    return waiting;
  }

  #nextToken(): number {
    do this.#counter = (this.#counter % syncCounterMax) + 1;
    while (this.#waiting.has(storeTokenOf(this.#self, this.#counter)));
    return storeTokenOf(this.#self, this.#counter);
  }
}
