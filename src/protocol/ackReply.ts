import {
  ackConsumerSequence,
  ackDelivered,
  ackNanoseconds,
  ackPending,
  ackSeconds,
  ackStreamSequence,
} from '../base/ackNumbers.js';
import { writeDecimal } from '../base/bytes.js';
import type { Shown } from '../base/shown.js';
import { copySpan, type Span } from '../base/span.js';

const dot = 0x2e;
/** Five numbers of at most twenty digits, and four dots. */
export const ackNumbersBytesMax = 5 * 20 + 4;

/** Upper bound of what `writeAckReply` writes, in bytes. */
export function ackReplyBytesMax({ replyBytes }: Shown): number {
  return replyBytes + ackNumbersBytesMax;
}

/**
 * Writes the reply that is shown, `$JS.ACK.<stream>.<consumer>.` and five numbers, at `at`; returns the position behind it. NATS's lines
 * are written by the kernel, which says the same.
 */
export function writeAckReply(target: Span, at: number, { span, subjectBytes, replyBytes, numbers }: Shown): number {
  return writeAckNumbers(target, copySpan(target, at, span, subjectBytes, subjectBytes + replyBytes), numbers);
}

/** Writes the numbers alone. */
export function writeAckNumbers(target: Span, at: number, numbers: Float64Array): number {
  const bytes = target.bytes;
  let position = writeWhole(bytes, at, numbers[ackDelivered]);
  position = writeDotted(bytes, position, numbers[ackStreamSequence]);
  position = writeDotted(bytes, position, numbers[ackConsumerSequence]);
  position = writeTime(bytes, position, numbers[ackSeconds], numbers[ackNanoseconds]);
  return writeDotted(bytes, position, numbers[ackPending]);
}

function writeTime(bytes: Uint8Array, at: number, seconds: number, nanoseconds: number): number {
  if (seconds === 0) return writeDotted(bytes, at, nanoseconds);
  return writePadded(bytes, writeDotted(bytes, at, seconds), nanoseconds);
}

function writeDotted(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = dot;
  return writeWhole(bytes, at + 1, value);
}

/** Writes a whole number below 2^53. */
function writeWhole(bytes: Uint8Array, at: number, value: number): number {
  if (value < billion) return writeDecimal(bytes, at, value);
  const rest = Math.floor(value / billion);
  return writePadded(bytes, writeDecimal(bytes, at, rest), value - rest * billion);
}

const billion = 1_000_000_000;

/** Writes nine digits. */
function writePadded(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  for (let i = at + 8; i >= at; i--) {
    const quotient = (rest / 10) | 0;
    bytes[i] = 48 + rest - quotient * 10;
    rest = quotient;
  }
  return at + 9;
}
