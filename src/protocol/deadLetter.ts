import { latin1Bytes } from '../base/bytes.js';

/** Why nobody gets a message again: a member has said so, or it was handed out as often as it may be. */
export type DeadReason = 'terminated' | 'max-deliver';

/** What a dead letter says of itself, in front of the headers that the message had. */
export interface DeadLetterNotes {
  readonly reason: DeadReason;
  readonly subject: string;
  readonly group: string;
  readonly deliveries: number;
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
export function writeDeadLetterBlock(own: Uint8Array, { reason, subject, group, deliveries }: DeadLetterNotes): Buffer {
  const notes = latin1Bytes(
    `NATS/1.0\r\nShardcast-Dead-Reason: ${reason}\r\nShardcast-Dead-Subject: ${subject}\r\n` +
      `Shardcast-Dead-Group: ${group}\r\nShardcast-Dead-Deliveries: ${deliveries}\r\n`,
  );
  const lineEnd = Buffer.from(own.buffer, own.byteOffset, own.length).indexOf('\r\n');
  return Buffer.concat([notes, lineEnd < 0 ? latin1Bytes('\r\n') : own.subarray(lineEnd + 2)]);
}
