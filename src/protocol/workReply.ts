import { bytesEqualAt, decimalDigitsMax, latin1Bytes, writeDecimal } from '../base/bytes.js';
import type { Span } from '../base/span.js';
import { dollar, dot, nine, zero } from './ascii.js';
import type { DeliveryMark } from './deliveryHead.js';

const prefix = latin1Bytes('$SHARDCAST.ACK.');

/** Subjects by which a NATS client says what has become of a delivery: its number and its count stand behind the prefix. */
export const workReplyPattern = '$SHARDCAST.ACK.*.*';

/** Upper bound of what `writeWorkReply` writes, in bytes. */
export const workReplyBytesMax = prefix.length + decimalDigitsMax + 1 + decimalDigitsMax;

/** Whether a message to `bytes[start, end)` says something of a delivery. */
export function isWorkReply(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[start] === dollar && end - start >= prefix.length && bytesEqualAt(bytes, start, prefix);
}

/** The delivery of which a message to `bytes[start, end)`, which is a work reply, says something; 0 for none. */
export function deliveryOfWorkReply(bytes: Uint8Array, start: number, end: number): number {
  let delivery = 0;
  for (let at = start + prefix.length; at < end; at++) {
    const byte = bytes[at];
    if (byte === dot) return delivery;
    if (byte < zero || byte > nine || delivery > Number.MAX_SAFE_INTEGER / 10) return 0;
    delivery = delivery * 10 + (byte - zero);
  }
  return 0;
}

/** Writes where a delivery is answered at `at`; returns the position behind it. */
export function writeWorkReply(target: Span, at: number, { delivery, deliveries }: DeliveryMark): number {
  const { bytes } = target;
  for (let i = 0; i < prefix.length; i++) bytes[at + i] = prefix[i];
  const numberEnd = writeNumber(bytes, at + prefix.length, delivery);
  bytes[numberEnd] = dot;
  return writeDecimal(bytes, numberEnd + 1, deliveries);
}

/** Of a connection that lives long, numbers are longer than those of sizes. */
function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  if (value < smallMax) return writeDecimal(bytes, at, value);
  const high = Math.floor(value / smallMax);
  let end = writeNumber(bytes, at, high);
  let rest = value - high * smallMax;
  for (let unit = smallMax / 10; unit >= 1; unit /= 10) {
    const digit = Math.floor(rest / unit);
    bytes[end++] = zero + digit;
    rest -= digit * unit;
  }
  return end;
}

const smallMax = 1_000_000_000;
