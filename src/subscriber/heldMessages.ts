import { Arena, type ArenaBlock, type ArenaCell } from '../base/arena.js';
import { heldWorkBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan } from '../base/span.js';

/** What a kept message takes beside its cell: the object, and its places in the cell's block and in a list, in bytes. */
const objectBytes = 144;
/** What one in a member's hand takes besides: its places in the tables of its member and connection, in bytes. */
const entryBytes = 72;

/** A message that is kept until somebody is done with it. Its bytes, laid out as lanes have them, lie in an arena. */
export class HeldMessage<T> implements ArenaCell {
  block: ArenaBlock | null = null;
  at = 0;
  capacity = 0;
  place = 0;
  readonly topic: T;
  /** Whether a member has had it and did not acknowledge it. */
  redelivered: boolean;
  /** As `MessageView.exceptConnection`. */
  exceptConnection: number;
  /** As `MessageView.syncToken`; 0 once its publisher waits for it no longer. */
  syncToken: number;
  readonly replyBytes: number;
  readonly headerBytes: number;
  /** Headers and payload. */
  readonly lengthBytes: number;
  /** The one behind it in its line. */
  next: HeldMessage<T> | null = null;

  constructor(topic: T, message: MessageView, index: number) {
    this.topic = topic;
    this.redelivered = message.redelivered;
    this.exceptConnection = message.exceptConnection;
    this.syncToken = message.syncToken;
    this.replyBytes = message.replyEnd - message.replyStart;
    this.headerBytes = message.headerBytes;
    this.lengthBytes = message.ends[index] - message.starts[index];
  }

  /** Memory that it takes, in bytes. */
  get heldBytes(): number {
    return this.capacity + objectBytes;
  }
}

/**
 * The messages that one thread keeps: what waits for a member of a group to have room, and copies of what members have in hand.
 * The arena may take a third more than is counted, for its gaps.
 */
export class HeldMessages<T> {
  count = 0;
  /** How many of them are in hands. */
  inHand = 0;
  readonly #arena = new Arena();

  /** Memory that they take, in bytes. */
  get heldBytes(): number {
    return this.#arena.liveBytes + this.count * objectBytes + this.inHand * entryBytes;
  }

  /** Whether no more should be kept. */
  get exhausted(): boolean {
    return this.heldBytes >= heldWorkBytesMax;
  }

  /** Copies message `index` of a run. */
  keep(topic: T, message: MessageView, index: number): HeldMessage<T> {
    const held = new HeldMessage(topic, message, index);
    this.#arena.take(held, held.replyBytes + held.lengthBytes + 2);
    this.count++;
    const { span } = held.block as unknown as ArenaBlock;
    const at = copySpan(span, held.at, message.span, message.replyStart, message.replyEnd);
    copySpan(span, at, message.span, message.starts[index], message.ends[index] + 2);
    return held;
  }

  /** Makes a view a run of this one message, which holds until something else is kept or released. */
  show(held: HeldMessage<T>, view: MessageView): void {
    const start = held.at + held.replyBytes;
    view.set((held.block as ArenaBlock).span, start, start + held.lengthBytes);
    view.replyStart = held.at;
    view.replyEnd = start;
    view.headerBytes = held.headerBytes;
    view.exceptConnection = held.exceptConnection;
    view.syncToken = held.syncToken;
    view.redelivered = held.redelivered;
    view.work = true;
  }

  release(held: HeldMessage<T>): void {
    this.#arena.give(held);
    this.count--;
  }
}
