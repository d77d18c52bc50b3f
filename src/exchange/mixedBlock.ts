import { emptyList } from '../base/emptyList.js';
import { kernelAddress, kernelOverrunBytes, kernelSplitBlock, takeKernelBytes } from '../base/kernel.js';
import { mixedRecordBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import { copySpan, Span } from '../base/span.js';
import type { LaneWriter } from './laneWriter.js';
import { beginMixedRun, mixedBytes, mixedHeaderBytes, mixedMessageBytesMin, writeMixed } from './records/mixedRun.js';

/*
 * How a block lies in memory, in bytes; the kernel (src/base/kernel.wat) adds messages to it, too:
 *
 *     0      4       8           12      16  32             16,480
 *     | used | limit | stretches | split |   | messages ... | stretch ... |          stretch: | target | end | messages |
 *
 * Messages stand as in a mixed run. `used` counts their bytes, up to `limit` those that the kernel may use. A stretch is of consecutive messages for
 * the same lanes, which its target stands for; it ends where so many bytes are used. `split` says how many messages the kernel has found for a lane.
 */
const block = { used: 0, limit: 1, stretches: 2, split: 3 } as const;
const stretch = { target: 0, end: 1, messages: 2 } as const;
const headerBytes = 32;
/** Copies go in steps of sixteen bytes. */
const spareBytes = 64;
const stretchesAt = headerBytes + mixedRecordBytesMax + spareBytes;
const stretchWords = 3;
/** From so many stretches on the kernel takes them apart: fewer are copied at once. */
const splitStretchesMin = 8;
const blockBytes = stretchesAt + 4 * stretchWords * Math.ceil(mixedRecordBytesMax / mixedMessageBytesMin);

/** What a lane gets of the open block. */
export class BlockPart {
  readonly lane: LaneWriter;
  /** Ends the lane's open record: nothing joins it any more. */
  readonly closeRecord: () => void;
  /** Number of the gateway that reads the lane, where sets of them tell who gets what. */
  gateway = 0;
  /** The block, while it has something for the lane: nothing else is written into that before. */
  block: MixedBlock | null = null;
  /** Messages for the lane, and what they take, in bytes. */
  messages = 0;
  bytes = 0;
  /** Where in the lane's record the next stretch goes. */
  at = 0;

  constructor(lane: LaneWriter, closeRecord: () => void) {
    this.lane = lane;
    this.closeRecord = closeRecord;
  }
}

/** Lanes that get the same of a block. */
export interface BlockTarget {
  readonly parts: readonly BlockPart[];
  /** The block that has told them so last, by the number that it had then. */
  noticedIn: number;
}

/** Which gateways each target stands for, for the kernel. */
export interface BlockSets {
  readonly address: number;
  moveToKernel(): boolean;
}

/**
 * Plain messages for several lanes, laid out once, as they stand in the mixed run that each of the lanes gets. Consecutive messages for the
 * same lanes are copied at once.
 */
export class MixedBlock {
  readonly #targetOf: (target: number) => BlockTarget;
  readonly #sets: BlockSets | null;
  /** Where the kernel puts what one lane gets; null where it does not. */
  #split: Span | null = null;
  #span: Span;
  #words: Int32Array;
  /** Lanes that it has something for. */
  readonly #parts: BlockPart[] = [];
  /** Stretches whose lanes know of it. */
  #noticed = 0;
  /** Its number, another one when it has been written. */
  #number = 1;

  /**
   * @param targetOf the lanes that a target stands for
   * @param sets the same for the kernel; null where there is one lane only
   */
  constructor(targetOf: (target: number) => BlockTarget, sets: BlockSets | null = null) {
    this.#targetOf = targetOf;
    this.#sets = sets;
    const bytes = new Uint8Array(blockBytes);
    this.#span = new Span(bytes);
    this.#words = new Int32Array(bytes.buffer);
  }

  get empty(): boolean {
    return this.#words[block.stretches] === 0;
  }

  /** Where it lies in the kernel's memory, to which it moves when this is asked for the first time; -1 when there is no room for it. */
  get address(): number {
    if (this.#span.address < 0) this.#moveToKernel();
    return this.#span.address;
  }

  /** How many bytes of messages the kernel may bring it to. */
  set limit(bytes: number) {
    this.#words[block.limit] = bytes;
  }

  /**
   * Makes room for message `index` of a run, by writing what it has where that is too much already.
   *
   * @param bytesMax what a record of any of the message's lanes may take
   */
  makeRoom(message: MessageView, index: number, bytesMax: number): void {
    const bytes = mixedHeaderBytes + this.#words[block.used] + mixedBytes(message, index);
    if (bytes > bytesMax) this.flush();
  }

  /** Adds a message, which there is room for, of a topic that the readers of all the target's lanes know by `slot`. */
  add(target: number, slot: number, message: MessageView, index: number): void {
    const words = this.#words;
    const used = words[block.used];
    writeMixed(this.#span, words, headerBytes + used, slot, message, index);
    words[block.used] = used + mixedBytes(message, index);
    let at = stretchWord(words[block.stretches] - 1);
    if (words[block.stretches] === 0 || words[at + stretch.target] !== target) {
      at = stretchWord(words[block.stretches]++);
      words[at + stretch.target] = target;
      words[at + stretch.messages] = 0;
    }
    words[at + stretch.end] = words[block.used];
    words[at + stretch.messages]++;
    this.notice();
  }

  /** Lanes that it has something for know of it from now on. */
  notice(): void {
    for (; this.#noticed < this.#words[block.stretches]; this.#noticed++) {
      const target = this.#targetOf(this.#words[stretchWord(this.#noticed) + stretch.target]);
      if (target.noticedIn === this.#number) continue;
      target.noticedIn = this.#number;
      for (const part of target.parts) this.#join(part);
    }
  }

  /** Writes what it has into its lanes, whatever their state. */
  flush(): void {
    if (this.empty) return;
    if (this.#split !== null && this.#words[block.stretches] >= splitStretchesMin) this.#takeApart(this.#split);
    else {
      this.#measure();
      for (const part of this.#parts) beginPart(part);
      this.#copy();
    }
    emptyList(this.#parts);
    this.#noticed = 0;
    this.#number++;
    this.#words[block.stretches] = 0;
    this.#words[block.used] = 0;
  }

  #moveToKernel(): void {
    const bytes = takeKernelBytes(blockBytes);
    if (bytes === null) return;
    bytes.set(this.#span.bytes);
    this.#span = new Span(bytes);
    this.#words = new Int32Array(bytes.buffer, kernelAddress(bytes), blockBytes >> 2);
    const split = this.#sets?.moveToKernel() ? takeKernelBytes(mixedRecordBytesMax + kernelOverrunBytes) : null;
    this.#split = split && new Span(split);
  }

  #join(part: BlockPart): void {
    if (part.block === this) return;
    part.closeRecord();
    part.block = this;
    part.messages = 0;
    part.bytes = 0;
    this.#parts.push(part);
  }

  #measure(): void {
    const words = this.#words;
    let start = 0;
    for (let i = 0; i < words[block.stretches]; i++) {
      const at = stretchWord(i);
      const end = words[at + stretch.end];
      for (const part of this.#targetOf(words[at + stretch.target]).parts) {
        part.messages += words[at + stretch.messages];
        part.bytes += end - start;
      }
      start = end;
    }
  }

  /** The kernel gathers what each lane gets, which is then copied at once. */
  #takeApart(split: Span): void {
    const sets = this.#sets as BlockSets;
    for (const part of this.#parts) {
      const bytes = kernelSplitBlock(this.#span.address, sets.address, part.gateway, split.address) - split.address;
      part.block = null;
      beginMixedRun(part.lane, bytes, this.#words[block.split]);
      copySpan(part.lane.span, part.lane.index + mixedHeaderBytes, split, 0, bytes);
    }
  }

  #copy(): void {
    const words = this.#words;
    let start = headerBytes;
    for (let i = 0; i < words[block.stretches]; i++) {
      const at = stretchWord(i);
      const end = headerBytes + words[at + stretch.end];
      for (const part of this.#targetOf(words[at + stretch.target]).parts)
        part.at = copySpan(part.lane.span, part.at, this.#span, start, end);
      start = end;
    }
  }
}

function stretchWord(index: number): number {
  return (stretchesAt >> 2) + index * stretchWords;
}

/** Begins a lane's record, to which its stretches are copied. */
function beginPart(part: BlockPart): void {
  part.block = null;
  beginMixedRun(part.lane, part.bytes, part.messages);
  part.at = part.lane.index + mixedHeaderBytes;
}
