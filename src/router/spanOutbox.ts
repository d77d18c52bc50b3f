import { spansWaitingMax } from '../base/limits.js';
import { SpanAllowance } from '../exchange/spanAllowance.js';
import type { MessageSpan } from '../protocol/trace/messageSpan.js';

/** What a thread sends to the one that exports spans: those that have collected, and how many before them found no room. */
export interface SpanBatch {
  readonly spans: readonly MessageSpan[];
  readonly dropped: number;
}

/** A thread's way to the one that exports spans: a `MessagePort`. It answers each batch when it has taken it. */
export interface SpanPort {
  postMessage(batch: SpanBatch): void;
  on(event: 'message', taken: () => void): unknown;
  unref(): void;
  close(): void;
}

/** What a thread is given where messages have spans. */
export interface SpanWay {
  readonly port: SpanPort;
  /** Made by `SpanAllowance.makeMemory`, one for all threads. */
  readonly allowance: SharedArrayBuffer;
}

/** Spans of messages that this thread has published, on their way to the thread that exports them: a batch at a time. Who is slow there delays nobody here. */
export class SpanOutbox {
  readonly #port: SpanPort;
  readonly #allowance: SpanAllowance;
  #spans: MessageSpan[] = [];
  #dropped = 0;
  /** Whether a batch has not been taken yet. */
  #isSending = false;

  constructor({ port, allowance }: SpanWay) {
    this.#port = port;
    this.#allowance = new SpanAllowance(allowance);
    port.on('message', () => {
      this.#isSending = false;
      this.#send();
    });
    port.unref();
  }

  /** Whether one message more may have a span. */
  get allows(): boolean {
    return this.#allowance.any;
  }

  take(): void {
    this.#allowance.take();
  }

  giveBack(): void {
    this.#allowance.giveBack();
  }

  add(span: MessageSpan): void {
    if (this.#spans.length < spansWaitingMax) this.#spans.push(span);
    else this.#dropped++;
    this.#send();
  }

  close(): void {
    this.#port.close();
  }

  #send(): void {
    if (this.#isSending || this.#spans.length + this.#dropped === 0) return;
    this.#port.postMessage({ spans: this.#spans, dropped: this.#dropped });
    this.#isSending = true;
    this.#spans = [];
    this.#dropped = 0;
  }
}
