import type { Audience } from '../audience.js';
import { output, outputBytes } from './layout.js';
import type { KernelPart } from './memory.js';

/** Where the kernel writes for an audience, as long as it is open. */
export class KernelOutput {
  readonly audience: Audience;
  /** Its address in the kernel's memory. */
  readonly address: number;
  readonly #words: Int32Array;
  readonly #word: number;

  constructor(audience: Audience, memory: KernelPart, number: number) {
    this.audience = audience;
    this.address = memory.address + number * outputBytes;
    this.#words = memory.words;
    this.#word = (number * outputBytes) >> 2;
    this.close();
    this.#words[this.#word + output.messages] = 0;
    this.#words[this.#word + output.bytes] = 0;
  }

  /** The kernel may write from one address to another. */
  open(cursor: number, limit: number): void {
    this.#words[this.#word + output.cursor] = cursor;
    this.#words[this.#word + output.limit] = limit;
  }

  /** The kernel stops here: the audience has been written to, or is no longer open. */
  close(): void {
    this.#words[this.#word + output.limit] = 0;
  }

  /** How far the kernel has come. */
  get cursor(): number {
    return this.#words[this.#word + output.cursor];
  }

  /** Messages that the kernel has written since it was last asked. */
  takeMessages(): number {
    const messages = this.#words[this.#word + output.messages];
    this.#words[this.#word + output.messages] = 0;
    return messages;
  }

  /** Bytes of their payloads. */
  takeMessageBytes(): number {
    const bytes = this.#words[this.#word + output.bytes];
    this.#words[this.#word + output.bytes] = 0;
    return bytes;
  }
}

/** The outputs there are. */
export class KernelOutputs {
  readonly #memory: KernelPart;
  readonly #outputs: KernelOutput[] = [];
  readonly #max: number;

  constructor(memory: KernelPart) {
    this.#memory = memory;
    this.#max = Math.floor(memory.bytes.length / outputBytes);
  }

  /** The audience's output; null when there are too many. */
  of(audience: Audience): KernelOutput | null {
    if (audience.kernelOutput !== null) return audience.kernelOutput;
    if (this.#outputs.length === this.#max) return null;
    audience.kernelOutput = new KernelOutput(audience, this.#memory, this.#outputs.length);
    this.#outputs.push(audience.kernelOutput);
    return audience.kernelOutput;
  }

  /** The output at an address. */
  at(address: number): KernelOutput {
    return this.#outputs[(address - this.#memory.address) / outputBytes];
  }

  /** Forgets all of them: no plan leads to one any more. */
  clear(): void {
    for (const { audience } of this.#outputs) audience.kernelOutput = null;
    this.#outputs.length = 0;
  }
}
