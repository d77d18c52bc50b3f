import { assert } from '../base/assert.js';

/** What one thread may ask of another: a function a call. What is given and answered must be fit to be posted. */
type Table<C> = { readonly [K in keyof C]: (...given: never[]) => unknown };

type Given<C extends Table<C>, K extends keyof C> = Parameters<C[K]>;
type Answer<C extends Table<C>, K extends keyof C> = ReturnType<C[K]>;

/** A call on its way. Its number tells its answer from those to all others. */
export interface CallMessage<C extends Table<C>> {
  readonly type: 'call';
  readonly number: number;
  readonly name: keyof C;
  readonly given: Given<C, keyof C>;
}

export interface AnswerMessage {
  readonly type: 'answer';
  readonly number: number;
  readonly answer: unknown;
}

/** How every call of a table is carried out. */
export type CallHandlers<C extends Table<C>> = {
  readonly [K in keyof C]: (...given: Given<C, K>) => Answer<C, K> | Promise<Answer<C, K>>;
};

/** Calls to one other thread. Any number may be under way, also of the same name: each gets its own answer. */
export class Calls<C extends Table<C>> {
  readonly #post: (call: CallMessage<C>) => void;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #lastNumber = 0;
  #gone = false;

  constructor(post: (call: CallMessage<C>) => void) {
    this.#post = post;
  }

  /** Calls that have no answer yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Asks; resolves with the answer, or with null when the thread is gone. */
  call<K extends keyof C>(name: K, ...given: Given<C, K>): Promise<Answer<C, K> | null> {
    if (this.#gone) return Promise.resolve(null);
    const number = ++this.#lastNumber;
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve as (answer: unknown) => void);
      this.#post({ type: 'call', number, name, given });
    });
  }

  onAnswer({ number, answer }: AnswerMessage): void {
    const resolve = this.#waiting.get(number);
    assert(resolve !== undefined || this.#gone, 'a call is answered once');
    this.#waiting.delete(number);
    resolve?.(answer);
  }

  /** The thread is gone: nothing is answered any more. */
  abandon(): void {
    this.#gone = true;
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
  }
}

/** Carries a call out and sends the answer: at once, or when there is one. */
export function answerCall<C extends Table<C>>(
  handlers: CallHandlers<C>,
  { name, number, given }: CallMessage<C>,
  send: (answer: AnswerMessage) => void,
): void {
  const answer: unknown = handlers[name](...given);
  if (answer instanceof Promise) answer.then((later) => send({ type: 'answer', number, answer: later }));
  else send({ type: 'answer', number, answer });
}
