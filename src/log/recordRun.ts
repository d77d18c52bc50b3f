import { MessageView } from '../base/messageView.js';
import { lineEndBytes } from '../base/ownMessage.js';
import { nowhere, type Place } from '../base/span.js';
import { recordHeadBytes } from './entryLayout.js';

/**
 * Messages of a run that a stream stores, and what the records have that they become. Kept and filled anew, so that handing it on costs no
 * object.
 */
export class RecordRun {
  stream = 0;
  /** Of the message at `from`; the others follow. */
  sequence = 0;
  timeUs = 0;
  subject: Place = nowhere;
  messages: MessageView = noMessages;
  /** The next message, and the one behind the last. */
  from = 0;
  to = 0;

  set(
    stream: number,
    sequence: number,
    timeUs: number,
    subject: Place,
    messages: MessageView,
    from: number,
    to: number,
  ): void {
    this.stream = stream;
    this.sequence = sequence;
    this.timeUs = timeUs;
    this.subject = subject;
    this.messages = messages;
    this.from = from;
    this.to = to;
  }

  /** So many of them have become records. */
  skip(records: number): void {
    this.from += records;
    this.sequence += records;
  }

  get subjectBytes(): number {
    return this.subject.end - this.subject.start;
  }

  /** What the next message takes as an entry, before that is filled up. */
  get entryBytes(): number {
    const { messages, from } = this;
    return recordHeadBytes + this.subjectBytes + messages.ends[from] - messages.starts[from] + lineEndBytes;
  }
}

const noMessages = new MessageView();
