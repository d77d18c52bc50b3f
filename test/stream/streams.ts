import { assert } from '../../src/base/assert.js';
import { latin1Bytes } from '../../src/base/bytes.js';
import { MessageView } from '../../src/base/messageView.js';
import { Span } from '../../src/base/span.js';
import { Decoding } from '../../src/stream/api/decoding.js';
import { parseJson } from '../../src/stream/api/json.js';
import { effectiveConfig } from '../../src/stream/configRules.js';
import { MemoryShare } from '../../src/stream/memoryShare.js';
import type { Steps } from '../../src/stream/steps.js';
import { readConfigRequest, type StreamConfig } from '../../src/stream/streamConfig.js';

/** Memory that is enough for whatever a test does. */
export function ampleMemory(): MemoryShare {
  return new MemoryShare(ample);
}

export const ample = { bytesMax: 1e9, subjectBytesMax: 1e9, idBytesMax: 1e9 };

/** What a stream in memory that takes everything is configured like, but for what is given. */
export function configOf(given: object): StreamConfig {
  const text = JSON.stringify({ name: 'S', subjects: ['>'], no_ack: true, storage: 'memory', ...given });
  return effectiveConfig(readConfigRequest(parseJson(text), new Decoding('StreamConfigRequest')));
}

/** A message with headers, as it is published. */
export function messageOf(headers: Readonly<Record<string, string>>, payload: string): MessageView {
  return messageWith(blockOf(headers), payload);
}

function blockOf(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.length === 0 ? '' : `NATS/1.0\r\n${lines.join('')}\r\n`;
}

/** One message of a run: its headers, and the length of its payload. */
export interface RunMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
}

/** Messages one behind the other with something between them, as one run: all have headers, if only an empty block, or none has. */
export function runOf(messages: readonly RunMessage[]): MessageView {
  const view = new MessageView();
  view.withHeaders = messages.some(({ headers }) => Object.keys(headers).length > 0);
  let text = '';
  for (const [i, { headers, length }] of messages.entries()) {
    const block = view.withHeaders ? blockOf(headers) || 'NATS/1.0\r\n\r\n' : '';
    const payload = 'x'.repeat(length);
    text += `PUB s ${block.length + payload.length}\r\n`;
    view.starts[i] = text.length;
    view.ends[i] = text.length + block.length + payload.length;
    view.headerLengths[i] = block.length;
    text += `${block}${payload}\r\n`;
  }
  view.span = new Span(latin1Bytes(text));
  view.count = messages.length;
  return view;
}

/** A message whose headers block is as it is given, one byte a character. */
export function messageWith(block: string, payload: string): MessageView {
  const view = new MessageView();
  view.set(new Span(latin1Bytes(`${block}${payload}\r\n`)), 0, block.length + payload.length);
  view.setHeaders(block.length);
  return view;
}

/** What a walk comes to that need not wait. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    assert(value === undefined, 'nothing is waited for');
  }
}
