import { ackNumberCount } from './ackNumbers.js';
import { copyBytes } from './bytes.js';
import { kernelModule } from './kernelBytes.js';
import { kernelMemoryBytes, mixedRecordBytesMax, runMessagesMax } from './limits.js';
import type { ShownRun } from './shownRun.js';

/**
 * The inner loops of parsing and encoding in WebAssembly (src/base/kernel.wat), and the memory they work in: one a thread, made
 * when something is first taken of it. JavaScript sees that memory as any other; only both ends of a copy must lie in it.
 * See docs/decisions/0010.
 */
interface KernelExports {
  encodeRun(
    to: number,
    line: number,
    prefixBytes: number,
    base: number,
    starts: number,
    ends: number,
    count: number,
  ): number;
  encodeFullRun(
    to: number,
    line: number,
    prefixBytes: number,
    base: number,
    positions: number,
    tableBytes: number,
    count: number,
    replies: number,
    headers: number,
  ): number;
  extendFullRun(
    first: number,
    prefixBytes: number,
    next: number,
    end: number,
    base: number,
    positions: number,
    tableBytes: number,
    index: number,
    max: number,
    payloadBytesMax: number,
    lineBytesMax: number,
    replies: number,
    headers: number,
  ): number;
  extendRun(
    first: number,
    prefixBytes: number,
    next: number,
    end: number,
    base: number,
    starts: number,
    ends: number,
    index: number,
    max: number,
    payloadBytesMax: number,
  ): number;
  encodeMixed(
    at: number,
    count: number,
    table: number,
    mask: number,
    generation: number,
    state: number,
    publishes: number,
  ): number;
  learnTopic(plan: number, known: number): void;
  publishKnown(
    at: number,
    end: number,
    count: number,
    budget: number,
    known: number,
    generation: number,
    state: number,
  ): number;
  splitBlock(block: number, sets: number, gateway: number, to: number): number;
  encodeAddressed(
    to: number,
    sid: number,
    sidBytes: number,
    text: number,
    subjectBytes: number,
    replyBytes: number,
    headerBytes: number,
    messageBytes: number,
    numbers: number,
  ): number;
  encodeShownRun(to: number, at: number, count: number, sid: number, sidBytes: number, headers: number): number;
  layAcks(
    to: number,
    prefix: number,
    prefixBytes: number,
    number: number,
    base: number,
    positions: number,
    tableBytes: number,
    count: number,
  ): void;
  layRequests(
    at: number,
    end: number,
    base: number,
    prefix: number,
    prefixBytes: number,
    replies: number,
    lineBytesMax: number,
    to: number,
    toEnd: number,
    toBase: number,
    positions: number,
    tableBytes: number,
    ends: number,
    max: number,
  ): number;
  readAcks(base: number, positions: number, tableBytes: number, count: number, acks: number): number;
  encodeAnswers(
    to: number,
    sid: number,
    sidBytes: number,
    base: number,
    positions: number,
    tableBytes: number,
    count: number,
  ): number;
  layRecords(
    to: number,
    aim: number,
    end: number,
    room: number,
    headBytes: number,
    base: number,
    positions: number,
    tableBytes: number,
    count: number,
    headers: number,
  ): number;
  layShown(
    to: number,
    end: number,
    indices: number,
    starts: number,
    base: number,
    count: number,
    reply: number,
    replyBytes: number,
    delivery: number,
    pending: number,
    sums: number,
  ): number;
  sumLengths(starts: number, ends: number, count: number): number;
  findTraced(starts: number, lengths: number, index: number, count: number, base: number): number;
  hash64(at: number, lengthBytes: number, seedAt: number, to: number): void;
}

