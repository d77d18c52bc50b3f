import { latin1String, ownCopy, pooledBytes, utf8String } from '../base/bytes.js';
import { keptTextBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { lineEndBytes, OwnMessage, ownBytes } from '../base/ownMessage.js';
import { type Shown, shownSubject } from '../base/shown.js';
import { copySpan, type Span, spanAround } from '../base/span.js';
import { ackReplyBytesMax, writeAckReply } from '../protocol/ackReply.js';
import { firstValue, type HeaderBlock, readHeaderBlock } from '../protocol/headerBlock.js';
import { latestNameIn } from '../protocol/messageKey.js';
import type { Topic } from '../router/topic.js';
import { type Headers, headersOf, noHeaders } from './headers.js';
import { publicSubject } from './subjects.js';
import type { SyncDelivery } from './syncPublishes.js';

/**
 * A message as it came to this endpoint, shared by all of its subscribers here: they see it only through messages of their
 * own, and get copies of its bytes.
 */
export class Delivered extends OwnMessage {
  /** What it was published to, or the address that it was sent to. */
  readonly topic: Topic;
  /** Of one that a member of a group has in flight: since when it is worked on. */
  workingSinceMs = 0;
  /** Its number in the stream that delivers it; 0 where none does. */
  sequence = 0;
  /** Told when the last of the subscribers here is done with it; null when nobody asked. */
  readonly sync: SyncDelivery | null;
  /** Its bytes, as `OwnMessage` lays them out. */
  readonly #span: Span;
  readonly #at: number;
  /** The subject that it shows: its topic's, or that of who sent it to an address. */
  readonly #text: string;
  #subject: string | null = null;
  #block: HeaderBlock | null = null;
  #headers: Headers | null = null;
  #payloadText: string | null = null;

  constructor(topic: Topic, span: Span, at: number, sync: SyncDelivery | null, text = topic.text) {
    super();
    this.topic = topic;
    this.#text = text;
    this.sync = sync;
    this.#span = span;
    this.#at = at;
  }

  /** Where its headers begin, and its payload does, and where that ends. */
  get #start(): number {
    return this.#at + this.replyBytes;
  }

  get #payloadStart(): number {
    return this.#start + this.headerBytes;
  }

  /** How often it has been handed out, this time among it. */
  get deliveries(): number {
    return this.returns + 1;
  }

  /** What it shows, as everywhere in the broker: a character a byte. */
  get text(): string {
    return this.#text;
  }

  /** Whether it was sent to an address and shows another subject. */
  get showsOther(): boolean {
    return this.#text !== this.topic.text;
  }

  get subject(): string {
    this.#subject ??= publicSubject(this.#text);
    return this.#subject;
  }

  /** Where an answer is awaited, or ''. */
  get reply(): string {
    return this.sequence > 0 ? '' : this.ackReply;
  }

  /** Of a stream's message: where it is acknowledged. */
  get ackReply(): string {
    return publicSubject(latin1String(this.#span.bytes, this.#at, this.#start));
  }

  get headers(): Headers {
    if (this.headerBytes === 0) return noHeaders;
    this.#headers ??= headersOf(this.headerBlock);
    return this.#headers;
  }

  /** Of what the first line says, such as 503 for "no responders"; 0 for none. */
  get status(): number {
    return this.headerBytes === 0 ? 0 : this.headerBlock.status;
  }

  /** The value of the first header of a name, in any case. */
  header(name: string): string | undefined {
    return this.headerBytes === 0 ? undefined : firstValue(this.headerBlock, name);
  }

  /** What it is the latest of where its key counts: as everywhere else in the broker, byte by byte. */
  get latestName(): string {
    return latestNameIn(this.#text, this.#span.bytes, this.#start, this.#payloadStart);
  }

  get headerBlock(): HeaderBlock {
    this.#block ??= readHeaderBlock(this.#span.bytes, this.#start, this.#payloadStart);
    return this.#block;
  }

  /** A copy of the payload, the caller's own. */
  copyPayload(): Uint8Array {
    return ownCopy(this.#span.bytes, this.#payloadStart, this.#start + this.lengthBytes);
  }

  /** The payload as text in UTF-8: that of a short one is made once for all who read it. */
  get payloadText(): string {
    if (this.#payloadText !== null) return this.#payloadText;
    const end = this.#start + this.lengthBytes;
    const text = utf8String(this.#span.bytes, this.#payloadStart, end);
    if (this.lengthBytes <= keptTextBytesMax) this.#payloadText = text;
    return text;
  }

  /** Fills a run of this one message, to give it back to its shard. */
  fill(view: MessageView): void {
    this.showAt(this.#span, this.#at, view);
    // no connection is left out once somebody in the process has had it
    view.exceptConnection = 0;
  }
}

/** Makes a run the endpoint's own: one copy for all its messages. */
export function copyRun(topic: Topic, message: MessageView, sync: SyncDelivery | null): Delivered[] {
  // a reply has to stand right before its message, as it does on lanes
  if (message.withReplies)
    return Array.from({ length: message.count }, (_, index) => copyOne(topic, message, index, sync));
  const first = message.starts[0];
  const last = message.ends[message.count - 1] + lineEndBytes;
  const bytes = pooledBytes(last - first);
  const span = spanAround(bytes);
  copySpan(span, bytes.byteOffset, message.span, first, last);
  const run: Delivered[] = [];
  for (let i = 0; i < message.count; i++) {
    const delivered = new Delivered(topic, span, bytes.byteOffset + message.starts[i] - first, sync);
    delivered.describe(message, i);
    run.push(delivered);
  }
  return run;
}

/** A message that was sent to an address, copied as what it shows. */
export function copyShown(address: Topic, message: MessageView): Delivered {
  const shown = message.shown as Shown;
  const start = message.starts[0];
  const end = message.ends[0] + lineEndBytes;
  const bytes = pooledBytes(ackReplyBytesMax(shown) + end - start);
  const span = spanAround(bytes);
  const at = bytes.byteOffset;
  const body = shown.replyBytes === 0 ? at : writeAckReply(span, at, shown);
  copySpan(span, body, message.span, start, end);
  const delivered = new Delivered(address, span, at, null, shownSubject(shown));
  delivered.describe(message, 0);
  delivered.replyBytes = body - at;
  return delivered;
}

/** One message of a run, copied. */
export function copyOne(topic: Topic, message: MessageView, index: number, sync: SyncDelivery | null): Delivered {
  const bytes = pooledBytes(ownBytes(message, index));
  const span = spanAround(bytes);
  const delivered = new Delivered(topic, span, bytes.byteOffset, sync);
  delivered.copy(message, index, span, bytes.byteOffset);
  return delivered;
}
