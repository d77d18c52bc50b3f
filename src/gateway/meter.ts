import type { MessageView } from '../base/messageView.js';
import { type TallyRow, tally } from '../base/tally.js';
import type { Topic } from '../router/topic.js';
import type { Connection } from './connection.js';
import type { Latency } from './latency.js';
import type { Segments } from './output/segments.js';
import type { TopicSamples } from './topicSamples.js';

/** Counts what a gateway's connections publish: a read at a time, for each and for all. */
export class Meter {
  readonly samples: TopicSamples;
  readonly #row: TallyRow;
  readonly #latency: Latency;

  constructor(row: TallyRow, latency: Latency, samples: TopicSamples) {
    this.#row = row;
    this.#latency = latency;
    this.samples = samples;
  }

  /** The first so many messages of a run were carried out; its topic is null where it has none. */
  notePublished(connection: Connection, topic: Topic | null, message: MessageView, messages: number): void {
    this.noteRead(connection, messages, message.messageBytes(messages));
    this.samples.note(topic, connection.traffic.readMs, messages);
  }

  /** The same of messages whose topics `samples` are told by themselves. */
  noteRead({ traffic }: Connection, messages: number, bytes: number): void {
    traffic.inMessages += messages;
    traffic.inBytes += bytes;
    this.#row[tally.inMessages] += messages;
    this.#row[tally.inBytes] += bytes;
    if (messages > 0) this.#latency.note(traffic.readMs, messages);
  }

  /** Nobody wants it: it ends where it was read. */
  noteUnwanted(messages: number): void {
    this.#row[tally.unwanted] += messages;
  }
}

/** Counts what connections are sent: a turn at a time, for each and for all. */
export class SentMeter {
  readonly #row: TallyRow;

  constructor(row: TallyRow) {
    this.#row = row;
  }

  /** What a turn has for a connection is sent, or waits for it. */
  noteSent({ traffic }: Connection, { messages, messageBytes }: Segments): void {
    traffic.outMessages += messages;
    traffic.outBytes += messageBytes;
    this.#row[tally.outMessages] += messages;
    this.#row[tally.outBytes] += messageBytes;
  }
}
