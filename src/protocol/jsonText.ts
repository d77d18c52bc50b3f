import { copyBytes } from '../base/bytes.js';
import type { Span } from '../base/span.js';

/**
 * Bytes as the content of a JSON string, or of a line of text that nobody can forge a line end in. Escaped is what ends a
 * line for anybody: control characters, also those above 127, and U+2028 and U+2029, at which some languages split.
 */
const backslash = 0x5c;
const quote = 0x22;
const letterU = 0x75;
const hexDigits = Uint8Array.from(Buffer.from('0123456789abcdef'));

/**
 * What becomes of a byte: 0 itself, `letterU` an escape with its number, `beyondAscii` whatever the character that it may begin becomes,
 * `neverBegins` a replacement, since it begins none, else a short escape.
 */
const beyondAscii = 1;
const neverBegins = 2;
const actions = new Uint8Array(256);
/** Most bytes that a byte may become. */
const growth = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  if (byte < 0x20 || byte === 0x7f) actions[byte] = letterU;
  if (byte >= 0x80) actions[byte] = byte < 0xc2 || byte > 0xf4 ? neverBegins : beyondAscii;
}
for (const [byte, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 92: '\\' }))
  actions[Number(byte)] = letter.charCodeAt(0);
for (let byte = 0; byte < 256; byte++)
  growth[byte] = actions[byte] === 0 ? 1 : actions[byte] === letterU ? 6 : actions[byte] <= neverBegins ? 3 : 2;
/** In a JSON string a quote is escaped, in a line of text it is not; the bound holds for both. */
const jsonActions = actions.slice();
jsonActions[quote] = quote;
growth[quote] = 2;

/** Content up to this length is not looked at to bound it, in bytes. */
const unseenBytesMax = 256;
const growthMax = 6;
/** So much plain content in a row is followed by more of it, likely. */
const plainRunBytes = 16;

/** Upper bound of what the content becomes, in bytes. */
export function escapedBytesMax(source: Uint8Array, start: number, end: number): number {
  if (end - start <= unseenBytesMax) return (end - start) * growthMax;
  let total = 0;
  for (let i = start; i < end; i++) total += growth[source[i]];
  return total;
}

/** Writes content as that of a JSON string; returns the position behind it, or -1 where it is not valid UTF-8. */
export function writeJsonText(target: Span, at: number, source: Uint8Array, start: number, end: number): number {
  return writeEscaped(target.bytes, at, source, start, end, jsonActions, false);
}

/** Writes content as part of a line of text; what is not valid UTF-8 becomes U+FFFD. Returns the position behind it. */
export function writeLineText(target: Span, at: number, source: Uint8Array, start: number, end: number): number {
  return writeEscaped(target.bytes, at, source, start, end, actions, true);
}

function writeEscaped(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
  table: Uint8Array,
  replace: boolean,
): number {
  let position = at;
  let plainBytes = 0;
  for (let i = start; i < end; i++) {
    const byte = source[i];
    const action = table[byte];
    if (action === 0) {
      target[position++] = byte;
      if (++plainBytes < plainRunBytes) continue;
      // long runs of plain text are copied as a whole
      const plainEnd = endOfPlain(source, i + 1, end, table);
      position = copyBytes(target, position, source, i + 1, plainEnd);
      i = plainEnd - 1;
    } else if (action === letterU) {
      position = writeNumbered(target, position, byte);
    } else if (action === neverBegins) {
      if (!replace) return -1;
      position = writeReplacement(target, position);
    } else if (action !== beyondAscii) {
      target[position] = backslash;
      target[position + 1] = action;
      position += 2;
    } else {
      const length = sequenceBytes(source, i, end);
      if (length === 0 && !replace) return -1;
      position = writeSequence(target, position, source, i, length);
      if (length > 1) i += length - 1;
    }
    plainBytes = 0;
  }
  return position;
}

/** Where the first byte at or behind `start` stands that does not stay as it is. */
function endOfPlain(source: Uint8Array, start: number, end: number, table: Uint8Array): number {
  let i = start;
  while (i < end && table[source[i]] === 0) i++;
  return i;
}

/** Writes a character beyond ASCII of `length` bytes; one of none is not valid, and replaced. */
function writeSequence(target: Uint8Array, at: number, source: Uint8Array, from: number, length: number): number {
  let position = at;
  if (length === 0) return writeReplacement(target, position);
  if (length === 2 && source[from] === 0xc2 && source[from + 1] < 0xa0)
    return writeNumbered(target, position, source[from + 1]);
  if (length === 3 && source[from] === 0xe2 && source[from + 1] === 0x80 && (source[from + 2] & 0xfe) === 0xa8)
    return writeNumbered(target, position, 0x2000 | (source[from + 2] & 0x3f));
  for (let i = 0; i < length; i++) target[position++] = source[from + i];
  return position;
}

function writeReplacement(target: Uint8Array, at: number): number {
  target[at] = 0xef;
  target[at + 1] = 0xbf;
  target[at + 2] = 0xbd;
  return at + 3;
}

function writeNumbered(target: Uint8Array, at: number, code: number): number {
  target[at] = backslash;
  target[at + 1] = letterU;
  target[at + 2] = hexDigits[code >>> 12];
  target[at + 3] = hexDigits[(code >>> 8) & 15];
  target[at + 4] = hexDigits[(code >>> 4) & 15];
  target[at + 5] = hexDigits[code & 15];
  return at + 6;
}

/** Length of the UTF-8 character that begins at `i` with a byte beyond ASCII; 0 where it is none (RFC 3629, section 4). */
function sequenceBytes(source: Uint8Array, i: number, end: number): number {
  const first = source[i];
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || i + length > end) return 0;
  const second = source[i + 1];
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let at = i + 2; at < i + length; at++) if ((source[at] & 0xc0) !== 0x80) return 0;
  return length;
}

/** JSON text without what ends a line for anybody; in JSON text all of it can only stand inside of strings. */
export function escapeLineEnds(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Writes text of ASCII alone; returns the position behind it. */
export function writeAscii(target: Span, at: number, text: string): number {
  const bytes = target.bytes;
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

export function writeUtf8(target: Span, at: number, text: string): number {
  return at + Buffer.from(target.bytes.buffer, target.bytes.byteOffset, target.bytes.length).write(text, at);
}
