import { latin1Bytes, latin1String } from '../base/bytes.js';
import { hashBytes, hashSeedStable, mixHash } from '../base/hash.js';
import { headerNames } from '../base/headerNames.js';
import type { MessageView } from '../base/messageView.js';

/** A value that lies in somebody's bytes: `bytes[start, end)`. Kept and filled anew, so that looking costs no object. */
export class FieldBounds {
  start = 0;
  end = 0;
}

const carriageReturn = 13;
const lineFeed = 10;
const space = 32;
const tab = 9;
const colon = 58;
/** Makes a letter of ASCII small. */
const smallBit = 0x20;

const keyName = latin1Bytes(headerNames.key.toLowerCase());
const bounds = new FieldBounds();

/**
 * Finds the first header of a name in the block `bytes[start, end)` (`NATS/1.0 CR LF name: value CR LF … CR LF`).
 * Whatever the block holds, nothing outside it is read.
 *
 * @param name in small letters; headers are compared without regard to case
 * @param found where the value lies, without the spaces around it; only then changed
 */
export function findHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: Uint8Array,
  found: FieldBounds,
): boolean {
  for (let line = nextLine(bytes, start, end); line < end; line = nextLine(bytes, line, end)) {
    if (!isNamed(bytes, line, end, name)) continue;
    findValue(bytes, line + name.length + 1, end, found);
    return true;
  }
  return false;
}

/** Finds the value that begins behind a colon at `from`: what is in its line, without the spaces around it. */
export function findValue(bytes: Uint8Array, from: number, end: number, found: FieldBounds): void {
  let valueStart = from;
  let valueEnd = endOfLine(bytes, from, end);
  while (valueStart < valueEnd && isBlank(bytes[valueStart])) valueStart++;
  while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd--;
  found.start = valueStart;
  found.end = valueEnd;
}

/** Finds the key of message `index`; false when it has none, or an empty one. */
export function findKey(message: MessageView, index: number, found: FieldBounds): boolean {
  if (!message.withHeaders) return false;
  const start = message.starts[index];
  return findHeader(message.bytes, start, message.payloadStart(index), keyName, found) && found.end > found.start;
}

/** What a message is the latest of: its subject, or its key within the subject. */
export function latestName(subject: string, message: MessageView, index: number): string {
  return latestNameIn(subject, message.bytes, message.starts[index], message.payloadStart(index));
}

/** The same of a message whose header block is `bytes[start, end)`; that may be empty. */
export function latestNameIn(subject: string, bytes: Uint8Array, start: number, end: number): string {
  if (start === end || !findHeader(bytes, start, end, keyName, bounds) || bounds.start === bounds.end) return subject;
  // a subject has no blank, so that no other subject can make the same text
  return `${subject} ${latin1String(bytes, bounds.start, bounds.end)}`;
}

/** A hash of the key of message `index`, 32 bits, the same in every thread; -1 when it has no key. */
export function keyHashOf(message: MessageView, index: number): number {
  if (!findKey(message, index, bounds)) return -1;
  return mixHash(hashBytes(message.bytes, bounds.start, bounds.end, hashSeedStable));
}

/** Where what a line says ends: at CR or LF, or with the block. */
export function endOfLine(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== lineFeed && bytes[at] !== carriageReturn) at++;
  return at;
}

/** Where the line behind the one at `from` begins; not below `end` when there is none. */
export function nextLine(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== lineFeed) at++;
  return at + 1;
}

function isNamed(bytes: Uint8Array, line: number, end: number, name: Uint8Array): boolean {
  if (line + name.length >= end || bytes[line + name.length] !== colon) return false;
  for (let i = 0; i < name.length; i++) if (smallLetter(bytes[line + i]) !== name[i]) return false;
  return true;
}

function smallLetter(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | smallBit : byte;
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab;
}
