import { byteText, latin1Bytes, readableText } from '../base/bytes.js';
import { inOneLine } from '../base/inOneLine.js';
import { subjectBytesMax } from '../base/limits.js';
import { classifySubject, reservedReplyPrefixes, type SubjectKind } from '../protocol/subject.js';
import { SubjectError } from './errors.js';

/**
 * Subjects are UTF-8 for users and, one character a byte, latin1 in the broker's tables. This is the way in.
 *
 * @throws SubjectError when it is none
 */
export function internalSubject(subject: string): { text: string; kind: SubjectKind } {
  const text = typeof subject === 'string' ? byteText(subject) : '';
  const bytes = latin1Bytes(text);
  const kind = bytes.length > subjectBytesMax ? 'invalid' : classifySubject(bytes, 0, bytes.length);
  if (kind === 'invalid') throw new SubjectError(`${inOneLine(subject)} is not a subject`);
  return { text, kind };
}

/**
 * The literal subject that something is published to.
 *
 * @throws SubjectError when it is none, or has a wildcard
 */
export function literalSubject(subject: string): string {
  const { text, kind } = internalSubject(subject);
  if (kind !== 'literal')
    throw new SubjectError(`${JSON.stringify(subject)} has a wildcard: name one subject to publish`);
  return text;
}

/**
 * The subject that an answer is awaited on.
 *
 * @throws SubjectError when it is none, has a wildcard, or is one that only the broker gives out
 */
export function replySubject(subject: string): string {
  const text = literalSubject(subject);
  const reserved = reservedReplyPrefixes.find((prefix) => text.startsWith(prefix));
  if (reserved !== undefined)
    throw new SubjectError(`reply may not be ${JSON.stringify(subject)}: ${reserved}> is the broker's own`);
  return text;
}

/** The way out: bytes as users read them. */
export function publicSubject(text: string): string {
  // messages of one subject come one behind the other
  if (text !== lastText) {
    lastSubject = readableText(text);
    lastText = text;
  }
  return lastSubject;
}

let lastText = '';
let lastSubject = '';