/** As much of WebAssembly as is used here: TypeScript declares it for browsers only. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** Longest prefix of a delivery's line that the kernel takes, in bytes; room for a size and CR LF stands behind it. */
export const kernelLineBytesMax = 4 * 1024;
/** Longest sid, with a space on each side, that `kernelEncodeAddressed` takes, in bytes. */
export const kernelSidBytesMax = 64;
/** Most that `kernelEncodeShownRun` takes at once, in bytes. */
export const kernelShownRunBytesMax = mixedRecordBytesMax;
const lineRoomBytes = kernelLineBytesMax + 64;
const pageBytes = 64 * 1024;
/** What is taken begins at a cache line. */
const alignment = 64;
/** Most that `kernelEncodeRun` writes behind what it returns, in bytes: it copies in steps that do not mind the end. */
export const kernelOverrunBytes = 32;

let compiled: object | null = null;

/** @throws RangeError where the process may not have the addresses that V8 reserves */
function instantiate(memoryBytes: number): { readonly buffer: ArrayBuffer; readonly functions: KernelExports } {
  const pages = Math.ceil(memoryBytes / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  compiled ??= new WebAssembly.Module(kernelModule());
  const instance = new WebAssembly.Instance(compiled, { shardcast: { memory } });
  return { buffer: memory.buffer, functions: instance.exports as KernelExports };
}

/**
 * Memory of its own for the kernel, which lays records in it and hashes them: it begins at a page of the system, as writes past its cache need it, and pages that
 * were never used take no room.
 */
export class JournalMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Writes XXH64 of `bytes[at, at + lengthBytes)`, eight bytes, to `to`; its seed is the eight bytes at `seedAt`. */
  readonly hash64: KernelExports['hash64'];
  /** The kernel's `layRecords`; all addresses are of this memory. */
  readonly layRecords: KernelExports['layRecords'];

  /** @throws RangeError where the process may not have the addresses that V8 reserves */
  constructor(lengthBytes: number) {
    const { buffer, functions } = instantiate(lengthBytes);
    this.bytes = new Uint8Array(buffer);
    this.hash64 = functions.hash64;
    this.layRecords = functions.layRecords;
  }
}

class Kernel {
  readonly buffer: ArrayBuffer;
  readonly functions: KernelExports;
  /** Where a delivery's line is put for `encodeRun`. */
  readonly line: Uint8Array<ArrayBuffer>;
  /** Where a sid and what is shown are put for `encodeAddressed`. */
  readonly sid: Uint8Array<ArrayBuffer>;
  readonly text: Uint8Array<ArrayBuffer>;
  readonly numbers: Float64Array;
  /** Where the messages of a run are put for `encodeShownRun`. */
  readonly shownRun: Uint8Array<ArrayBuffer>;
  readonly sidAddress: number;
  readonly textAddress: number;
  readonly numbersAddress: number;
  #used = 0;

  constructor() {
    const { buffer, functions } = instantiate(kernelMemoryBytes);
    this.buffer = buffer;
    this.functions = functions;
    this.line = this.take(lineRoomBytes) as Uint8Array<ArrayBuffer>;
    this.sid = this.take(kernelSidBytesMax) as Uint8Array<ArrayBuffer>;
    this.text = this.take(kernelLineBytesMax) as Uint8Array<ArrayBuffer>;
    this.shownRun = this.take(kernelShownRunBytesMax) as Uint8Array<ArrayBuffer>;
    this.numbersAddress = (this.take(8 * ackNumberCount) as Uint8Array).byteOffset;
    this.numbers = new Float64Array(this.buffer, this.numbersAddress, ackNumberCount);
    this.sidAddress = this.sid.byteOffset;
    this.textAddress = this.text.byteOffset;
  }

  take(lengthBytes: number): Uint8Array<ArrayBuffer> | null {
    const start = this.#used;
    // the last step of a copy may read as far behind what is copied
    if (start + lengthBytes + kernelOverrunBytes > this.buffer.byteLength) return null;
    this.#used = Math.ceil((start + lengthBytes) / alignment) * alignment;
    return new Uint8Array(this.buffer, start, lengthBytes);
  }
}

