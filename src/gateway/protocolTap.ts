import type { ProtocolTrace } from '../protocol/protocolTrace.js';
import type { Chunk } from './chunkPool.js';
import type { Connection } from './connection.js';
import type { DoorReader, ReadOutcome } from './doors/door.js';
import type { Transport } from './output/transport.js';

/** A reader that has told what it carries out. */
export class TappedReader implements DoorReader {
  /** What reads while it is off. */
  readonly plain: DoorReader;
  readonly #trace: ProtocolTrace;

  constructor(reader: DoorReader, trace: ProtocolTrace) {
    this.plain = reader;
    this.#trace = trace;
  }

  get outcome(): ReadOutcome {
    return this.plain.outcome;
  }

  get neededBytes(): number {
    return this.plain.neededBytes;
  }

  get lastWord(): Uint8Array {
    return this.plain.lastWord;
  }

  read(connection: Connection, bytes: Uint8Array, start: number, end: number): number {
    const next = this.plain.read(connection, bytes, start, end);
    this.#trace.push(bytes, start, next);
    return next;
  }
}

/** A transport that has told what leaves by it. */
export class TappedTransport implements Transport {
  /** What takes bytes while it is off. */
  readonly plain: Transport;
  readonly #trace: ProtocolTrace;
  readonly #frames: Frames | null;

  /** @param isFramed whether it is told of WebSocket frames */
  constructor(transport: Transport, trace: ProtocolTrace, isFramed: boolean) {
    this.plain = transport;
    this.#trace = trace;
    this.#frames = isFramed ? new Frames() : null;
  }

  offer(chunk: Chunk, start: number, end: number): number {
    const taken = this.plain.offer(chunk, start, end);
    this.#tell(chunk, start, start + taken);
    return taken;
  }

  write(chunk: Chunk, start: number, end: number, onWritten: () => void): void {
    this.#tell(chunk, start, end);
    this.plain.write(chunk, start, end, onWritten);
  }

  limitUnsent(lengthBytes: number): void {
    this.plain.limitUnsent(lengthBytes);
  }

  #tell({ buffer }: Chunk, start: number, end: number): void {
    if (this.#frames === null) this.#trace.push(buffer, start, end);
    else this.#frames.read(buffer, start, end, this.#trace);
  }
}

const longLength = 126;
const finalBit = 0x80;
const controlBit = 0x08;
/** Bits that no frame of the broker's begins with: it sends whole messages, and none compressed. */
const unusedBits = 0x74;

/**
 * Takes the broker's WebSocket frames, which are not masked, apart. What controls the connection is left out, and so is what begins no frame: the
 * answer to the handshake.
 */
class Frames {
  readonly #head: number[] = [];
  #left = 0;
  #isTold = false;

  read(bytes: Uint8Array, start: number, end: number, trace: ProtocolTrace): void {
    for (let at = start; at < end; ) {
      if (this.#left === 0) {
        this.#onHead(bytes[at++]!);
        continue;
      }
      const next = Math.min(end, at + this.#left);
      if (this.#isTold) trace.push(bytes, at, next);
      this.#left -= next - at;
      at = next;
    }
  }

  #onHead(byte: number): void {
    const head = this.#head;
    if (head.length === 0 && (byte & (finalBit | unusedBits)) !== finalBit) return;
    head.push(byte);
    const short = (head[1] ?? 0) & 0x7f;
    const lengthBytes = short < longLength ? 0 : short === longLength ? 2 : 8;
    if (head.length < 2 + lengthBytes) return;
    this.#left = lengthBytes === 0 ? short : head.slice(2).reduce((total, each) => total * 256 + each, 0);
    this.#isTold = (head[0]! & controlBit) === 0;
    head.length = 0;
  }
}
