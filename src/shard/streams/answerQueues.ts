import type { MessageView } from '../../base/messageView.js';
import type { Role } from '../../base/role.js';
import type { Place, Span } from '../../base/span.js';
import type { Stream } from '../../stream/stream.js';
import type { Voice } from '../voice.js';
import { Answers } from './answers.js';
import type { AckTexts } from './pubAck.js';

/** What a shard is to say for its streams: of those on disk apart, so that nobody else waits for a disk. */
export class AnswerQueues implements Role {
  readonly #instant: Answers;
  readonly #durable: Answers;

  constructor(voice: Pick<Voice, 'say' | 'sayAll'>, texts: AckTexts) {
    this.#instant = new Answers(voice, texts);
    this.#durable = new Answers(voice, texts);
  }

  /** All that waits to be said, in bytes. */
  get bytes(): number {
    return this.#instant.bytes + this.#durable.bytes;
  }

  /** What need not wait for a disk, in bytes. */
  get sayableBytes(): number {
    return this.#instant.bytes + this.#durable.sayableBytes;
  }

  /** What waits behind a disk, in bytes. */
  get durableBytes(): number {
    return this.#durable.bytes;
  }

  /**
   * Says `span[start, end)`, of which the first `headerBytes` are headers.
   *
   * @param stream that it tells of: what was done to it so far lasts then, or will not, which is said instead; null for none
   */
  add(reply: Place, span: Span, start: number, end: number, headerBytes: number, stream: Stream | null): void {
    const isDurable = stream?.isDurable === true;
    // what has failed before shows only what lasts
    const awaited = isDurable && stream.failure === null ? stream : null;
    (isDurable ? this.#durable : this.#instant).add(reply, span, start, end, headerBytes, awaited);
  }

  /** Says that message `index` of a run was taken by a stream, as `Answers.addAck` does. */
  addAck(prefix: Place, sequence: number, message: MessageView, index: number, stream: Stream): boolean {
    const { isDurable, failure } = stream;
    const awaited = isDurable && failure === null ? stream : null;
    return (isDurable ? this.#durable : this.#instant).addAck(prefix, sequence, message, index, awaited);
  }

  /** Says what may be said; returns whether there is more of that. */
  doWork(): boolean {
    const more = this.#instant.doWork();
    return this.#durable.doWork() || more;
  }
}
