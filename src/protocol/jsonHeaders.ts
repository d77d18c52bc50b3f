import { isUtf8 } from 'node:buffer';
import { assert } from '../base/assert.js';
import { headerNames } from '../base/headerNames.js';
import { jsonHeadersMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { Span } from '../base/span.js';
import { readStatus, smallLetters } from './headerBlock.js';
import { HeaderLines } from './headerLines.js';
import { escapeLineEnds, writeAscii, writeJsonText, writeUtf8 } from './jsonText.js';

const quote = 0x22;
const comma = 0x2c;
const bracketOpen = 0x5b;
const bracketClose = 0x5d;
const lineFeed = 10;
const none = -1;

/** Fields for headers that mean something to us, with the header's name in small letters, in their order. */
const fields = [
  { field: 'key', name: Buffer.from(smallLetters(headerNames.key)) },
  { field: 'traceparent', name: Buffer.from(smallLetters(headerNames.traceparent)) },
  { field: 'correlationId', name: Buffer.from(smallLetters(headerNames.correlationId)) },
];
/** The first header of each of these, or `none`. */
const taken = new Int32Array(fields.length);
const lines = new HeaderLines();

/**
 * Writes what the headers of a message say as members of a JSON object, each with a comma before it: the first of each that means something to us as
 * a field, all others as they are. Of very many the first are written, and that there are more. Returns the position behind it.
 */
export function writeHeaders(target: Span, at: number, message: MessageView, index: number): number {
  const { span, start, end } = wellFormed(message.span, message.starts[index], message.payloadStart(index));
  const found = span.bytes.indexOf(lineFeed, start);
  const statusEnd = found < 0 || found >= end ? end : found;
  const all = lines.read(span, Math.min(statusEnd + 1, end), end, jsonHeadersMax);
  takeFields();
  let position = writeStatus(target, at, span.bytes, start, statusEnd);
  position = writeOthers(target, writeFields(target, position));
  if (!all) position = writeAscii(target, position, ',"headersCut":true');
  lines.release();
  return position;
}

/** The block, and where it is not UTF-8 a copy in which that has become U+FFFD. */
function wellFormed(span: Span, start: number, end: number): { span: Span; start: number; end: number } {
  const block = span.bytes.subarray(start, end);
  if (isUtf8(block)) return { span, start, end };
  const copy = Buffer.from(Buffer.from(block.buffer, block.byteOffset, block.length).toString());
  return { span: new Span(copy), start: 0, end: copy.length };
}

/** Notes which headers become fields. */
function takeFields(): void {
  taken.fill(none);
  for (let i = 0; i < lines.count; i++) {
    const field = fieldOf(lines.nameStart(i), lines.nameEnd(i));
    if (field !== none && taken[field] === none) taken[field] = i;
  }
}

/** The field that a name stands for, in any case, or `none`. */
function fieldOf(start: number, end: number): number {
  for (let field = 0; field < fields.length; field++) {
    const { name } = fields[field];
    if (name.length === end - start && isName(name, start)) return field;
  }
  return none;
}

function isName(name: Uint8Array, start: number): boolean {
  const { bytes } = lines.span;
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i];
    const small = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (small !== name[i]) return false;
  }
  return true;
}

function writeStatus(target: Span, at: number, bytes: Uint8Array, start: number, end: number): number {
  const { status, description } = readStatus(
    Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString(),
  );
  let position = at;
  if (status !== 0) position = writeAscii(target, position, `,"status":${status}`);
  if (description !== '')
    position = writeUtf8(target, position, `,"description":${escapeLineEnds(JSON.stringify(description))}`);
  return position;
}

function writeFields(target: Span, at: number): number {
  let position = at;
  for (let field = 0; field < fields.length; field++) {
    if (taken[field] === none) continue;
    position = writeAscii(target, position, `,"${fields[field].field}":`);
    position = writeString(target, position, lines.valueStart(taken[field]), lines.valueEnd(taken[field]));
  }
  return position;
}

/** Headers that are no fields: a name's value, or all of them as an array. */
function writeOthers(target: Span, at: number): number {
  let position = at;
  let any = false;
  for (let i = 0; i < lines.count; i++) {
    if (!lines.isFirst(i)) continue;
    const first = isTaken(i) ? lines.next(i) : i;
    if (first === none) continue;
    position = any ? writeByte(target, position, comma) : writeAscii(target, position, ',"headers":{');
    any = true;
    position = writeString(target, position, lines.nameStart(i), lines.nameEnd(i));
    position = writeValues(target, writeAscii(target, position, ':'), first);
  }
  return any ? writeAscii(target, position, '}') : position;
}

function isTaken(index: number): boolean {
  for (let field = 0; field < taken.length; field++) if (taken[field] === index) return true;
  return false;
}

function writeValues(target: Span, at: number, first: number): number {
  if (lines.next(first) === none) return writeString(target, at, lines.valueStart(first), lines.valueEnd(first));
  let position = at;
  for (let i = first; i !== none; i = lines.next(i)) {
    position = writeByte(target, position, i === first ? bracketOpen : comma);
    position = writeString(target, position, lines.valueStart(i), lines.valueEnd(i));
  }
  return writeByte(target, position, bracketClose);
}

function writeString(target: Span, at: number, start: number, end: number): number {
  target.bytes[at] = quote;
  const position = writeJsonText(target, at + 1, lines.span.bytes, start, end);
  assert(position >= 0, 'the block is UTF-8');
  return writeByte(target, position, quote);
}

function writeByte(target: Span, at: number, byte: number): number {
  target.bytes[at] = byte;
  return at + 1;
}
