import { durablePullBytes, durablePullMs } from '../base/limits.js';
import type { ConsumerConfigJson, PullRequestJson } from '../protocol/streamApi/consumerJson.js';
import { nsPerMs } from '../protocol/streamApi/storedReading.js';
import type { WorkAnswer } from './workState.js';

/** A request for messages: what its reply ends with, by which what is said of it is known, and what it says. */
export interface Pull {
  readonly token: string;
  readonly body: string;
}

/** What follows from what a consumer says of a request: nothing, it is asked again now or after a pause, or it is never asked again. */
export type PullFate = 'ignored' | 'again' | 'later' | 'lost';

/** What one subscriber asks a consumer for: one request at a time, for as much as it has room for. */
export class Pulling {
  readonly #batchMax: number;
  readonly #waitMs: number;
  /** Messages of the request under way that have not come. */
  #left = 0;
  #serial = 0;
  /** Whether the next message is longer than what is asked for at a time. */
  #isLong = false;

  constructor({ max_batch = 0, max_expires = 0 }: Pick<ConsumerConfigJson, 'max_batch' | 'max_expires'>) {
    this.#batchMax = max_batch > 0 ? max_batch : Number.POSITIVE_INFINITY;
    this.#waitMs = max_expires > 0 ? Math.min(durablePullMs, max_expires / nsPerMs) : durablePullMs;
  }

  /** How many messages may still come of what was asked for. */
  get left(): number {
    return this.#left;
  }

  /** The next request; null while one is under way, and where there is no room. */
  ask(room: number): Pull | null {
    if (this.#left > 0 || room <= 0) return null;
    this.#left = this.#isLong ? 1 : Math.min(room, this.#batchMax);
    this.#serial++;
    const bytes = this.#isLong ? {} : { max_bytes: durablePullBytes };
    const request: PullRequestJson = { batch: this.#left, expires: this.#waitMs * nsPerMs, ...bytes };
    return { token: this.#token, body: JSON.stringify(request) };
  }

  /** A message has come. */
  onMessage(): void {
    this.#isLong = false;
    if (this.#left > 0) this.#left--;
  }

  /** A status has come to a reply that ends with the token of a request. */
  onStatus(token: string, code: number, text: string): PullFate {
    if (token !== this.#token || code === idleHeartbeat) return 'ignored';
    this.#left = 0;
    this.#isLong = text === tooLong;
    if (code === requestTimeout || this.#isLong || text === batchCompleted) return 'again';
    return text === maxWaiting || text === serverShutdown ? 'later' : 'lost';
  }

  get #token(): string {
    return `p${this.#serial}`;
  }
}

/** What an acknowledgement says, in JetStream's words. @param detail of `terminate`: why */
export function answerText(answer: WorkAnswer, delayMs: number, detail = ''): string {
  if (answer === 'terminate' && detail !== '') return `${answerWords.terminate} ${detail}`;
  return answer === 'nackLater' ? `-NAK {"delay":${delayMs * nsPerMs}}` : answerWords[answer];
}

const answerWords: Readonly<Record<Exclude<WorkAnswer, 'nackLater'>, string>> = {
  ack: '+ACK',
  nack: '-NAK',
  working: '+WPI',
  terminate: '+TERM',
};

/** Whether what a reply ends with is the token of a request for messages. */
export function isPullToken(token: string): boolean {
  return token.startsWith('p');
}

const idleHeartbeat = 100;
const requestTimeout = 408;
const tooLong = 'Message Size Exceeds MaxBytes';
const batchCompleted = 'Batch Completed';
const maxWaiting = 'Exceeded MaxWaiting';
const serverShutdown = 'Server Shutdown';
