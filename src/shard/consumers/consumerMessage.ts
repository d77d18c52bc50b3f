import { assert } from '../../base/assert.js';
import { byteText, latin1Bytes, latin1String } from '../../base/bytes.js';
import { MessageView } from '../../base/messageView.js';
import { lineEndBytes } from '../../base/ownMessage.js';
import { Shown } from '../../base/shown.js';
import { ShownRows } from '../../base/shownRows.js';
import type { ShownRunWriter } from '../../base/shownRunWriter.js';
import { Span, spansEqual } from '../../base/span.js';
import type { RecordRun, RecordView } from '../../log/storage.js';
import type { Consumer } from '../../stream/consumer/consumer.js';
import type { Delivery } from '../../stream/consumer/delivering.js';

const microsecondsInSecond = 1e6;
const nanosecondsInMicrosecond = 1000;
/** Dots between the numbers, and the digits of the time's seconds and nanoseconds until the year 2286. */
const constantBytes = 4 + 19;
const noHeaders = 'NATS/1.0\r\n';

/** One for all consumers of a thread: it is sent, or laid out, before the next one is made. */
const view = new MessageView();

/** The same for those that the kernel lays out; null where it does not, undefined until somebody asks. */
let shownRows: ShownRows | null | undefined;
/** Fewer are laid out one by one. */
const rowsMin = 4;

/** Makes of a stored message what its consumer delivers; filled anew for each. */
export class ConsumerMessage {
  readonly #shown = new Shown();
  readonly #replyPrefix: Span;

  constructor({ stream, name }: Consumer) {
    this.#replyPrefix = new Span(latin1Bytes(`$JS.ACK.${byteText(stream.name)}.${byteText(name)}.`));
  }

  /** Valid until another consumer makes its own. */
  get view(): MessageView {
    view.shown = this.#shown;
    return view;
  }

  /**
   * Makes it that of a delivery, whose bytes it refers to.
   *
   * @param more further headers, each a line with its end
   * @param withPayload whether the payload is delivered, or its size only
   */
  set({ record, count, sequence, pending }: Delivery, more: string, withPayload: boolean): void {
    if (more === '' && withPayload) {
      view.set(record.span, record.start, record.end);
      view.setHeaders(record.headerBytes);
    } else this.#copy(record, more, withPayload);
    this.#show(record, count, sequence, pending);
  }

  /** Adds a message as it was stored to others for its address, delivered for the first time; false when there is no room among them. */
  addTo(run: ShownRunWriter, record: RecordView, sequence: number, pending: number): boolean {
    this.#show(record, 1, sequence, pending);
    return run.addBytes(this.#shown, record.span, record.start, record.headerBytes, record.end);
  }

  /**
   * Begins to give records from a row on, `count` at most, to addresses for which the kernel lays them out; null where each is added by
   * itself.
   */
  rowsOf({ entries }: RecordRun, from: number, count: number): ShownRows | null {
    if (entries === null || count < rowsMin) return null;
    if (shownRows === undefined) shownRows = ShownRows.create();
    if (shownRows === null) return null;
    shownRows.setReply(this.#replyPrefix);
    shownRows.begin(entries, from);
    return shownRows;
  }

  /** Those that were begun last. */
  get rows(): ShownRows {
    assert(shownRows != null, 'there are some when they were begun');
    return shownRows;
  }

  /** What those that were laid last, so many, count for whoever bounds bytes. */
  rowBytesOf(laid: number, first: number, sequence: number, pending: number): number {
    const { messageBytes, subjectBytes } = this.rows;
    const digits =
      laid + digitsOfAll(first, laid) + digitsOfAll(sequence, laid) + digitsOfAll(pending - laid + 1, laid);
    return messageBytes + subjectBytes + digits + laid * (this.#replyPrefix.bytes.length + constantBytes);
  }

  #show(record: RecordView, count: number, sequence: number, pending: number): void {
    this.#showSubject(record);
    const { timeUs } = record;
    const seconds = Math.floor(timeUs / microsecondsInSecond);
    const { numbers } = this.#shown;
    numbers[0] = count;
    numbers[1] = record.sequence;
    numbers[2] = sequence;
    numbers[3] = seconds;
    numbers[4] = (timeUs - seconds * microsecondsInSecond) * nanosecondsInMicrosecond;
    numbers[5] = pending;
  }

  /** What it counts for whoever bounds bytes. */
  get bytes(): number {
    const { starts, ends } = view;
    return this.bytesOf(ends[0] - starts[0]);
  }

  /** The same of the one that was added last, whose headers and payload are so long. */
  bytesOf(messageBytes: number): number {
    const { numbers } = this.#shown;
    const digits = digitsOf(numbers[0]) + digitsOf(numbers[1]) + digitsOf(numbers[2]) + digitsOf(numbers[5]);
    return this.#shown.subjectBytes + this.#replyPrefix.bytes.length + digits + constantBytes + messageBytes;
  }

  #showSubject({ span, subjectStart, subjectEnd }: RecordView): void {
    const shown = this.#shown;
    const lengthBytes = subjectEnd - subjectStart;
    if (lengthBytes === shown.subjectBytes && spansEqual(shown.span, 0, span, subjectStart, lengthBytes)) return;
    shown.setSubject(span, subjectStart, lengthBytes, this.#replyPrefix);
  }

  /** A copy with other headers, or without payload. */
  #copy({ span, start, headerBytes, end }: RecordView, more: string, withPayload: boolean): void {
    const payloadStart = start + headerBytes;
    const stored = latin1String(span.bytes, start, payloadStart - (headerBytes === 0 ? 0 : lineEndBytes));
    const size = withPayload ? '' : `Nats-Msg-Size: ${end - payloadStart}\r\n`;
    const head = latin1Bytes(`${stored || noHeaders}${more}${size}\r\n`);
    const payload = span.bytes.subarray(payloadStart, withPayload ? end : payloadStart);
    const copy = new Span(new Uint8Array(head.length + payload.length + lineEndBytes));
    copy.bytes.set(head);
    copy.bytes.set(payload, head.length);
    copy.bytes.set(lineEnd, head.length + payload.length);
    view.set(copy, 0, head.length + payload.length);
    view.setHeaders(head.length);
  }
}

const lineEnd = latin1Bytes('\r\n');

function digitsOf(number: number): number {
  let digits = 1;
  for (let bound = 10; number >= bound; bound *= 10) digits++;
  return digits;
}

/** The digits of so many numbers that follow each other. */
function digitsOfAll(first: number, count: number): number {
  const end = first + count;
  let digits = count;
  for (let bound = 10; bound < end; bound *= 10) digits += end - Math.max(first, bound);
  return digits;
}
