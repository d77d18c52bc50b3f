import { latin1Bytes, latin1String } from '../../base/bytes.js';
import { headerNames } from '../../base/headerNames.js';
import { contextWithinBytes, traceStateMax } from '../../base/limits.js';
import type { MessageView } from '../../base/messageView.js';
import { FieldBounds, findHeader } from '../messageKey.js';
import { HeaderSearch } from './headerSearch.js';

/** The span that a message's publisher has made for it, by W3C Trace Context: <https://www.w3.org/TR/trace-context/>. */
export interface TraceContext {
  /** 32 and 16 digits, hexadecimal. */
  readonly traceId: string;
  readonly parentId: string;
  /** What vendors say beside that, as it stands there; '' when nothing is. */
  readonly state: string;
}

/*
 *     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *     |  |                                |                flags: the last bit is set where the publisher's own span is recorded
 *     |  the trace                        that span
 *     version
 */
const traceAt = 3;
const parentAt = 36;
const flagsAt = 53;
const lengthBytes = 55;
const sampledBit = 1;

const parentName = latin1Bytes(headerNames.traceparent);
const stateName = latin1Bytes('tracestate');
const idName = latin1Bytes('nats-msg-id');
const search = new HeaderSearch(`${headerNames.traceparent}:`, true);
const found = new FieldBounds();

/**
 * The first message of a run, which has headers, whose publisher's span is recorded. Allocates nothing.
 *
 * @param before where the search ends; below 0 it does not
 * @returns `before` where there is none
 */
export function firstSampled(message: MessageView, before: number): number {
  const { count, span, starts, headerLengths } = message;
  const end = before < 0 ? count : before;
  for (let i = 0; i < end; i++) {
    const blockEnd = starts[i] + Math.min(headerLengths[i], contextWithinBytes);
    const at = search.find(span, starts[i], blockEnd);
    if (at < 0 || !maySay(span.bytes, at, blockEnd)) continue;
    if (findSampled(span.bytes, starts[i], blockEnd) >= 0) return i;
  }
  return before;
}

/** Whether what stands at a place, where the name does, may say that a span is recorded: of most it takes no more than this look. */
function maySay(bytes: Uint8Array, nameAt: number, end: number): boolean {
  // in a value of another: there may be one behind it
  if (bytes[nameAt - 1] !== lineFeed) return true;
  let at = nameAt + parentName.length + 1;
  while (at < end && (bytes[at] === space || bytes[at] === tab)) at++;
  const flags = at + flagsAt + 1;
  return flags < end && (digitOf(bytes[flags]) & sampledBit) === 1;
}

/** The context of a message; null where there is none, or its publisher's span is not recorded. */
export function readSampled(message: MessageView, index: number): TraceContext | null {
  if (!message.withHeaders) return null;
  const { bytes } = message;
  const start = message.starts[index];
  const end = start + Math.min(message.headerBytes(index), contextWithinBytes);
  const at = findSampled(bytes, start, end);
  if (at < 0) return null;
  const text = latin1String(bytes, at, at + lengthBytes);
  return {
    traceId: text.slice(traceAt, parentAt - 1),
    parentId: text.slice(parentAt, flagsAt - 1),
    state: findHeader(bytes, start, end, stateName, found)
      ? latin1String(bytes, found.start, Math.min(found.end, found.start + traceStateMax))
      : '',
  };
}

/** The id by which streams know a message again, one character a byte; '' where it has none. */
export function readMessageId(message: MessageView, index: number): string {
  const { bytes, starts } = message;
  if (!findHeader(bytes, starts[index], message.payloadStart(index), idName, found)) return '';
  return latin1String(bytes, found.start, Math.min(found.end, found.start + traceStateMax));
}

/** Where a `traceparent` begins that is valid, the only one, and says that a span is recorded; -1 where none does. */
function findSampled(bytes: Uint8Array, start: number, end: number): number {
  if (!findHeader(bytes, start, end, parentName, found)) return -1;
  const at = found.start;
  if (!isValid(bytes, at, found.end)) return -1;
  // of two nobody knows which is meant
  if (findHeader(bytes, found.end, end, parentName, found)) return -1;
  return digitOf(bytes[at + flagsAt + 1]) & sampledBit ? at : -1;
}

function isValid(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < lengthBytes) return false;
  if (bytes[at + traceAt - 1] !== minus || bytes[at + parentAt - 1] !== minus || bytes[at + flagsAt - 1] !== minus)
    return false;
  const version = numberAt(bytes, at);
  if (version < 0 || version === versionInvalid || numberAt(bytes, at + flagsAt) < 0) return false;
  if (end - at > lengthBytes && (version === 0 || bytes[at + lengthBytes] !== minus)) return false;
  return isName(bytes, at + traceAt, at + parentAt - 1) && isName(bytes, at + parentAt, at + flagsAt - 1);
}

/** Whether it is digits, not all of them 0. */
function isName(bytes: Uint8Array, start: number, end: number): boolean {
  let any = 0;
  for (let at = start; at < end; at++) {
    const digit = digitOf(bytes[at]);
    if (digit < 0) return false;
    any |= digit;
  }
  return any !== 0;
}

/** Two digits; below 0 where one is none. */
function numberAt(bytes: Uint8Array, at: number): number {
  return (digitOf(bytes[at]) << 4) | digitOf(bytes[at + 1]);
}

const tab = 9;
const lineFeed = 10;
const space = 32;
const minus = 45;
const zero = 48;
const letterA = 97;
const versionInvalid = 0xff;

/** -1 for what is none; capital letters are none, either. */
function digitOf(byte: number): number {
  if (byte >= zero && byte < zero + 10) return byte - zero;
  return byte >= letterA && byte < letterA + 6 ? byte - letterA + 10 : -1;
}
