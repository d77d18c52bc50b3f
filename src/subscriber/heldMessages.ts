import { Arena, type ArenaBlock, type ArenaCell, spanOf } from '../base/arena.js';
import { heldWorkBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { OwnMessage, ownBytes } from '../base/ownMessage.js';

/** What a kept message takes beside its cell: the object, and its places in the cell's block and in a list, in bytes. */
const objectBytes = 160;
/** What one in flight takes besides: its places in the tables of its member and connection, in bytes. */
const entryBytes = 72;
/** What one that its member has had held back takes besides, in bytes. */
const pauseBytes = 200;

/** A message that is kept until somebody is done with it. Its bytes, laid out as lanes have them, lie in an arena. */
export class HeldMessage<T> extends OwnMessage implements ArenaCell {
  block: ArenaBlock | null = null;
  at = 0;
  capacity = 0;
  place = 0;
  /** Of one that is in flight: since when it is worked on. */
  workingSinceMs = 0;
  readonly topic: T;
  /** The one behind it in its line. */
  next: HeldMessage<T> | null = null;

  constructor(topic: T) {
    super();
    this.topic = topic;
  }

  /** Memory that it takes, in bytes. */
  get heldBytes(): number {
    return this.capacity + objectBytes;
  }
}

/**
 * The messages that one thread keeps: what waits for a member of a group to have room, and copies of what members have in flight.
 * The arena may take a third more than is counted, for its gaps.
 */
export class HeldMessages<T> {
  count = 0;
  /** How many of them are in flight, and how many of those are held back. */
  inFlight = 0;
  pausing = 0;
  readonly #arena = new Arena();

  /** Memory that they take, in bytes. */
  get heldBytes(): number {
    return this.#arena.liveBytes + this.count * objectBytes + this.inFlight * entryBytes + this.pausing * pauseBytes;
  }

  /** Whether no more should be kept. */
  get exhausted(): boolean {
    return this.heldBytes >= heldWorkBytesMax;
  }

  /** Copies message `index` of a run. */
  keep(topic: T, message: MessageView, index: number): HeldMessage<T> {
    const held = new HeldMessage(topic);
    this.#arena.take(held, ownBytes(message, index));
    this.count++;
    held.copy(message, index, spanOf(held), held.at);
    return held;
  }

  /** Makes a view a run of this one message, which holds until something else is kept or released. */
  show(held: HeldMessage<T>, view: MessageView): void {
    held.showAt(spanOf(held), held.at, view);
    view.work = true;
  }

  release(held: HeldMessage<T>): void {
    this.#arena.give(held);
    this.count--;
  }
}
