import type { Codec } from './protocol/codec.js';

export interface PublishRingOptions {
  readonly codec: Codec;
  readonly cycle: readonly number[];
  readonly payloadBytes: number;
  /** The ring is at least this long, and always a whole number of cycles. */
  readonly bytesMin: number;
}

/** Publishes encoded once and written again and again: a whole number of cycles of one publisher's topics. */
export class PublishRing {
  readonly bytes: Buffer;
  readonly messages: number;
  readonly messageBytes: number;
  readonly payloadOffset: number;

  constructor({ codec, cycle, payloadBytes, bytesMin }: PublishRingOptions) {
    // Lower-case letters never look like the first byte of a delivery.
    const payload = Buffer.alloc(payloadBytes, 'x');
    const encoded = cycle.map((topic) => codec.publish(codec.subject(topic), payload));
    const first = encoded[0]!;
    this.messageBytes = first.bytes.length;
    this.payloadOffset = first.payloadOffset;
    const cycles = Math.max(1, Math.ceil(bytesMin / (this.messageBytes * cycle.length)));
    const oneCycle = Buffer.concat(encoded.map((message) => message.bytes));
    this.messages = cycles * cycle.length;
    this.bytes = Buffer.alloc(oneCycle.length * cycles);
    for (let index = 0; index < cycles; index++) oneCycle.copy(this.bytes, index * oneCycle.length);
  }

  /** The ring in consecutive pieces of about `blockBytes`, each ending with a message. */
  blocks(blockBytes: number): Buffer[] {
    const messagesEach = Math.max(1, Math.floor(blockBytes / this.messageBytes));
    const blocks: Buffer[] = [];
    for (let from = 0; from < this.messages; from += messagesEach) {
      const to = Math.min(this.messages, from + messagesEach);
      blocks.push(this.bytes.subarray(from * this.messageBytes, to * this.messageBytes));
    }
    return blocks;
  }
}
