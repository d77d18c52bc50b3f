import { throwIfAborted } from './checks.js';
import type { Delivered } from './delivered.js';
import { AbortedError } from './errors.js';
import { HandlerClock } from './handlerClock.js';
import type { Handler, OnError } from './handlers.js';
import { type Answering, Message } from './message.js';
import type { TopicValues } from './schema.js';
import type { Consumer, Subscription } from './subscription.js';

/** Makes the messages that a subscription hands out. */
export class MessageMaker<T> {
  readonly #values: TopicValues<T>;
  readonly #answering: Answering | null;

  constructor(subscription: Subscription, values: TopicValues<T>) {
    this.#values = values;
    this.#answering = subscription.prefetch === 0 || subscription.acknowledgesItself ? null : answeringOf(subscription);
  }

  make(delivered: Delivered): Message<T> {
    return new Message(delivered, this.#values, this.#answering);
  }
}

/** What is made here is made of nothing else. */
function answeringOf(subscription: Subscription): Answering {
  return {
    say: (message, answer, delayMs, detail) => {
      if (subscription.answer(message as Delivered, answer, delayMs, detail)) subscription.resume();
    },
    confirm: (message) => {
      const confirmed = subscription.confirm(message as Delivered);
      subscription.resume();
      return confirmed;
    },
  };
}

/** Calls a handler, one message at a time. */
export class HandlerConsumer<T> implements Consumer {
  readonly #subscription: Subscription;
  readonly #maker: MessageMaker<T>;
  readonly #handler: Handler<T>;
  readonly #onError: OnError<T>;
  readonly endsLast = false;
  readonly #clock: HandlerClock;
  #running = false;

  constructor(subscription: Subscription, maker: MessageMaker<T>, handler: Handler<T>, onError: OnError<T>) {
    this.#subscription = subscription;
    this.#maker = maker;
    this.#handler = handler;
    this.#onError = onError;
    this.#clock = new HandlerClock(subscription.handlerTimes);
  }

  get idle(): boolean {
    return !this.#running && !this.#subscription.ready;
  }

  get atWork(): boolean {
    return this.#running;
  }

  work(): void {
    while (!this.#running && this.#subscription.ready) this.#next(this.#subscription.take() as Delivered);
  }

  end(): void {}

  #next(delivered: Delivered): void {
    const message = this.#maker.make(delivered);
    let outcome: unknown;
    this.#running = true;
    this.#subscription.run(delivered);
    this.#clock.begin();
    try {
      outcome = this.#handler(message);
    } catch (error) {
      this.#clock.end();
      this.#fail(error, message, delivered);
      return;
    }
    if (!isThenable(outcome)) {
      this.#clock.end();
      this.#finish(delivered);
      return;
    }
    outcome.then(
      () => {
        this.#clock.end();
        this.#finish(delivered);
        this.#subscription.resume();
      },
      (error: unknown) => {
        this.#clock.end();
        this.#fail(error, message, delivered);
        this.#subscription.resume();
      },
    );
  }

  #fail(error: unknown, message: Message<T>, delivered: Delivered): void {
    this.#subscription.fail(delivered);
    this.#onError(error, message);
    this.#finish(delivered);
  }

  /** With `prefetch` it is the handler that says when a message is done, unless it reads a stream. */
  #finish(delivered: Delivered): void {
    if (this.#subscription.prefetch === 0 || this.#subscription.feed !== null) this.#subscription.done(delivered);
    this.#running = false;
    this.#subscription.ran(delivered);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}

interface Waiter<T> {
  resolve(result: IteratorResult<Message<T>, undefined>): void;
  reject(error: Error): void;
}

/** Gives messages to whoever iterates; it ends once the subscription has and everything buffered was given. */
export class IteratorConsumer<T> implements Consumer {
  readonly #subscription: Subscription;
  readonly #maker: MessageMaker<T>;
  readonly #waiters: Waiter<T>[] = [];
  /** What was given last: the consumer is done with it when it asks for more. */
  #given: Delivered | null = null;
  #failed = false;
  /** Whether it is a loop, which asks for more when it is done with what it was given. */
  isLoop = false;
  readonly endsLast = false;

  constructor(subscription: Subscription, maker: MessageMaker<T>) {
    this.#subscription = subscription;
    this.#maker = maker;
  }

  /** Who takes messages one by one may never come back. */
  get idle(): boolean {
    return !this.isLoop || this.#given === null;
  }

  get atWork(): boolean {
    return this.#given !== null;
  }

  /** @param signal ends this wait alone */
  next(signal?: AbortSignal): Promise<IteratorResult<Message<T>, undefined>> {
    try {
      throwIfAborted(signal);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#finishGiven(true);
    const subscription = this.#subscription;
    if (this.#waiters.length === 0) {
      if (subscription.ready) return Promise.resolve({ value: this.#give(), done: false });
      if (this.#over) return this.#lastWord();
    }
    return new Promise((resolve, reject) => this.#wait({ resolve, reject }, signal));
  }

  work(): void {
    while (this.#waiters.length > 0 && this.#subscription.ready)
      this.#waiters.shift()!.resolve({ value: this.#give(), done: false });
    this.end();
  }

  end(): void {
    if (!this.#over) return;
    for (const waiter of this.#waiters.splice(0)) this.#lastWord().then(waiter.resolve, waiter.reject);
  }

  /** The consumer wants no more: what is buffered goes to others, or nowhere. */
  stop(): void {
    this.#finishGiven(false);
    this.#subscription.end();
    this.#subscription.discard();
    this.end();
  }

  #wait(waiter: Waiter<T>, signal: AbortSignal | undefined): void {
    if (signal === undefined) {
      this.#waiters.push(waiter);
      return;
    }
    const onAbort = (): void => {
      this.#waiters.splice(this.#waiters.indexOf(abortable), 1);
      waiter.reject(new AbortedError(signal.reason));
    };
    const abortable: Waiter<T> = {
      resolve: (result) => {
        signal.removeEventListener('abort', onAbort);
        waiter.resolve(result);
      },
      reject: (error) => {
        signal.removeEventListener('abort', onAbort);
        waiter.reject(error);
      },
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiters.push(abortable);
  }

  get #over(): boolean {
    return this.#subscription.ended && this.#subscription.backlog.count === 0;
  }

  #give(): Message<T> {
    const delivered = this.#subscription.take() as Delivered;
    this.#given = delivered;
    return this.#maker.make(delivered);
  }

  /** @param asksForMore whether the consumer goes on, so that it has done what a stream gave it */
  #finishGiven(asksForMore: boolean): void {
    const given = this.#given;
    this.#given = null;
    const { prefetch, acknowledgesItself } = this.#subscription;
    const isDone = prefetch === 0 || acknowledgesItself || (asksForMore && this.#subscription.feed !== null);
    if (given !== null && isDone) this.#subscription.done(given);
  }

  /** The error that ended it, once; then the end. */
  #lastWord(): Promise<IteratorResult<Message<T>, undefined>> {
    const { error } = this.#subscription;
    if (error === null || this.#failed) return Promise.resolve({ value: undefined, done: true });
    this.#failed = true;
    return Promise.reject(error);
  }
}
