import { Arena, type ArenaBlock, type ArenaCell, cellSuits, spanOf } from '../base/arena.js';
import { assert } from '../base/assert.js';
import type { MessageView } from '../base/messageView.js';
import { lineEndBytes } from '../base/ownMessage.js';
import { copySpan } from '../base/span.js';
import type { Topic } from '../router/topic.js';

/** How much is kept, a shard. */
export interface LastValueBounds {
  messagesMax: number;
  /** Of messages, their subjects, and `entryBytes` a message for keeping account of it. */
  bytesMax: number;
}

export const lastValueBoundsDefault: LastValueBounds = { messagesMax: 1_000_000, bytesMax: 256 * 1024 * 1024 };

/** What an entry takes beside its message and subject: the object, its place in the map, its text. Measured. */
export const entryBytes = 256;

/** The last message of one subject. */
export class LastValue implements ArenaCell {
  readonly subject: string;
  /** Length of the message, its headers included, and of its headers alone, in bytes. CR LF stands behind it. */
  lengthBytes = 0;
  headerBytes = 0;
  /** Number of the change that made it what it is: rises along the list from the oldest to the newest. */
  stamp = 0;
  older: LastValue | null = null;
  newer: LastValue | null = null;
  /** False once it was dropped. */
  live = true;
  block: ArenaBlock | null = null;
  at = 0;
  capacity = 0;
  place = 0;

  constructor(subject: string) {
    this.subject = subject;
  }

  /** Shows the message where it lies, until the store is next changed. */
  view(into: MessageView): void {
    into.set(spanOf(this), this.at, this.at + this.lengthBytes);
    into.setHeaders(this.headerBytes);
    into.exceptConnection = 0;
    into.syncToken = 0;
  }
}

/**
 * The last message of each subject, in the order in which they were published. When there is no room, the one that was
 * not replaced for the longest makes room (docs/decisions/0008).
 */
export class LastValues {
  /** Messages dropped to make room for others, and messages too large to be kept at all, since the start. */
  evicted = 0;
  refused = 0;
  oldest: LastValue | null = null;
  #newest: LastValue | null = null;
  /** Number of the last change. */
  stamp = 0;
  readonly bounds: LastValueBounds;
  readonly #bySubject = new Map<string, LastValue>();
  readonly #arena = new Arena();
  /** Told of a value that is about to be replaced or dropped. */
  readonly #beforeChange: (value: LastValue) => void;
  #subjectBytes = 0;

  constructor(bounds: LastValueBounds, beforeChange: (value: LastValue) => void) {
    this.bounds = bounds;
    this.#beforeChange = beforeChange;
  }

  get size(): number {
    return this.#bySubject.size;
  }

  /** What counts towards `bytesMax`. */
  get bytes(): number {
    return this.#arena.liveBytes + this.#subjectBytes + this.#bySubject.size * entryBytes;
  }

  find(subject: string): LastValue | null {
    return this.#bySubject.get(subject) ?? null;
  }

  /** Keeps the last message of a run in place of what was kept for its topic. */
  keep(topic: Topic, message: MessageView): void {
    const index = message.count - 1;
    const start = message.starts[index];
    const end = message.ends[index];
    const lengthBytes = end - start + lineEndBytes;
    let value = lastOf(topic);
    if (value === null || !value.live) value = this.find(topic.text);
    if (value !== null) this.#beforeChange(value);
    if (lengthBytes + topic.text.length + entryBytes > this.bounds.bytesMax) {
      this.refused++;
      // what was kept is not the last value any more
      if (value !== null) this.#drop(value);
      return;
    }
    if (value === null) value = this.#add(topic);
    else this.#unlink(value);
    topic.last = value;
    this.#append(value);
    if (!cellSuits(value, lengthBytes)) this.#arena.give(value);
    if (value.block === null) this.#arena.take(value, lengthBytes);
    copySpan(spanOf(value), value.at, message.span, start, end + lineEndBytes);
    value.lengthBytes = end - start;
    value.headerBytes = message.headerBytes(index);
    if (this.bytes > this.bounds.bytesMax || this.size > this.bounds.messagesMax) this.#makeRoom();
  }

  #add(topic: Topic): LastValue {
    const value = new LastValue(topic.text);
    this.#bySubject.set(value.subject, value);
    this.#subjectBytes += value.subject.length;
    return value;
  }

  #makeRoom(): void {
    while (this.bytes > this.bounds.bytesMax || this.size > this.bounds.messagesMax) {
      const oldest = this.oldest as LastValue;
      this.evicted++;
      this.#beforeChange(oldest);
      this.#drop(oldest);
    }
  }

  #drop(value: LastValue): void {
    this.#arena.give(value);
    this.#unlink(value);
    this.#bySubject.delete(value.subject);
    this.#subjectBytes -= value.subject.length;
    value.live = false;
  }

  #append(value: LastValue): void {
    value.stamp = ++this.stamp;
    value.older = this.#newest;
    value.newer = null;
    if (this.#newest === null) this.oldest = value;
    else this.#newest.newer = value;
    this.#newest = value;
  }

  #unlink(value: LastValue): void {
    const { older, newer } = value;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    value.older = value.newer = null;
  }
}

/** What its owner has kept of a topic. */
function lastOf({ last }: Topic): LastValue | null {
  assert(last === null || last instanceof LastValue, "a topic's last value is its shard's");
  return last;
}
