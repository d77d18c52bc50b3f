import { utf8String } from '../../base/bytes.js';
import { firstValue, type HeaderBlock, readHeaderBlock } from '../../protocol/headerBlock.js';
import type { StoredMessageJson } from '../../protocol/streamApi/json.js';
import type { Delivered } from '../delivered.js';
import { type Headers, headersOf } from '../headers.js';
import type { MessageSource } from '../message.js';

/** What an answer tells of a stored message. */
export class StoredSource implements MessageSource {
  readonly reply = '';
  readonly redelivered = false;
  readonly deliveries = 1;
  readonly subject: string;
  readonly sequence: number;
  /** RFC 3339. */
  readonly time: string;
  readonly #block: HeaderBlock;
  readonly #payload: Uint8Array;

  private constructor(subject: string, sequence: number, time: string, block: HeaderBlock, payload: Uint8Array) {
    this.subject = subject;
    this.sequence = sequence;
    this.time = time;
    this.#block = block;
    this.#payload = payload;
  }

  static ofJson({ subject, seq, time, hdrs = '', data = '' }: StoredMessageJson): StoredSource {
    const block = Buffer.from(hdrs, 'base64');
    return new StoredSource(subject, seq, time, readHeaderBlock(block, 0, block.length), Buffer.from(data, 'base64'));
  }

  /** Reads an answer to a direct get, which says behind a message's own headers where it was stored. */
  static ofDirect(delivered: Delivered): StoredSource {
    const { own, said } = splitHeaders(delivered.headerBlock);
    const at = (name: string) => said.get(name) ?? '';
    const sequence = Number(at('Nats-Sequence'));
    return new StoredSource(at('Nats-Subject'), sequence, at('Nats-Time-Stamp'), own, delivered.copyPayload());
  }

  get headers(): Headers {
    return headersOf(this.#block);
  }

  header(name: string): string | undefined {
    return firstValue(this.#block, name);
  }

  get payloadText(): string {
    return utf8String(this.#payload, 0, this.#payload.length);
  }

  copyPayload(): Uint8Array {
    return this.#payload.slice();
  }
}

const directHeaders = [
  'Nats-Stream',
  'Nats-Subject',
  'Nats-Sequence',
  'Nats-Time-Stamp',
  'Nats-Num-Pending',
  'Nats-Last-Sequence',
];

/** What the message had itself, and what the answer says: the last value of each of its names. */
function splitHeaders(block: HeaderBlock): { own: HeaderBlock; said: ReadonlyMap<string, string> } {
  const values = new Map(block.values);
  const said = new Map<string, string>();
  for (const name of directHeaders) {
    const all = values.get(name);
    if (all === undefined) continue;
    said.set(name, all.at(-1) as string);
    if (all.length === 1) values.delete(name);
    else values.set(name, all.slice(0, -1));
  }
  return { own: { ...block, values }, said };
}