/** `undefined` until something is asked for. */
let kernel: Kernel | null | undefined;

/** V8 reserves addresses (not memory) around what a kernel uses; where a limit forbids that, everything goes without one. */
function createKernel(): Kernel | null {
  try {
    return new Kernel();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Takes bytes of the kernel's memory for as long as the thread lives; null when there are none. */
export function takeKernelBytes(lengthBytes: number): Uint8Array<ArrayBuffer> | null {
  if (kernel === undefined) kernel = createKernel();
  return kernel === null ? null : kernel.take(lengthBytes);
}

/** The same, with a buffer of its own where none is left. */
export function kernelOrOwnBytes(lengthBytes: number): Uint8Array<ArrayBuffer> {
  return takeKernelBytes(lengthBytes) ?? new Uint8Array(lengthBytes);
}

/** Where bytes lie in the kernel's memory; -1 for bytes outside of it. */
export function kernelAddress(bytes: Uint8Array): number {
  return kernel?.buffer === bytes.buffer ? bytes.byteOffset : -1;
}

/** Puts the beginning of a line, `bytes[start, end)`, at most `kernelLineBytesMax`, where `kernelEncodeRun` will find it. */
export function setKernelLine(bytes: Uint8Array, start: number, end: number): void {
  copyBytes((kernel as Kernel).line, 0, bytes, start, end);
}

/** A run, as `MessageView` has it: tables of `runMessagesMax` positions, one behind the other, all in the kernel's memory. */
interface KernelRun {
  readonly span: { readonly address: number };
  readonly positionsAddress: number;
  readonly count: number;
  readonly withReplies: boolean;
  readonly withHeaders: boolean;
}

const tableBytes = 4 * runMessagesMax;
/** The place of a view's table of these among its tables. */
const headerLengthsTable = 4;

/**
 * Encodes a run behind lines that begin with what was set, `prefixBytes` long, at the address `to`. Returns the address
 * behind it; up to `kernelOverrunBytes` from there on are overwritten.
 *
 * @param headersShown false where the messages' headers are left out
 */
export function kernelEncodeRun(to: number, prefixBytes: number, run: KernelRun, headersShown: boolean): number {
  const { functions, line } = kernel as Kernel;
  const { positionsAddress: positions, count } = run;
  const at = line.byteOffset;
  const base = run.span.address;
  if (!run.withReplies && !run.withHeaders)
    return functions.encodeRun(to, at, prefixBytes, base, positions, positions + tableBytes, count);
  const headers = run.withHeaders ? (headersShown ? 1 : 2) : 0;
  const replies = run.withReplies ? 1 : 0;
  return functions.encodeFullRun(to, at, prefixBytes, base, positions, tableBytes, count, replies, headers);
}

/**
 * Reads the messages that follow the first of a run, which are like it: with the same line up to their reply, their headers' or their own
 * length, and whole. Returns how many there are then.
 *
 * @param headless whether each line says that its headers have no bytes
 * @param base address of the bytes that `position`, where the first line begins, and the others lie in
 * @param prefixBytes what the lines have in common
 * @param next where the second line begins
 * @param lineBytesMax up to a line's end, with its keyword
 */
export function kernelExtendRun(
  run: KernelRun,
  headless: boolean,
  base: number,
  position: number,
  prefixBytes: number,
  next: number,
  end: number,
  payloadBytesMax: number,
  lineBytesMax: number,
): number {
  const { functions } = kernel as Kernel;
  const { positionsAddress: positions, withReplies, withHeaders } = run;
  const first = base + position;
  const second = base + next;
  const behind = base + end;
  if (!withReplies && !withHeaders && !headless)
    return functions.extendRun(
      first,
      prefixBytes,
      second,
      behind,
      base,
      positions,
      positions + tableBytes,
      1,
      runMessagesMax,
      payloadBytesMax,
    );
  return functions.extendFullRun(
    first,
    prefixBytes,
    second,
    behind,
    base,
    positions,
    tableBytes,
    1,
    runMessagesMax,
    payloadBytesMax,
    lineBytesMax,
    withReplies ? 1 : 0,
    headless ? 2 : Number(withHeaders),
  );
}

/** The kernel's `encodeMixed`; all addresses are the kernel's. */
export function kernelEncodeMixed(
  at: number,
  count: number,
  table: number,
  mask: number,
  generation: number,
  state: number,
  publishes: boolean,
): number {
  return (kernel as Kernel).functions.encodeMixed(at, count, table, mask, generation, state, publishes ? 1 : 0);
}

/** The lengths of the first `count` messages of a run together, in bytes; `count` is a multiple of eight, and not 0. */
export function kernelSumLengths({ positionsAddress }: Pick<KernelRun, 'positionsAddress'>, count: number): number {
  return (kernel as Kernel).functions.sumLengths(positionsAddress, positionsAddress + tableBytes, count);
}

/** The first message of a run in the kernel's memory, from `index` on, in whose headers block the name of where traces go stands; its count when there is none. */
export function kernelFindTraced({ span, positionsAddress, count }: KernelRun, index: number): number {
  const lengths = positionsAddress + headerLengthsTable * tableBytes;
  return (kernel as Kernel).functions.findTraced(positionsAddress, lengths, index, count, span.address);
}

/** The kernel's `learnTopic`; all addresses are the kernel's. */
export function kernelLearnTopic(plan: number, known: number): void {
  (kernel as Kernel).functions.learnTopic(plan, known);
}

/** The kernel's `publishKnown`; all addresses are the kernel's. */
export function kernelPublishKnown(
  at: number,
  end: number,
  count: number,
  budget: number,
  known: number,
  generation: number,
  state: number,
): number {
  return (kernel as Kernel).functions.publishKnown(at, end, count, budget, known, generation, state);
}

/** The kernel's `splitBlock`; all addresses are the kernel's. */
export function kernelSplitBlock(block: number, sets: number, gateway: number, to: number): number {
  return (kernel as Kernel).functions.splitBlock(block, sets, gateway, to);
}

/** Puts a sid between its spaces, `bytes[start, end)`, at most `kernelSidBytesMax`, where `kernelEncodeAddressed` will find it. */
export function setKernelSid(bytes: Uint8Array, start: number, end: number): void {
  copyBytes((kernel as Kernel).sid, 0, bytes, start, end);
}

/** Puts what an addressed delivery shows, `bytes[start, end)`, at most `kernelLineBytesMax`, where `kernelEncodeAddressed` will find it. */
export function setKernelText(bytes: Uint8Array, start: number, end: number): void {
  copyBytes((kernel as Kernel).text, 0, bytes, start, end);
}

/**
 * Writes the line of a delivery to an address from the sid and the text that were set, a subject and the beginning of a reply. Returns the
 * address behind it; up to `kernelOverrunBytes` from there on are overwritten.
 *
 * @param headerBytes 0 for a line that does not speak of headers
 * @param messageBytes of headers, where the line speaks of them, and payload
 * @param numbers what the reply ends with, as in `Shown`
 */
export function kernelEncodeAddressed(
  to: number,
  sidBytes: number,
  subjectBytes: number,
  replyBytes: number,
  headerBytes: number,
  messageBytes: number,
  numbers: Float64Array,
): number {
  const { functions, sidAddress, textAddress, numbersAddress, numbers: own } = kernel as Kernel;
  for (let i = 0; i < ackNumberCount; i++) own[i] = numbers[i];
  return functions.encodeAddressed(
    to,
    sidAddress,
    sidBytes,
    textAddress,
    subjectBytes,
    replyBytes,
    headerBytes,
    messageBytes,
    numbersAddress,
  );
}

/**
 * Encodes a run of messages that show what they are, `kernelShownRunBytesMax` at most, as deliveries to the sid that was set. Returns the
 * address behind them; up to `kernelOverrunBytes` from there on are overwritten.
 *
 * @param headersShown false where the messages' headers are left out
 */
export function kernelEncodeShownRun(to: number, sidBytes: number, run: ShownRun, headersShown: boolean): number {
  const { functions, sidAddress, shownRun } = kernel as Kernel;
  const { span, start, end, count } = run;
  const headers = headersShown ? 1 : 0;
  // the kernel reads a little beyond the end, which is why what is put together has room there
  if (span.address >= 0)
    return functions.encodeShownRun(to, span.address + start, count, sidAddress, sidBytes, headers);
  shownRun.set(span.bytes.subarray(start, end));
  return functions.encodeShownRun(to, shownRun.byteOffset, count, sidAddress, sidBytes, headers);
}

/** The kernel's function that lays records of a journal as messages of a run to an address: kernel.wat says what is what. */
export function kernelLayShown(): KernelExports['layShown'] {
  return (kernel as Kernel).functions.layShown;
}

/**
 * Lays texts at the address `to`, one for each message of a run, whose starts and ends they become: `prefixBytes` from `prefix` on, a whole
 * number, of which the first is `number`, below 2^53, `}` and CR LF. Up to `kernelOverrunBytes` behind the last are overwritten.
 */
export function kernelLayAcks(to: number, prefix: number, prefixBytes: number, number: number, run: KernelRun): void {
  const { functions } = kernel as Kernel;
  functions.layAcks(to, prefix, prefixBytes, number, run.span.address, run.positionsAddress, tableBytes, run.count);
}

/** Publishes as they were read: those from `position` to `end` in bytes at the address `base`. */
export interface KernelLines {
  readonly base: number;
  readonly position: number;
  readonly end: number;
  /** Up to a line's end, with its keyword. */
  readonly lineBytesMax: number;
}

/**
 * Lays out the first of some publishes, as far as the kernel can, as requests for whose subjects one topic stands; see `layRequests` in kernel.wat.
 *
 * @param prefix address of what their subjects have in common
 * @param run of which they become the first ones, each with a reply when it is one with replies
 * @param roomBytes what they and `kernelOverrunBytes` may take of its span
 * @param ends address of two tables, which get where the next line begins behind each, and the bytes of their payloads, up to each
 * @returns how many there are
 */
export function kernelLayRequests(
  { base, position, end, lineBytesMax }: KernelLines,
  prefix: number,
  prefixBytes: number,
  run: KernelRun,
  roomBytes: number,
  ends: number,
): number {
  const { address } = run.span;
  return (kernel as Kernel).functions.layRequests(
    base + position,
    base + end,
    base,
    prefix,
    prefixBytes,
    run.withReplies ? 1 : 0,
    lineBytesMax,
    address,
    address + roomBytes - kernelOverrunBytes,
    address,
    run.positionsAddress,
    tableBytes,
    ends,
    runMessagesMax,
  );
}

/** Reads a run of acknowledgements, two numbers of each to the address `acks`, up to the first that says more than that a message is done. @returns how many */
export function kernelReadAcks({ span, positionsAddress, count }: KernelRun, acks: number): number {
  return (kernel as Kernel).functions.readAcks(span.address, positionsAddress, tableBytes, count, acks);
}

/**
 * Encodes an addressed run as deliveries to the sid that was set. Returns the address behind them; up to `kernelOverrunBytes` from there on
 * are overwritten.
 */
export function kernelEncodeAnswers(to: number, sidBytes: number, run: KernelRun): number {
  const { functions, sidAddress } = kernel as Kernel;
  const { positionsAddress, count } = run;
  return functions.encodeAnswers(to, sidAddress, sidBytes, run.span.address, positionsAddress, tableBytes, count);
}
