/**
 * What interest takes in a thread's heap, in bytes: estimates, which a test holds against the real heap. Texts count with their length, once
 * for each place where they lie.
 */

/** An entry of the tree, with the lists in it; a wildcard pattern has up to two nodes for itself. */
const entryBytes = 540;
const patternNodesBytes = 110;
/** A queue group of an entry, and the name of one. */
export const queueInterestBytes = 400;
const queueNameBytes = 310;

/** The entry of a subject; a pattern's text lies in its nodes once more. */
export function entryHeldBytes(subject: string, wildcard: boolean): number {
  return wildcard ? entryBytes + patternNodesBytes + 2 * subject.length : entryBytes + subject.length;
}

/** The name of a queue group, which lies there as text and as bytes. */
export function queueNameHeldBytes(name: string): number {
  return queueNameBytes + 2 * name.length;
}
