import { headerNames } from '../base/headerNames.js';
import { type HeaderBlock, headerMistake, writeHeaderBlock } from '../protocol/headerBlock.js';
import type { Names } from './checks.js';
import { ArgumentError } from './errors.js';

/**
 * Headers of a message: names with one value each. Where a name comes more than once its values are joined by `, `; names are told
 * apart by case.
 */
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

export const messageFieldNames: Names<MessageFields> = {
  key: true,
  headers: true,
  traceparent: true,
  correlationId: true,
};

export const noBytes: Uint8Array = new Uint8Array(0);
export const noHeaders: Headers = Object.freeze(Object.create(null) as Headers);

/**
 * The headers block of a message, empty when it has none.
 *
 * @throws ArgumentError for a name or a value that could be taken for another header
 */
export function encodeHeaders({ key, headers, traceparent, correlationId }: MessageFields): Uint8Array {
  if (key === undefined && headers === undefined && traceparent === undefined && correlationId === undefined)
    return noBytes;
  const values: [name: string, value: string][] = [];
  if (key !== undefined) values.push(checked(headerNames.key, key, 'key'));
  if (traceparent !== undefined) values.push(checked(headerNames.traceparent, traceparent, 'traceparent'));
  if (correlationId !== undefined) values.push(checked(headerNames.correlationId, correlationId, 'correlationId'));
  if (headers !== undefined) for (const [name, value] of entriesOf(headers)) values.push(checked(name, value));
  return values.length === 0 ? noBytes : Buffer.from(writeHeaderBlock(values));
}

function entriesOf(headers: Headers): [string, unknown][] {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    throw new ArgumentError('headers must be an object of texts');
  return Object.entries(headers);
}

/** @param what the option that it stands in; the header itself where there is none of its own */
function checked(name: string, value: unknown, what?: string): [string, string] {
  if (typeof value !== 'string') throw new ArgumentError(`${what ?? `header ${JSON.stringify(name)}`} must be a text`);
  const mistake = headerMistake(name, value, what);
  if (mistake !== null) throw new ArgumentError(mistake);
  return [name, value];
}

/**
 * A block's headers as users see them. The first line's status, if any, is the header `Status`.
 *
 * @internal
 */
export function headersOf(block: HeaderBlock): Headers {
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, values] of block.values) headers[name] = values.join(', ');
  if (block.status !== 0) headers.Status = String(block.status);
  return Object.freeze(headers);
}
