import { gzipSync } from 'node:zlib';
import { latin1Bytes } from '../../base/bytes.js';
import { traceHeaderBytesMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { readHeaderBlock } from '../headerBlock.js';
import { inOrder, shownEvent, type TraceEvent } from './traceEvents.js';

/** The message that is traced, as its trace shows it. */
export interface TracedRequest {
  readonly header: Readonly<Record<string, readonly string[]>>;
  readonly msgsize: number;
}

/** Takes over what the trace shows of a message. Of headers that take very much the last ones are left out. */
export function readRequest(message: MessageView, index: number): TracedRequest {
  const start = message.starts[index];
  const { values } = readHeaderBlock(message.bytes, start, message.payloadStart(index));
  const header: Record<string, string[]> = {};
  let left = traceHeaderBytesMax;
  for (const name of [...values.keys()].sort()) {
    const shown = (values.get(name) ?? []).filter((value) => value !== '');
    left -= name.length + shown.reduce((total, value) => total + value.length, 0);
    if (left < 0) break;
    if (shown.length > 0) Object.defineProperty(header, name, { value: shown, enumerable: true });
  }
  return { header, msgsize: message.ends[index] - start };
}

/** A trace as it is published: a headers block, empty without an encoding, and its bytes. */
export interface TraceMessage {
  readonly block: Uint8Array;
  readonly payload: Uint8Array;
  /** What its text took before it was compressed. */
  readonly lengthBytes: number;
}

const none = new Uint8Array(0);

/** @param encodings what its reader takes, as it was named; null where nothing was */
export function writeTrace(
  server: object,
  request: TracedRequest,
  events: readonly TraceEvent[],
  encodings: string | null,
): TraceMessage {
  const payload = Buffer.from(JSON.stringify({ server, request, events: inOrder(events).map(shownEvent) }));
  const lengthBytes = payload.length;
  if (encodings === null) return { block: none, payload, lengthBytes };
  const zips = /(?:^|[,\s])gzip(?:$|[,;\s])/i.test(encodings);
  const block = latin1Bytes(`NATS/1.0\r\nContent-Encoding: ${zips ? 'gzip' : 'identity'}\r\n\r\n`);
  return { block, payload: zips ? gzipSync(payload) : payload, lengthBytes };
}
