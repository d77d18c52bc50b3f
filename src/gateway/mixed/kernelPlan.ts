import { kernelOverrunBytes } from '../../base/kernel.js';
import type { Place } from '../../base/span.js';
import type { BlockRoute } from '../../exchange/roles.js';
import type { Topic } from '../../router/topic.js';
import type { Egress } from '../egress.js';
import type { FanoutPlan } from '../fanoutPlan.js';
import type { Unsettled } from '../unsettled.js';
import { headRoomBytes, part, partHeaderBytes, plan, planHeaderBytes } from './layout.js';
import type { KernelPart } from './memory.js';
import type { KernelOutput } from './outputs.js';

/** Lines that one output gets of each message. */
export interface PlanPart {
  readonly output: KernelOutput;
  readonly lines: readonly Place[];
}

/** What a plan takes, in bytes. */
export function planBytes({ subject }: Topic, parts: readonly PlanPart[]): number {
  return parts.reduce((sum, each) => sum + partBytes(each), headBytes(subject));
}

/** What stands before a plan's parts, in bytes, a multiple of 4. */
function headBytes(subject: Uint8Array): number {
  return planHeaderBytes + ((subject.length + 3) & ~3);
}

function partBytes({ lines }: PlanPart): number {
  return lines.reduce((sum, line) => sum + lineBytes(line), partHeaderBytes);
}

/** A line with its length before it, a multiple of 4. */
function lineBytes({ start, end }: Place): number {
  return 4 + ((end - start + 3) & ~3);
}

/** What each message takes of an output beside its payload, in bytes, with what a copy overruns. */
function fixedBytes(lines: readonly Place[]): number {
  return lines.reduce((sum, { start, end }) => sum + end - start + headRoomBytes, kernelOverrunBytes);
}

/** Where plans are listed by their numbers, and what they deliver is counted. */
export interface PlansHome {
  readonly plans: (KernelPlan | null)[];
  readonly unsettled: Unsettled;
  /** The sweep that topics used now are used in. */
  readonly sweep: number;
}

/** What becomes of messages that are published to a topic, and how they are passed on, if they are. */
export interface Publishing {
  readonly becomes: number;
  readonly route: BlockRoute | null;
}

/** A topic's plan in the kernel's memory, until it is retired. */
export class KernelPlan {
  readonly address: number;
  /** The version of the classes of outputs for which it holds. */
  readonly classVersion: number;
  /** Its number among all plans. */
  readonly number: number;
  readonly topic: Topic;
  /** Whether the kernel finds it by its topic's subject. */
  known = false;
  readonly #home: PlansHome;
  readonly #fanout: FanoutPlan;
  readonly #parts: readonly PlanPart[];
  readonly #words: Int32Array;
  readonly #word: number;

  /** @param at where in the memory it is written, a multiple of 4 */
  constructor(
    home: PlansHome,
    topic: Topic,
    fanout: FanoutPlan,
    parts: readonly PlanPart[],
    memory: KernelPart,
    at: number,
    classVersion: number,
  ) {
    this.#home = home;
    this.topic = topic;
    this.#fanout = fanout;
    this.#parts = parts;
    this.#words = memory.words;
    this.#word = at >> 2;
    this.address = memory.address + at;
    this.classVersion = classVersion;
    this.number = home.plans.length;
    home.plans.push(this);
    fanout.kernelPlan = this;
    this.#write(memory, at);
  }

  #write({ words, bytes }: KernelPart, start: number): void {
    const word = this.#word;
    words[word + plan.messages] = 0;
    words[word + plan.number] = this.number;
    words[word + plan.parts] = this.#parts.length;
    words[word + plan.laid] = 0;
    words[word + plan.published] = 0;
    words[word + plan.slot] = this.topic.slot;
    const { subject } = this.topic;
    words[word + plan.partsAt] = headBytes(subject);
    words[word + plan.subjectBytes] = subject.length;
    bytes.set(subject, start + planHeaderBytes);
    let at = start + headBytes(subject);
    for (const each of this.#parts) {
      words[(at >> 2) + part.output] = each.output.address;
      words[(at >> 2) + part.heads] = each.lines.length;
      words[(at >> 2) + part.fixedBytes] = fixedBytes(each.lines);
      words[(at >> 2) + part.partBytes] = partBytes(each);
      at += partHeaderBytes;
      for (const line of each.lines) {
        words[at >> 2] = line.end - line.start;
        bytes.set(line.span.bytes.subarray(line.start, line.end), at + 4);
        at += lineBytes(line);
      }
    }
  }

  /** It holds from now on, for this generation, and while `version` is what stands at an address. */
  validate(generation: number, versionAt: number, version: number, { becomes, route }: Publishing): void {
    this.#words[this.#word + plan.becomes] = becomes;
    this.#words[this.#word + plan.block] = route === null ? 0 : route.address;
    this.#words[this.#word + plan.target] = route === null ? 0 : route.target;
    this.#words[this.#word + plan.generation] = generation;
    this.#words[this.#word + plan.versionAt] = versionAt;
    this.#words[this.#word + plan.version] = version;
  }

  /** Whether it is valid for that generation and version. */
  isCurrent(generation: number, version: number): boolean {
    return (
      this.#words[this.#word + plan.generation] === generation && this.#words[this.#word + plan.version] === version
    );
  }

  /** What becomes of messages that are published to its topic. */
  get becomes(): number {
    return this.#words[this.#word + plan.becomes];
  }

  /** Opens its outputs, with room for a message; false when one of them lies outside of the kernel's memory. */
  open(egress: Egress, payloadBytes: number): boolean {
    return this.#parts.every(({ output, lines }) =>
      egress.openOutput(output, fixedBytes(lines) + lines.length * payloadBytes),
    );
  }

  /** Counts what the kernel has delivered by it, and marks its topic as used. */
  settle(): void {
    const messages = this.#words[this.#word + plan.messages];
    if (messages === 0 && this.#words[this.#word + plan.laid] === 0) return;
    this.#words[this.#word + plan.messages] = 0;
    this.#words[this.#word + plan.laid] = 0;
    this.topic.usedSweep = this.#home.sweep;
    if (messages === 0) return;
    this.topic.published += this.#words[this.#word + plan.published];
    this.#words[this.#word + plan.published] = 0;
    for (const entry of this.#fanout.entries) entry.count(messages, this.#home.unsettled);
  }

  /** Its last count; the kernel uses it no more, and nothing leads to it. Its place is free when all plans are forgotten. */
  retire(): void {
    this.settle();
    this.#words[this.#word + plan.generation] = 0;
    this.#fanout.kernelPlan = null;
    this.#home.plans[this.number] = null;
  }
}
