import { Message } from '../message.js';
import type { TopicValues } from '../schema.js';
import type { StoredSource } from './storedSource.js';

/** A message as a stream has it: a message, and where and since when it is there. */
export class StoredMessage<T> extends Message<T> {
  /** @internal */
  constructor(source: StoredSource, values: TopicValues<T>) {
    super(source, values);
  }

  /** Its number in the stream. */
  override get sequence(): number {
    return (Message.sourceOf(this) as StoredSource).sequence;
  }

  /** When it was stored. */
  get time(): Date {
    return new Date((Message.sourceOf(this) as StoredSource).time);
  }

  override toJSON(): Record<string, unknown> {
    return { sequence: this.sequence, time: this.time, ...super.toJSON() };
  }
}

Object.freeze(StoredMessage.prototype);
