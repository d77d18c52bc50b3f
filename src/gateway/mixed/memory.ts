import { takeKernelBytes } from '../../base/kernel.js';
import { kernelOutputsMax, kernelPlansBytesMax, kernelPlansMax, mixedRecordBytesMax } from '../../base/limits.js';
import { outputBytes, state, stateBytes } from './layout.js';

/** Bytes of the kernel's memory, taken for good, and the same as words. */
export class KernelPart {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly address: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    this.address = bytes.byteOffset;
  }

  /** Null when there is no memory left, or no kernel. */
  static take(lengthBytes: number): KernelPart | null {
    const bytes = takeKernelBytes(lengthBytes);
    return bytes === null ? null : new KernelPart(bytes);
  }
}

/** Behind what was loaded: copies read in steps of sixteen bytes. */
const loadedSpareBytes = 64;
const loadedBytes = mixedRecordBytesMax + loadedSpareBytes;
const alignment = 64;

/** What the kernel works with beside the tables of lanes. */
export class MixedMemory {
  readonly #all: KernelPart;
  #used = 0;
  /** The record that is looked at. */
  readonly loaded: KernelPart;
  readonly state: KernelPart;
  /** The versions of interest. */
  readonly versions: KernelPart;
  readonly plans: KernelPart;
  readonly outputs: KernelPart;
  readonly outputsList: KernelPart;
  readonly plansList: KernelPart;

  private constructor(all: KernelPart, versionsBytes: number) {
    this.#all = all;
    this.loaded = this.#part(loadedBytes);
    this.state = this.#part(stateBytes);
    this.versions = this.#part(versionsBytes);
    this.plans = this.#part(kernelPlansBytesMax);
    this.outputs = this.#part(kernelOutputsMax * outputBytes);
    this.outputsList = this.#part(kernelOutputsMax * 4);
    this.plansList = this.#part(kernelPlansMax * 4);
    this.state.words[state.outputsList] = this.outputsList.address;
    this.state.words[state.plansList] = this.plansList.address;
  }

  /** Null when there is no memory left, or no kernel. */
  static take(versionsBytes: number): MixedMemory | null {
    const lists = kernelOutputsMax * (outputBytes + 4) + kernelPlansMax * 4;
    const parts = 7;
    const all = KernelPart.take(
      loadedBytes + stateBytes + versionsBytes + kernelPlansBytesMax + lists + parts * alignment,
    );
    return all === null ? null : new MixedMemory(all, versionsBytes);
  }

  /** Whether a record's messages fit where they are loaded, in bytes. */
  hasRoomFor(lengthBytes: number): boolean {
    return lengthBytes <= loadedBytes - loadedSpareBytes;
  }

  #part(lengthBytes: number): KernelPart {
    const start = this.#used;
    this.#used += Math.ceil(lengthBytes / alignment) * alignment;
    return new KernelPart(this.#all.bytes.subarray(start, start + lengthBytes));
  }
}
