import { setTimeout as sleep } from 'node:timers/promises';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { spanAllowEveryMs, spanFlushMs } from '../base/limits.js';
import { type TallyRow, tally, tallyRow } from '../base/tally.js';
import { SpanAllowance } from '../exchange/spanAllowance.js';
import type { SpanBatch } from '../router/spanOutbox.js';
import type { SpanExporting } from '../telemetry/exporting.js';
import { RefusalLog } from './refusalLog.js';
import type { FromTelemetry, TelemetryData, ToTelemetry } from './telemetryMessages.js';

/** The thread that exports spans: it says how many messages may have one, takes them from all threads, and hands them to OpenTelemetry's exporter. */
export class TelemetryThread {
  readonly #port: MessagePort;
  readonly #ways: MessagePort[] = [];
  readonly #row: TallyRow;
  readonly #exporting: Promise<SpanExporting>;
  #allowing: NodeJS.Timeout | null = null;

  constructor(data: TelemetryData, port: MessagePort) {
    this.#port = port;
    this.#row = tallyRow(data.tallies, data.row);
    port.on('message', (message: ToTelemetry) => this.#onMessage(message));
    this.#exporting = this.#begin(data);
  }

  /** Loads what exports; what comes meanwhile waits at its port. */
  async #begin(data: TelemetryData): Promise<SpanExporting> {
    const { beginExporting } = await import('../telemetry/exporting.js');
    const failures = new RefusalLog((reason, batches) => this.#tell({ type: 'spansFailed', reason, batches }));
    const exporting = beginExporting(data, {
      onExported: (spans) => this.#count('spansExported', spans),
      onFailed: (spans, reason) => {
        this.#count('spansFailed', spans);
        failures.note(reason);
      },
      onDropped: () => this.#count('spansDropped', 1),
    });
    this.#allow(data);
    this.#tell({ type: 'ready' });
    return exporting;
  }

  /** Allows so many messages a second, bit by bit. */
  #allow({ allowance: memory, rate }: TelemetryData): void {
    const allowance = new SpanAllowance(memory);
    const everyMs = Math.max(spanAllowEveryMs, 1000 / rate);
    const messages = Math.round((rate * everyMs) / 1000);
    const allow = (): void => allowance.allow(messages);
    allow();
    this.#allowing = setInterval(allow, everyMs);
  }

  #onMessage(message: ToTelemetry): void {
    if (message.type === 'exit') void this.#end();
    else this.#listen(message.port);
  }

  #listen(way: MessagePort): void {
    this.#ways.push(way);
    way.on('message', (batch: SpanBatch) => {
      void this.#take(batch).then(() => way.postMessage(null));
    });
    way.on('close', () => this.#ways.splice(this.#ways.indexOf(way), 1));
  }

  async #take({ spans, dropped }: SpanBatch): Promise<void> {
    const exporting = await this.#exporting;
    if (dropped > 0) this.#count('spansDropped', dropped);
    for (const span of spans) exporting.write(span);
  }

  /** Exports what is left, unless that takes too long. */
  async #end(): Promise<void> {
    if (this.#allowing !== null) clearInterval(this.#allowing);
    for (const way of this.#ways)
      for (let next = receiveMessageOnPort(way); next !== undefined; next = receiveMessageOnPort(way))
        await this.#take(next.message as SpanBatch);
    const { flush } = await this.#exporting;
    await Promise.race([flush(), sleep(spanFlushMs)]);
    this.#port.close();
    process.exit(0);
  }

  #tell(message: FromTelemetry): void {
    this.#port.postMessage(message);
  }

  #count(name: 'spansExported' | 'spansFailed' | 'spansDropped', spans: number): void {
    this.#row[tally[name]] += spans;
  }
}
