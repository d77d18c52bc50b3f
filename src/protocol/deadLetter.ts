import { byteText, latin1Bytes } from '../base/bytes.js';
import type { PolicyName } from '../base/policy.js';

/** Why nobody gets a message again: a member has said so, or it was handed out as often as it may be. */
export type DeadReason = 'terminated' | 'max-deliver';

/** Why somebody did not get a message, by a policy: see `SlowPolicy`. */
export type DropReason = PolicyName;

/** What a dead letter says of itself, in front of the headers that the message had. */
export interface DeadLetterNotes {
  readonly reason: DeadReason | DropReason;
  /** What the member said when it terminated the message, as `deadDetail` has it. */
  readonly detail?: string;
  readonly subject: string;
  /** '' for none. */
  readonly group: string;
  /** How often it was handed out; 0 for what was dropped. */
  readonly deliveries: number;
  /** How many messages the subscription has lost to its policy; 0 for what was handed out. */
  readonly dropped: number;
}

const detailBytesMax = 256;

/** What a member says of a message that it terminates, so that it is one line of headers and not long. */
export function deadDetail(text: string): string {
  const bytes = Buffer.from(
    text
      .slice(0, 4 * detailBytesMax)
      .replace(/\p{Cc}+/gu, ' ')
      .trim(),
  );
  let end = Math.min(bytes.length, detailBytesMax);
  while (end < bytes.length && isContinuation(bytes[end])) end--;
  return bytes.toString('utf8', 0, end).trimEnd();
}

/** Whether a byte goes on with a character of UTF-8. */
function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Below these are subjects that the broker itself reads or speaks on. */
const internalPrefixes = ['$SHARDCAST.', '$JS.', '$SYS.', '_R_.', '_GR_.', '$GR.'];

/** Whether a subject is the broker's own, so that nothing is published there in anybody's name. */
export function isInternal(subject: string): boolean {
  return internalPrefixes.some((prefix) => subject.startsWith(prefix));
}

/**
 * The headers block of a dead letter. What the message's own says stands behind it; one that cannot be read so is left out.
 *
 * @param own the message's headers block; empty where it has none
 */
export function writeDeadLetterBlock(own: Uint8Array, said: DeadLetterNotes): Buffer {
  const { reason, detail = '', subject, group, deliveries, dropped } = said;
  let text = `NATS/1.0\r\nShardcast-Dead-Reason: ${reason}\r\nShardcast-Dead-Subject: ${subject}\r\n`;
  if (detail !== '') text += `Shardcast-Dead-Detail: ${byteText(detail)}\r\n`;
  if (group !== '') text += `Shardcast-Dead-Group: ${group}\r\n`;
  if (deliveries > 0) text += `Shardcast-Dead-Deliveries: ${deliveries}\r\n`;
  if (dropped > 0) text += `Shardcast-Dead-Dropped: ${dropped}\r\n`;
  const notes = latin1Bytes(text);
  const lineEnd = Buffer.from(own.buffer, own.byteOffset, own.length).indexOf('\r\n');
  return Buffer.concat([notes, lineEnd < 0 ? latin1Bytes('\r\n') : own.subarray(lineEnd + 2)]);
}
