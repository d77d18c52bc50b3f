import { createRequire } from 'node:module';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { spanFlushMs } from '../base/limits.js';
import { SpanAllowance } from '../exchange/spanAllowance.js';
import { telemetryLack } from '../telemetry/packages.js';
import type { FromTelemetry, TelemetryData, ToTelemetry } from './telemetryMessages.js';

/** The file that the thread runs. */
const telemetryWorkerUrl = new URL('../../workers/telemetry.js', import.meta.url);

/** A thread's end of its way to the one that exports spans. */
export interface PostedSpanWay {
  readonly port: MessagePort;
  readonly allowance: SharedArrayBuffer;
}

/** Why spans cannot be exported here; null when they can. */
export function whyNoSpans(): string | null {
  const { resolve } = createRequire(import.meta.url);
  return telemetryLack((name) => resolve(name));
}

/** What the thread is started with, but for what this makes. */
export type TelemetryStart = Omit<TelemetryData, 'allowance'>;

/** The thread that exports spans, as the main thread sees it. When it fails the broker goes on without. */
export class Telemetry {
  /** Resolves when messages may have spans, or when they never will. */
  readonly ready: Promise<void>;
  readonly #allowance = SpanAllowance.makeMemory();
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #isEnding = false;

  /** @param onFailed is told, seldom, why spans are not exported */
  constructor(start: TelemetryStart, onFailed: (reason: string, batches: number) => void) {
    this.#worker = new Worker(telemetryWorkerUrl, { name: 'telemetry' });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.ready = new Promise((resolve) => {
      this.#worker.on('message', (message: FromTelemetry) => {
        if (message.type === 'ready') resolve();
        else onFailed(message.reason, message.batches);
      });
      void this.#exited.then(resolve);
    });
    this.#worker.on('error', (error) => onFailed(`the thread that exports them failed: ${String(error)}`, 0));
    this.#worker.postMessage({ ...start, allowance: this.#allowance } satisfies TelemetryData);
  }

  /** A way for one thread more; its port is to be transferred there. */
  makeWay(): PostedSpanWay {
    const { port1, port2 } = new MessageChannel();
    this.#post({ type: 'way', port: port1 }, [port1]);
    return { port: port2, allowance: this.#allowance };
  }

  /** Lets the thread export what it has, and ends it if that takes too long. */
  async end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#post({ type: 'exit' });
    const late = setTimeout(() => this.#worker.terminate(), 2 * spanFlushMs);
    await this.#exited;
    clearTimeout(late);
  }

  #post(message: ToTelemetry, transfer: MessagePort[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
