import { latin1Bytes, latin1String } from '../../base/bytes.js';
import { kernelFindTraced } from '../../base/kernel.js';
import type { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { Span } from '../../base/span.js';
import { endOfLine, FieldBounds, findValue, nextLine } from '../messageKey.js';
import { HeaderSearch } from './headerSearch.js';

/** Headers by which a publisher has a message traced; names are told apart by case, as in nats-server. */
const destinationName = latin1Bytes('Nats-Trace-Dest:');
const onlyName = latin1Bytes('Nats-Trace-Only:');
/** Set by a server that has traced the message already: it is not traced again. */
const originName = latin1Bytes('Nats-Trace-Origin-Account:');
const encodingName = latin1Bytes('Accept-Encoding:');

/** What a message says of how it is to be traced. */
export interface TraceOptions {
  /** Where the trace goes, as it was written: one character a byte. */
  readonly destination: string;
  /** Whether it is told who would get the message, and nobody gets it. */
  readonly only: boolean;
  /** Encodings that the trace may have, as they were named; null where none was. */
  readonly encodings: string | null;
}

/*
 * A message is traced that has a header `Nats-Trace-Dest`, and this is asked of every message with headers: by the kernel where their bytes
 * lie in its memory.
 */
const search = new HeaderSearch('Nats-Trace-Dest:', false);

/** The first message of a run, which has headers, that may be traced; -1 where none is. Allocates nothing. */
export function firstTraced(message: MessageView): number {
  const { count, span, starts, headerLengths } = message;
  const isInKernel = span.address >= 0 && message.positionsAddress >= 0;
  for (let i = 0; i < count; i++) {
    if (isInKernel) i = kernelFindTraced(message, i);
    if (i === count) break;
    const end = starts[i] + headerLengths[i];
    if ((isInKernel || search.find(span, starts[i], end) >= 0) && isNamed(span.bytes, starts[i], end)) return i;
  }
  return -1;
}

function isNamed(bytes: Uint8Array, start: number, end: number): boolean {
  return findLine(bytes, start, end, destinationName) >= 0;
}

/** Where the line of a header begins, named with its colon; -1 where there is none. */
function findLine(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): number {
  for (let at = nextLine(bytes, start, end); at < end; at = nextLine(bytes, at, end))
    if (beginsWith(bytes, at, end, wanted)) return at;
  return -1;
}

function beginsWith(bytes: Uint8Array, at: number, end: number, wanted: Uint8Array): boolean {
  if (at + wanted.length > end) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** How a message with headers is to be traced; null when it is not. */
export function readTraceOptions(message: MessageView, index: number): TraceOptions | null {
  const { bytes } = message;
  const start = message.starts[index];
  const end = message.payloadStart(index);
  const destination = valueIn(bytes, start, end, destinationName) ?? '';
  if (destination === '' || destination === disabled || findLine(bytes, start, end, originName) >= 0) return null;
  const only = valueIn(bytes, start, end, onlyName) ?? '';
  const encodings = valueIn(bytes, start, end, encodingName);
  return { destination, only: /^(?:1|true|on)$/i.test(only), encodings };
}

/** What a stored message names instead: whoever publishes that once more has no trace made by it. */
const disabled = 'trace disabled';
const disabledLine = latin1Bytes(`Nats-Trace-Dest: ${disabled}\r\n`);

/**
 * A traced message as streams store it, without its reply.
 *
 * @param into filled with it
 */
export function storeUntraced(message: MessageView, index: number, into: MessageView): void {
  const { bytes } = message;
  const start = message.starts[index];
  const payloadStart = message.payloadStart(index);
  const line = findLine(bytes, start, payloadStart, destinationName);
  const rest = nextLine(bytes, line, payloadStart);
  const end = message.ends[index] + lineEndBytes;
  const whole = Buffer.concat([bytes.subarray(start, line), disabledLine, bytes.subarray(rest, end)]);
  into.set(new Span(whole), 0, whole.length - lineEndBytes);
  into.setHeaders(payloadStart - start + whole.length - (end - start));
}

const found = new FieldBounds();

function valueIn(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): string | null {
  const line = findLine(bytes, start, end, wanted);
  if (line < 0) return null;
  findValue(bytes, line + wanted.length, endOfLine(bytes, line, end), found);
  return latin1String(bytes, found.start, found.end);
}
