import { mixedRecordBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan, Span } from '../base/span.js';
import type { LaneWriter } from './laneWriter.js';
import { beginMixedRun, mixedBytes, mixedHeaderBytes, writeMixed } from './records/mixedRun.js';

/** What a lane gets of the open block. */
export class BlockPart {
  readonly lane: LaneWriter;
  /** The block, while it has something for the lane: nothing else is written into that before. */
  block: MixedBlock | null = null;
  /** Messages for the lane, and what they take, in bytes. */
  messages = 0;
  bytes = 0;
  /** Where in the lane's record the next stretch goes. */
  at = 0;

  constructor(lane: LaneWriter) {
    this.lane = lane;
  }
}

/**
 * Plain messages for several lanes, laid out once, as they stand in the mixed run that each of the lanes gets. Consecutive messages for the
 * same lanes are a stretch, which is copied at once.
 */
export class MixedBlock {
  readonly #span: Span;
  readonly #words: Int32Array;
  #usedBytes = 0;
  /** Lanes that it has something for. */
  readonly #parts: BlockPart[] = [];
  // by stretch
  #stretches = 0;
  readonly #lanes: (readonly BlockPart[])[] = [];
  readonly #ends: number[] = [];
  readonly #messages: number[] = [];

  constructor() {
    const buffer = new ArrayBuffer(mixedRecordBytesMax);
    this.#span = new Span(new Uint8Array(buffer));
    this.#words = new Int32Array(buffer);
  }

  get empty(): boolean {
    return this.#stretches === 0;
  }

  /**
   * Makes room for message `index` of a run, by writing what it has where that is too much already.
   *
   * @param bytesMax what a record of any of the message's lanes may take
   */
  makeRoom(message: MessageView, index: number, bytesMax: number): void {
    const bytes = mixedHeaderBytes + this.#usedBytes + mixedBytes(message, index);
    if (bytes > bytesMax) this.flush();
  }

  /** Adds a message, which there is room for, of a topic that the readers of all `lanes` know by `slot`. */
  add(lanes: readonly BlockPart[], slot: number, message: MessageView, index: number): void {
    writeMixed(this.#span, this.#words, this.#usedBytes, slot, message, index);
    this.#usedBytes += mixedBytes(message, index);
    let stretch = this.#stretches - 1;
    if (stretch < 0 || this.#lanes[stretch] !== lanes) {
      stretch = this.#stretches++;
      this.#lanes[stretch] = lanes;
      this.#messages[stretch] = 0;
      for (let i = 0; i < lanes.length; i++) this.#join(lanes[i]);
    }
    this.#ends[stretch] = this.#usedBytes;
    this.#messages[stretch]++;
  }

  /** Writes what it has into its lanes, whatever their state. */
  flush(): void {
    if (this.empty) return;
    this.#measure();
    for (const part of this.#parts) beginPart(part);
    this.#copy();
    this.#parts.length = 0;
    this.#stretches = 0;
    this.#usedBytes = 0;
  }

  #join(part: BlockPart): void {
    if (part.block === this) return;
    part.block = this;
    part.messages = 0;
    part.bytes = 0;
    this.#parts.push(part);
  }

  #measure(): void {
    let start = 0;
    for (let i = 0; i < this.#stretches; i++) {
      const end = this.#ends[i];
      for (const part of this.#lanes[i]) {
        part.messages += this.#messages[i];
        part.bytes += end - start;
      }
      start = end;
    }
  }

  #copy(): void {
    let start = 0;
    for (let i = 0; i < this.#stretches; i++) {
      const end = this.#ends[i];
      for (const part of this.#lanes[i]) part.at = copySpan(part.lane.span, part.at, this.#span, start, end);
      start = end;
    }
  }
}

/** Begins a lane's record, to which its stretches are copied. */
function beginPart(part: BlockPart): void {
  part.block = null;
  beginMixedRun(part.lane, part.bytes, part.messages);
  part.at = part.lane.index + mixedHeaderBytes;
}
