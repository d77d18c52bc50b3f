import type { MessageView } from '../../base/messageView.js';
import { copySpan, Span } from '../../base/span.js';
import type { Topic } from '../../router/topic.js';

/** What a message takes beside its bytes, about, in bytes. */
const objectBytes = 256;

/** A message of a queue group that is kept until somebody is done with it: a copy, laid out as lanes have it. */
export class HeldMessage {
  readonly topic: Topic;
  /** Whether a member has had it and did not acknowledge it. */
  redelivered: boolean;
  /** Reply, headers, payload, CR LF. */
  readonly #span: Span;
  readonly #replyBytes: number;
  readonly #headerBytes: number;
  readonly #exceptConnection: number;

  /** Copies message `index` of a run. */
  constructor(topic: Topic, message: MessageView, index: number) {
    this.topic = topic;
    this.redelivered = message.redelivered;
    this.#replyBytes = message.replyEnd - message.replyStart;
    this.#headerBytes = message.headerBytes;
    // what is kept is taken: a synchronous publisher waits for it no longer
    this.#exceptConnection = Math.max(0, message.exceptConnection);
    const start = message.starts[index];
    const end = message.ends[index] + 2;
    this.#span = new Span(new Uint8Array(this.#replyBytes + end - start));
    copySpan(this.#span, 0, message.span, message.replyStart, message.replyEnd);
    copySpan(this.#span, this.#replyBytes, message.span, start, end);
  }

  /** Memory that it takes, in bytes. */
  get heldBytes(): number {
    return this.#span.bytes.length + objectBytes;
  }

  /** Makes a view a run of this one message. */
  fill(view: MessageView): void {
    view.set(this.#span, this.#replyBytes, this.#span.bytes.length - 2);
    view.replyStart = 0;
    view.replyEnd = this.#replyBytes;
    view.headerBytes = this.#headerBytes;
    view.exceptConnection = this.#exceptConnection;
    view.redelivered = this.redelivered;
  }
}
