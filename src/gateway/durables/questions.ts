import { type Due, DueList } from '../../base/dueList.js';
import { durableAnswerMs, healthTickMs } from '../../base/limits.js';
import type { DurableReader } from './durableReader.js';
import type { OutgoingRequest } from './outgoing.js';

/** A question that waits for its answer. */
export class Question implements Due {
  dueTick = 0;
  readonly reader: DurableReader;
  readonly token: string;
  readonly answer: Promise<string>;
  resolve!: (answer: string) => void;
  reject!: (error: Error) => void;

  constructor(reader: DurableReader, token: string) {
    this.reader = reader;
    this.token = token;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // whoever asks may have gone by then
    this.answer.catch(() => {});
  }
}

/** Why a question was not answered. */
export class NoAnswerError extends Error {}

/** Questions that a gateway's durable subscriptions ask of streams and consumers, until they are answered or have waited too long. */
export class Questions {
  readonly #post: (request: OutgoingRequest) => void;
  readonly #requestTurn: () => void;
  readonly #nowMs: () => number;
  readonly #asked = new Map<DurableReader, Map<string, Question>>();
  readonly #dues = new DueList<Question>(healthTickMs);
  #serial = 0;

  constructor(post: (request: OutgoingRequest) => void, requestTurn: () => void, nowMs: () => number) {
    this.#post = post;
    this.#requestTurn = requestTurn;
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#dues.size;
  }

  /** @param needsRight whether it needs its connection's right to the subject */
  ask(reader: DurableReader, subject: string, body: string, needsRight: boolean): Question {
    const question = new Question(reader, `q${++this.#serial}`);
    const questions = this.#asked.get(reader) ?? new Map<string, Question>();
    this.#asked.set(reader, questions.set(question.token, question));
    this.#dues.put(question, this.#nowMs() + durableAnswerMs);
    this.#post({
      connection: reader.subscription.connection,
      subject,
      body,
      reply: reader.inbox + question.token,
      needsRight,
      onRefused: (why) => this.refuse(reader, question.token, why),
    });
    return question;
  }

  answer(reader: DurableReader, token: string, answer: Buffer): void {
    this.#settle(reader, token)?.resolve(answer.toString());
  }

  refuse(reader: DurableReader, token: string, why: string): void {
    this.#settle(reader, token)?.reject(new NoAnswerError(why));
  }

  /** Nobody waits for the answers any more. */
  end(reader: DurableReader): void {
    for (const token of [...(this.#asked.get(reader)?.keys() ?? [])])
      this.refuse(reader, token, 'the subscription has ended');
  }

  /** Gives up what has waited too long. */
  doWork(): void {
    if (this.#dues.size === 0) return;
    const nowMs = this.#nowMs();
    for (let due = this.#dues.next(nowMs); due !== null; due = this.#dues.next(nowMs))
      this.refuse(due.reader, due.token, `no answer within ${durableAnswerMs / 1000} s`);
  }

  #settle(reader: DurableReader, token: string): Question | null {
    const questions = this.#asked.get(reader);
    const question = questions?.get(token);
    if (questions === undefined || question === undefined) return null;
    questions.delete(token);
    if (questions.size === 0) this.#asked.delete(reader);
    this.#dues.remove(question);
    // its continuation may have something to publish
    this.#requestTurn();
    return question;
  }
}
