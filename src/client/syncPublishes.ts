import { readableText } from '../base/bytes.js';
import type { SyncRole } from '../exchange/roles.js';
import { storeTokenOf, syncCounterMax, type TokenKind, tokenKind, tokenOf } from '../exchange/syncToken.js';
import { readAnswer } from '../protocol/streamApi/streamApi.js';
import { ClosedError, SyncAbortedError } from './errors.js';

/** A synchronous publish under way: whom it waits for. */
class Waiting {
  /** Deliveries not taken yet, by gateway. What was taken before it was announced counts below zero meanwhile. */
  readonly due = new Map<number, number>();
  readonly done: Promise<void>;
  sequenced = false;
  finish!: () => void;
  fail!: (error: unknown) => void;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
  }

  change(gateway: number, by: number): void {
    const due = (this.due.get(gateway) ?? 0) + by;
    if (due === 0) this.due.delete(gateway);
    else this.due.set(gateway, due);
    this.look();
  }

  look(): void {
    if (this.sequenced && this.due.size === 0) this.finish();
  }
}

/** Numbers that an endpoint has before they could be those of the next one with its place. */
const publishesPerOpening = 1_024;

/** The synchronous publishes of one endpoint, and what is known of who has taken them. */
export class SyncPublishes implements SyncRole {
  readonly #self: number;
  readonly #shards: number;
  readonly #waiting = new Map<number, Waiting>();
  /** Endpoints that have gone: a shard may have named one before it knew. */
  readonly #gone = new Set<number>();
  readonly #look: () => void;
  #counter: number;

  /**
   * @param opening endpoints that the broker had opened before: so what an earlier one in this place has left under way
   * is not taken for this one's
   * @param look hears what others have said by now
   */
  constructor(self: number, shards: number, opening: number, look: () => void) {
    this.#look = look;
    this.#self = self;
    this.#shards = shards;
    this.#counter = (opening * publishesPerOpening) % syncCounterMax;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Publishes and waits until everybody has taken it.
   *
   * @param publish publishes with the token it is given; resolves with whether anybody wanted it
   * @param kind of the token: one whose publisher waits
   * @throws rejects with SyncAbortedError, ClosedError, or what `publish` throws or rejects with
   */
  async publish(
    subject: string,
    signal: AbortSignal | undefined,
    publish: (token: number) => Promise<boolean>,
    kind: TokenKind = tokenKind.taken,
  ): Promise<void> {
    const token = this.#nextToken((endpoint, counter) => tokenOf(kind, endpoint, counter));
    const waiting = new Waiting();
    const onAbort = (): void => {
      this.#look();
      waiting.fail(new SyncAbortedError(subject, this.#missing(waiting), signal?.reason));
    };
    this.#waiting.set(token, waiting);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      publish(token).then(
        (wanted) => {
          if (!wanted) waiting.finish();
        },
        (error: unknown) => waiting.fail(error),
      );
      await waiting.done;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(token);
    }
  }

  /**
   * Publishes and waits until the message is in order and, where a stream takes it, stored.
   *
   * @param publish as of `publish`
   * @param traceToken of a message that is traced; else 0
   * @returns with whether anybody wanted it
   * @throws rejects with StreamError when the stream does not store it, ClosedError, or as `publish` throws or rejects
   */
  async store(publish: (token: number) => Promise<boolean>, traceToken = 0): Promise<boolean> {
    const token = traceToken === 0 ? this.#nextToken(storeTokenOf) : traceToken;
    const waiting = new Waiting();
    // it may fail before the rest is known
    waiting.done.catch(() => {});
    this.#waiting.set(token, waiting);
    try {
      const isWanted = await publish(token);
      if (isWanted) await waiting.done;
      return isWanted;
    } finally {
      this.#waiting.delete(token);
    }
  }

  onExpected(token: number, gateway: number, change: number): void {
    if (!this.#gone.has(gateway)) this.#waiting.get(token)?.change(gateway, change);
  }

  onSequenced(token: number): void {
    const waiting = this.#waiting.get(token);
    if (waiting === undefined) return;
    waiting.sequenced = true;
    waiting.look();
  }

  onTaken(token: number, gateway: number): void {
    this.#waiting.get(token)?.change(gateway, -1);
  }

  onRefused(token: number, answer: string): void {
    this.#waiting.get(token)?.fail(errorOf(answer));
  }

  join(endpoint: number): void {
    this.#gone.delete(endpoint);
  }

  /** An endpoint is gone: it is not waited for. */
  leave(endpoint: number): void {
    this.#gone.add(endpoint);
    for (const waiting of this.#waiting.values()) {
      waiting.due.delete(endpoint);
      waiting.look();
    }
  }

  /** Nothing more will be heard of anybody. */
  abandon(): void {
    for (const waiting of this.#waiting.values()) waiting.fail(new ClosedError());
  }

  #missing(waiting: Waiting): string[] {
    if (!waiting.sequenced) return ['the shard that puts it in order'];
    return [...waiting.due.keys()].sort((a, b) => a - b).map((endpoint) => this.#nameOf(endpoint));
  }

  #nameOf(endpoint: number): string {
    if (endpoint === this.#self) return "this thread's subscribers";
    if (endpoint < this.#shards) return `gateway ${endpoint}`;
    return endpoint === this.#shards ? "the broker's own thread" : `client thread ${endpoint - this.#shards}`;
  }

  #nextToken(tokenOf: (endpoint: number, counter: number) => number): number {
    do this.#counter = (this.#counter % syncCounterMax) + 1;
    while (this.#waiting.has(tokenOf(this.#self, this.#counter)));
    return tokenOf(this.#self, this.#counter);
  }
}

/** What an acknowledgement says, a byte a character, that stores nothing. */
function errorOf(answer: string): unknown {
  try {
    return readAnswer(readableText(answer));
  } catch (error) {
    return error;
  }
}

/** Deliveries of one synchronous message to subscribers of this endpoint: taken when the last of them is done. */
export class SyncDelivery {
  /** As the message carries it. */
  readonly token: number;
  readonly #taken: (token: number) => void;
  /** Whoever hands it out holds it until all subscribers have it. */
  #holders = 1;

  constructor(token: number, taken: (token: number) => void) {
    this.token = token;
    this.#taken = taken;
  }

  begin(): void {
    this.#holders++;
  }

  finish(): void {
    if (--this.#holders === 0) this.#taken(this.token);
  }
}
