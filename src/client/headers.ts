import { headerNames } from '../base/headerNames.js';
import { ArgumentError } from './errors.js';

/** Headers of a message: names with one value each. Where a name comes more than once its values are joined by `, `. */
export type Headers = Readonly<Record<string, string>>;

/** What a publisher may say of a message besides its value. */
export interface MessageFields {
  /** What key-ordered groups and `conflate` by key go by. */
  readonly key?: string | undefined;
  readonly headers?: Headers | undefined;
  /** W3C Trace Context. */
  readonly traceparent?: string | undefined;
  readonly correlationId?: string | undefined;
}

const version = 'NATS/1.0\r\n';
export const noBytes = new Uint8Array(0);
export const noHeaders: Headers = Object.freeze(Object.create(null) as Headers);

/**
 * The headers block of a message, empty when it has none.
 *
 * @throws ArgumentError for a name or a value that could be taken for another header
 */
export function encodeHeaders(fields: MessageFields): Uint8Array {
  const { key, headers, traceparent, correlationId } = fields;
  let lines = '';
  if (key !== undefined) lines += headerLine(headerNames.key, key);
  if (traceparent !== undefined) lines += headerLine(headerNames.traceparent, traceparent);
  if (correlationId !== undefined) lines += headerLine(headerNames.correlationId, correlationId);
  if (headers !== undefined) for (const [name, value] of Object.entries(headers)) lines += headerLine(name, value);
  return lines === '' ? noBytes : Buffer.from(`${version}${lines}\r\n`);
}

function headerLine(name: string, value: string): string {
  if (!/^[!-9;-~]+$/.test(name)) throw new ArgumentError(`${JSON.stringify(name)} is not a header's name`);
  if (typeof value !== 'string' || /[\r\n\0]/.test(value)) {
    throw new ArgumentError(`the value of header ${name} must be a text without line ends`);
  }
  return `${name}: ${value}\r\n`;
}

/** The headers in a block; what is no header is passed over. The first line's status, if any, is the header `Status`. */
export function parseHeaders(block: Uint8Array): Headers {
  const headers = Object.create(null) as Record<string, string>;
  const [first, ...lines] = Buffer.from(block.buffer, block.byteOffset, block.length).toString().split('\r\n');
  const status = /^NATS\/1\.0\s+(\d+)/.exec(first!)?.[1];
  if (status !== undefined) headers.Status = status;
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return Object.freeze(headers);
}

/** The value of a header, whatever the case of its name. */
export function headerValue(headers: Headers, name: string): string | undefined {
  if (name in headers) return headers[name];
  const lower = name.toLowerCase();
  for (const candidate in headers) if (candidate.toLowerCase() === lower) return headers[candidate];
  return undefined;
}
