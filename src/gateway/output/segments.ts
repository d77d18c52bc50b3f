import type { Chunk } from '../chunkPool.js';

/** References to bytes in closed audiences' chunks that wait for the end of the turn, in order: nothing is copied. */
export class Segments {
  /** These stay as long as they ever were; `count` says how much of them is meant. */
  readonly chunks: Chunk[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  count = 0;
  /** Messages in them, and the bytes of their headers and payloads. */
  messages = 0;
  messageBytes = 0;

  add(chunk: Chunk, start: number, end: number, messages: number, messageBytes: number): void {
    const i = this.count++;
    this.chunks[i] = chunk;
    this.starts[i] = start;
    this.ends[i] = end;
    this.messages += messages;
    this.messageBytes += messageBytes;
  }

  clear(): void {
    this.count = 0;
    this.messages = 0;
    this.messageBytes = 0;
  }

  get lengthBytes(): number {
    let lengthBytes = 0;
    for (let i = 0; i < this.count; i++) lengthBytes += this.ends[i] - this.starts[i];
    return lengthBytes;
  }
}
