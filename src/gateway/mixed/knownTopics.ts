import { kernelLearnTopic } from '../../base/kernel.js';
import { kernelKnownTopics, kernelSubjectBytesMax, knownMessagesMax, mixedPayloadBytesMax } from '../../base/limits.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import { FanoutPlan } from '../fanoutPlan.js';
import type { KernelPlan } from './kernelPlan.js';
import type { KernelPlans } from './kernelPlans.js';
import { becomes, entryBytes, known, knownHeaderBytes, knownSetEntries } from './layout.js';
import { KernelPart } from './memory.js';

const setBytes = knownSetEntries * entryBytes;
/** A set of entries is a line of memory. */
const entriesAt = (knownHeaderBytes + setBytes - 1) & -setBytes;

/** Most that the size of a message takes on its line, with the blank before it, in bytes. */
const sizeBytesMax = 11;

/** What a client may publish. */
export interface KnownLimits {
  readonly maxControlLineBytes: number;
  readonly maxPayloadBytes: number;
}

/** Told of messages that are published together, so many at most, and of which topic the last one is. */
export interface PublishedSamples {
  readonly within: number;
  noteTogether(last: Topic | null, readMs: number, messages: number): void;
}

/**
 * Topics that are published to, by their subjects: of messages whose topics' plans are known the kernel reads, looks up and encodes one after the
 * other without a step of JavaScript for each (docs/decisions/0055).
 */
export class KnownTopics {
  /** Messages that `publish` took last, the bytes of their payloads, and how many of them went to other shards. */
  published = 0;
  payloadBytes = 0;
  forwarded = 0;
  readonly #plans: KernelPlans;
  readonly #router: Router;
  readonly #table: KernelPart;

  constructor(plans: KernelPlans, router: Router, table: KernelPart) {
    this.#plans = plans;
    this.#router = router;
    this.#table = table;
    const { words, address } = table;
    words[known.seed] = router.topics.seed;
    words[known.seed + 1] = ~router.topics.seed;
    words[known.entries] = address + entriesAt;
    words[known.setMask] = kernelKnownTopics / knownSetEntries - 1;
  }

  /** Null when no memory is left for it. */
  static create(plans: KernelPlans, router: Router): KnownTopics | null {
    const table = KernelPart.take(entriesAt + kernelKnownTopics * entryBytes);
    return table === null ? null : new KnownTopics(plans, router, table);
  }

  /** Has the kernel know a topic that was just published to, if its messages are for it. */
  learn(topic: Topic): void {
    if (FanoutPlan.of(topic)?.kernelPlan?.known || topic.subject.length > kernelSubjectBytesMax) return;
    if (topic.live && this.#router.isFresh(topic) && this.#plans.refresh()) this.#learned(topic);
  }

  /**
   * Publishes messages of known topics, the first of which begins at the address `start`, as far as they are there before `end` and the share of
   * work lasts. Returns where the first begins that is to be published in another way.
   */
  publish(
    start: number,
    end: number,
    { maxControlLineBytes, maxPayloadBytes }: KnownLimits,
    samples: PublishedSamples,
    readMs: number,
  ): number {
    this.published = 0;
    this.payloadBytes = 0;
    this.forwarded = 0;
    if (!this.#plans.refresh()) return start;
    const { words } = this.#table;
    words[known.payloadBytesMax] = Math.min(mixedPayloadBytesMax, maxPayloadBytes);
    words[known.subjectBytesMax] = Math.min(kernelSubjectBytesMax, maxControlLineBytes - sizeBytesMax);
    let at = this.#publishSampled(start, end, samples, readMs);
    // what it is stuck at holds again, or has room, most often
    for (let stuck = this.#plans.stuckAt; stuck !== null && this.#renew(stuck); stuck = this.#plans.stuckAt) {
      const next = this.#publishSampled(at, end, samples, readMs);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  /** Publishes up to each message that is timed, as far as nothing else stops it. */
  #publishSampled(start: number, end: number, samples: PublishedSamples, readMs: number): number {
    const { work } = this.#router;
    for (let at = start; ; ) {
      const { within } = samples;
      const before = this.published;
      at = this.#publish(at, end, within);
      const published = this.published - before;
      if (published > 0) samples.noteTogether(this.#plans.lastTopic, readMs, published);
      if (published < within || this.published >= knownMessagesMax || work.spent) return at;
    }
  }

  #publish(at: number, end: number, within: number): number {
    const count = Math.min(within, knownMessagesMax - this.published);
    const { work } = this.#router;
    const budget = Math.max(1, Math.min(knownMessagesMax, work.limit - work.units));
    const next = this.#plans.publishKnown(at, end, count, budget, this.#table.address);
    this.published += count - this.#plans.left;
    this.payloadBytes += this.#plans.payloadBytes;
    this.forwarded += this.#plans.laid;
    return next;
  }

  #renew({ topic }: KernelPlan): boolean {
    const plan = this.#router.isFresh(topic) ? this.#learned(topic) : null;
    if (plan === null || plan.becomes === becomes.unknown || !this.#plans.relieve()) return false;
    return plan.becomes === becomes.forwarded || this.#plans.open(plan, this.#plans.stuckBytes);
  }

  /** The plan of a fresh topic, valid and known; null when it has none that the kernel could use. */
  #learned(topic: Topic): KernelPlan | null {
    const plan = this.#plans.planOf(topic, true);
    if (plan === null || plan.known) return plan;
    plan.known = true;
    kernelLearnTopic(plan.address, this.#table.address);
    return plan;
  }

  /** No subject leads to a plan any more. */
  clear(): void {
    this.#table.words.fill(0, entriesAt >> 2);
  }
}
