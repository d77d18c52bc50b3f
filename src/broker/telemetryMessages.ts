import type { MessagePort } from 'node:worker_threads';
import type { ExportSettings } from '../telemetry/exporting.js';

/** What the thread that exports spans is started with. */
export interface TelemetryData extends ExportSettings {
  /** Messages a second that may have spans. */
  readonly rate: number;
  readonly allowance: SharedArrayBuffer;
  readonly tallies: SharedArrayBuffer;
  /** Its row of them. */
  readonly row: number;
}

/** From the main thread; before these it is sent its `TelemetryData`. `way` comes with the end of a `SpanWay`'s port. */
export type ToTelemetry = { readonly type: 'way'; readonly port: MessagePort } | { readonly type: 'exit' };

/** From that thread to the main one. `ready`: messages may have spans from now on. */
export type FromTelemetry = SpansFailed | { readonly type: 'ready' };

/** So many batches of spans were not taken since this was told last, and why the last ones were not. */
export interface SpansFailed {
  readonly type: 'spansFailed';
  readonly reason: string;
  readonly batches: number;
}
