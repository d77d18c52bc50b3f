import { ackNumberCount } from './ackNumbers.js';
import { assert } from './assert.js';
import { latin1String } from './bytes.js';
import { copySpan, Span } from './span.js';

/**
 * What a message shows that is delivered to an address: another subject than the one by which it was addressed, and a reply of its own,
 * by which it is acknowledged. Kept and filled anew as `MessageView` is.
 */
export class Shown {
  /** The subject stands at the beginning, and behind it the reply up to its numbers, with the dot before them; no reply is empty. */
  span: Span = nothing;
  subjectBytes = 0;
  replyBytes = 0;
  /** Moves whenever these change, so that what was made of them is known to be out of date. */
  version = 0;
  /** What the reply ends with: whole numbers below 2^53. */
  readonly numbers = new Float64Array(ackNumberCount);

  /** Shows a subject whose every character is below U+0100, and a reply that ends with numbers, or none: ''. */
  setText(subject: string, reply: string): void {
    this.subjectBytes = subject.length;
    this.replyBytes = reply.length;
    this.#reserve(subject.length + reply.length);
    writeText(this.span.bytes, 0, subject);
    writeText(this.span.bytes, subject.length, reply);
    this.version++;
  }

  /** The same of bytes that stand somewhere. */
  setBytes(span: Span, start: number, subjectBytes: number, replyBytes: number): void {
    this.subjectBytes = subjectBytes;
    this.replyBytes = replyBytes;
    this.#reserve(subjectBytes + replyBytes);
    copySpan(this.span, 0, span, start, start + subjectBytes + replyBytes);
    this.version++;
  }

  /** Shows a subject that stands somewhere, and a reply that does. */
  setSubject(span: Span, start: number, subjectBytes: number, reply: Span): void {
    const replyBytes = reply.bytes.length;
    this.subjectBytes = subjectBytes;
    this.replyBytes = replyBytes;
    this.#reserve(subjectBytes + replyBytes);
    const at = copySpan(this.span, 0, span, start, start + subjectBytes);
    copySpan(this.span, at, reply, 0, replyBytes);
    this.version++;
  }

  #reserve(lengthBytes: number): void {
    if (this.span.bytes.length < lengthBytes) this.span = new Span(new Uint8Array(lengthBytes));
  }
}

/** What a message shows that is delivered to an address: of every other it is asked in vain. */
export function shownOf({ shown }: { readonly shown: Shown | null }): Shown {
  assert(shown !== null, 'a message to an address shows a subject');
  return shown;
}

/** The subject as text. */
export function shownSubject({ span, subjectBytes }: Shown): string {
  return latin1String(span.bytes, 0, subjectBytes);
}

function writeText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

const nothing = new Span(new Uint8Array(0));
