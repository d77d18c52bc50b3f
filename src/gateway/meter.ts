import type { MessageView } from '../base/messageView.js';
import { type TallyRow, tally } from '../base/tally.js';
import type { Connection } from './connection.js';
import type { Latency } from './latency.js';
import type { Segments } from './output/segments.js';

/** Counts what a gateway's connections publish and are sent: a read at a time and a turn at a time, for each and for all. */
export class Meter {
  readonly #row: TallyRow;
  readonly #latency: Latency | null;

  /** @param latency null where nothing is read */
  constructor(row: TallyRow, latency: Latency | null = null) {
    this.#latency = latency;
    this.#row = row;
  }

  /** The first so many messages of a run were carried out. */
  notePublished(connection: Connection, message: MessageView, messages: number): void {
    this.noteRead(connection, messages, message.messageBytes(messages));
  }

  noteRead({ traffic }: Connection, messages: number, bytes: number): void {
    traffic.inMessages += messages;
    traffic.inBytes += bytes;
    this.#row[tally.inMessages] += messages;
    this.#row[tally.inBytes] += bytes;
    if (this.#latency !== null && messages > 0) this.#latency.note(traffic.readMs, messages);
  }

  /** Nobody wants it: it ends where it was read. */
  noteUnwanted(messages: number): void {
    this.#row[tally.unwanted] += messages;
  }

  /** What a turn has for a connection is sent, or waits for it. */
  noteSent({ traffic }: Connection, { messages, messageBytes }: Segments): void {
    traffic.outMessages += messages;
    traffic.outBytes += messageBytes;
    this.#row[tally.outMessages] += messages;
    this.#row[tally.outBytes] += messageBytes;
  }
}
