import { readableText } from '../base/bytes.js';
import type { Span } from '../base/span.js';
import type { Dialect } from './dialect.js';
import { JsonHead, TextHead, TimestampText } from './jsonDelivery.js';
import { escapeLineEnds } from './jsonText.js';

/** What JSON lines may look like to a subscriber: deliveries as text, or as objects. Answers are objects in both. */
export interface JsonDialects {
  readonly text: Dialect;
  readonly json: Dialect;
}

/** @param clock tells the timestamps of deliveries, in milliseconds since 1970 */
export function jsonDialects(clock: () => number): JsonDialects {
  const timestamp = new TimestampText(clock);
  const spoken = {
    // nothing is said to who has said nothing: a terminal shows what was asked for, and nothing else
    greeting: () => null,
    ok: (requestId: string | null) => line('"ok":true', requestId),
    pong: (requestId: string | null) => line('"ok":true,"pong":true', requestId),
    error: (text: string, requestId: string | null) => line(`"error":${JSON.stringify(readableText(text))}`, requestId),
    ping: null,
    // what it had of them would have to be read again
    messageBytes: (_: Span, start: number, end: number) => end - start,
    textual: true,
    lossNotice: (subject: Uint8Array, _sid: string, lost: number, policy: string) =>
      line(`"dropped":${lost},"topic":${JSON.stringify(Buffer.from(subject).toString())},"policy":"${policy}"`, null),
  };
  return {
    text: { ...spoken, name: 'jsonl-text', marks: false, head: (subject) => new TextHead(subject) },
    json: {
      ...spoken,
      name: 'jsonl-json',
      marks: true,
      head: (subject, _sid, mark) => new JsonHead(subject, timestamp, mark),
    },
  };
}

/** @param requestId JSON of what the client called its command */
function line(fields: string, requestId: string | null): Uint8Array {
  const id = requestId === null ? '' : `,"id":${requestId}`;
  return new Uint8Array(Buffer.from(`{${escapeLineEnds(fields + id)}}\n`));
}
