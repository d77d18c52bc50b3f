import { latin1String, pooledBytes } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { type Shown, shownSubject } from '../base/shown.js';
import { Span } from '../base/span.js';
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
export class Delivered {
  /** What it was published to, or the address that it was sent to. */
  readonly topic: Topic;
  /** Told when the last of the subscribers here is done with it; null when nobody asked. */
  readonly sync: SyncDelivery | null;
  /** Whether a member of a group has had it and did not acknowledge it. */
  redelivered = false;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  readonly #replyBytes: number;
  readonly #headerBytes: number;
  /** The subject that it shows: its topic's, or that of who sent it to an address. */
  readonly #text: string;
  #subject: string | null = null;
  #block: HeaderBlock | null = null;
  #headers: Headers | null = null;

  constructor(
    topic: Topic,
    bytes: Uint8Array,
    start: number,
    end: number,
    replyBytes: number,
    headerBytes: number,
    sync: SyncDelivery | null,
    text = topic.text,
  ) {
    this.topic = topic;
    this.#text = text;
    this.sync = sync;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#replyBytes = replyBytes;
    this.#headerBytes = headerBytes;
  }

  /** What it takes of a subscription's bound: headers and payload, in bytes. */
  get lengthBytes(): number {
    return this.#end - this.#start;
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
    const start = this.#start - this.#replyBytes;
    return publicSubject(latin1String(this.#bytes, start, this.#start));
  }

  get headers(): Headers {
    if (this.#headerBytes === 0) return noHeaders;
    this.#headers ??= headersOf(this.#headerBlock);
    return this.#headers;
  }

  /** Of what the first line says, such as 503 for "no responders"; 0 for none. */
  get status(): number {
    return this.#headerBytes === 0 ? 0 : this.#headerBlock.status;
  }

  /** The value of the first header of a name, in any case. */
  header(name: string): string | undefined {
    return this.#headerBytes === 0 ? undefined : firstValue(this.#headerBlock, name);
  }

  /** What it is the latest of where its key counts: as everywhere else in the broker, byte by byte. */
  get latestName(): string {
    return latestNameIn(this.#text, this.#bytes, this.#start, this.#start + this.#headerBytes);
  }

  get #headerBlock(): HeaderBlock {
    this.#block ??= readHeaderBlock(this.#bytes, this.#start, this.#start + this.#headerBytes);
    return this.#block;
  }

  /** A copy of the payload, the caller's own. */
  copyPayload(): Uint8Array {
    return this.#bytes.slice(this.#start + this.#headerBytes, this.#end);
  }

  /** Fills a run of this one message, to give it back to its shard. */
  fill(view: MessageView): void {
    view.set(new Span(this.#bytes), this.#start, this.#end);
    view.replyStart = this.#start - this.#replyBytes;
    view.replyEnd = this.#start;
    view.headerBytes = this.#headerBytes;
    view.syncToken = this.sync === null ? 0 : this.sync.token;
    view.redelivered = this.redelivered;
  }
}

const lineEndBytes = 2;

/** Makes a run the endpoint's own: one copy for all its messages. */
export function copyRun(topic: Topic, message: MessageView, sync: SyncDelivery | null): Delivered[] {
  const first = message.replyEnd === message.replyStart ? message.starts[0] : message.replyStart;
  const last = message.ends[message.count - 1] + 2;
  const bytes = pooledBytes(last - first);
  bytes.set(message.bytes.subarray(first, last));
  const replyBytes = message.replyEnd - message.replyStart;
  const run: Delivered[] = [];
  for (let i = 0; i < message.count; i++)
    run.push(
      new Delivered(
        topic,
        bytes,
        message.starts[i] - first,
        message.ends[i] - first,
        replyBytes,
        message.headerBytes,
        sync,
      ),
    );
  return run;
}

/** A message that was sent to an address, copied as what it shows. */
export function copyShown(address: Topic, message: MessageView): Delivered {
  const shown = message.shown as Shown;
  const start = message.starts[0];
  const end = message.ends[0];
  const bytes = pooledBytes(ackReplyBytesMax(shown) + end - start + lineEndBytes);
  const replyBytes = shown.replyBytes === 0 ? 0 : writeAckReply(new Span(bytes), 0, shown);
  bytes.set(message.bytes.subarray(start, end + lineEndBytes), replyBytes);
  const last = replyBytes + end - start;
  return new Delivered(address, bytes, replyBytes, last, replyBytes, message.headerBytes, null, shownSubject(shown));
}

/** One message of a run, copied. */
export function copyOne(topic: Topic, message: MessageView, index: number, sync: SyncDelivery | null): Delivered {
  const replyBytes = message.replyEnd - message.replyStart;
  const start = message.starts[index];
  const end = message.ends[index];
  const bytes = pooledBytes(replyBytes + end - start + 2);
  if (replyBytes > 0) bytes.set(message.bytes.subarray(message.replyStart, message.replyEnd));
  bytes.set(message.bytes.subarray(start, end + 2), replyBytes);
  const lastByte = replyBytes + end - start;
  const delivered = new Delivered(topic, bytes, replyBytes, lastByte, replyBytes, message.headerBytes, sync);
  delivered.redelivered = message.redelivered;
  return delivered;
}
