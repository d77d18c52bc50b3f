import { mainAccount } from '../base/account.js';
import { assert } from '../base/assert.js';
import { pooledBytes } from '../base/bytes.js';
import { heapPart } from '../base/heapPart.js';
import { planHeapPart, subjectBytesMax, topicIdleSweeps, topicNameBytesMax, topicsMax } from '../base/limits.js';
import { hashSpan, Span, spanEqualAt } from '../base/span.js';
import type { Topic, TopicPlan } from './topic.js';

const emptyPosition = -1;
const capacityMin = 256;
/** Positions looked at by one step of a sweep, at most, so that no step takes longer than a batch of messages. */
const sweepStepPositions = 8_192;
/** A table of so few positions takes more steps than it needs, since each of its topics costs a look, however little else there is to do. */
const smallTablePositions = 4_096;
const smallTableSteps = 8;

/** A full table is emptied to this part of its bounds. */
const evictedRatio = 63 / 64;

/** What plans may take of the thread's heap. */
const planBytesMax = heapPart(planHeapPart);

/** Makes the topic of a subject that is not in the table yet. */
export type MakeTopic = (subject: Uint8Array, slot: number, serial: number, hash: number, account: number) => Topic;

/**
 * Topics by account and subject: open addressing with linear probing over typed arrays, so that finding a topic costs its hash and
 * one comparison and allocates nothing. The hash is seeded per process: clients choose subjects, and must not be able
 * to choose collisions.
 */
export class TopicTable {
  /** Of the hashes of subjects in this process. */
  readonly seed: number;
  readonly #make: MakeTopic;
  readonly #forget: (topic: Topic) => void;
  #mask = capacityMin - 1;
  /** Of each position, the slot of its topic, or `emptyPosition`, and its hash beside that: one line of memory for both. */
  #positions = new Int32Array(2 * capacityMin).fill(emptyPosition);
  readonly #topics: (Topic | null)[] = [];
  readonly #freeSlots: number[] = [];
  /** Where `find` writes the subject that it looks for. */
  readonly #sought = new Span(new Uint8Array(subjectBytesMax));
  #size = 0;
  #serial = 0;
  /** Number of the sweep under way: topics are marked with it when they are used. */
  sweep = 0;
  #sweepPosition = 0;
  #evictSlot = 0;
  #planSlot = 0;
  /** What topics' names take, which lie in memory as bytes and as text, and what their plans do. */
  #nameBytes = 0;
  #planBytes = 0;

  /** @param forget told of every topic that leaves the table */
  constructor(seed: number, make: MakeTopic, forget: (topic: Topic) => void) {
    this.seed = seed;
    this.#make = make;
    this.#forget = forget;
  }

  get #capacity(): number {
    return this.#mask + 1;
  }

  get size(): number {
    return this.#size;
  }

  /** Memory that the topics' names and plans take, about, in bytes. */
  get heldBytes(): number {
    return this.#nameBytes + this.#planBytes;
  }

  /**
   * Gives a topic another plan, or none, and settles the one before. Plans can be made again: when they take more than they may,
   * others' go, in turn.
   */
  setPlan(topic: Topic, plan: TopicPlan | null): void {
    topic.plan?.retire();
    if (topic.live)
      this.#planBytes += (plan === null ? 0 : plan.heldBytes) - (topic.plan === null ? 0 : topic.plan.heldBytes);
    topic.plan = plan;
    if (plan !== null && this.#planBytes > planBytesMax) this.#dropPlans(topic);
  }

  /** The topic of the subject `bytes[start, end)`, made when it is not there. */
  obtain(span: Span, start: number, end: number, account = mainAccount): Topic {
    const hash = hashSpan(span, start, end, this.seed ^ account);
    return this.#lookup(hash, span, start, end, account) ?? this.#insert(hash, span, start, end, account);
  }

  /** The topic of the subject `bytes[start, end)` if the table has it. */
  at(span: Span, start: number, end: number, account = mainAccount): Topic | null {
    return this.#lookup(hashSpan(span, start, end, this.seed ^ account), span, start, end, account);
  }

  /** The topic of a subject if the table has it. */
  find(subject: string, account = mainAccount): Topic | null {
    const length = subject.length;
    if (length > this.#sought.bytes.length) return null;
    for (let i = 0; i < length; i++) this.#sought.bytes[i] = subject.charCodeAt(i);
    return this.#lookup(hashSpan(this.#sought, 0, length, this.seed ^ account), this.#sought, 0, length, account);
  }

  forEach(visit: (topic: Topic) => void): void {
    for (const topic of this.#topics) if (topic) visit(topic);
  }

  #lookup(hash: number, span: Span, start: number, end: number, account: number): Topic | null {
    const length = end - start;
    const word = hash | 0;
    for (let position = hash & this.#mask; ; position = (position + 1) & this.#mask) {
      const slot = this.#positions[2 * position];
      if (slot === emptyPosition) return null;
      if (this.#positions[2 * position + 1] !== word) continue;
      const topic = this.#topics[slot];
      assert(topic !== null, 'a slot that is placed has its topic');
      if (topic.account === account && topic.end - topic.start === length && spanEqualAt(span, start, topic))
        return topic;
    }
  }

  #insert(hash: number, span: Span, start: number, end: number, account: number): Topic {
    const subject = pooledBytes(end - start);
    subject.set(span.bytes.subarray(start, end));
    const nameBytes = 2 * subject.length;
    if (this.#size >= topicsMax || this.#nameBytes + nameBytes > topicNameBytesMax) this.#evictSome(nameBytes);
    this.#nameBytes += nameBytes;
    if ((this.#size + 1) * 2 > this.#capacity) this.#resize(this.#capacity * 2);
    const slot = this.#freeSlots.pop() ?? this.#topics.length;
    const topic = this.#make(subject, slot, ++this.#serial, hash, account);
    topic.usedSweep = this.sweep;
    this.#topics[slot] = topic;
    this.#place(hash, slot);
    this.#size++;
    return topic;
  }

  #place(hash: number, slot: number): void {
    let position = hash & this.#mask;
    while (this.#positions[2 * position] !== emptyPosition) position = (position + 1) & this.#mask;
    this.#positions[2 * position] = slot;
    this.#positions[2 * position + 1] = hash;
  }

  #resize(capacity: number): void {
    this.#mask = capacity - 1;
    this.#positions = new Int32Array(2 * capacity).fill(emptyPosition);
    this.#sweepPosition = 0;
    for (const topic of this.#topics) if (topic) this.#place(topic.hash, topic.slot);
  }

  /** Whether the next step begins a sweep. */
  get sweepBegins(): boolean {
    return this.#sweepPosition === 0;
  }

  /**
   * One step of forgetting topics that were not used for a while; `visit` sees the others. Called now and then, it goes
   * over the table again and again. Returns whether it reached the table's end.
   */
  sweepStep(visit: (topic: Topic) => void): boolean {
    const step = this.#capacity > smallTablePositions ? sweepStepPositions : this.#capacity / smallTableSteps;
    const end = Math.min(this.#sweepPosition + step, this.#capacity);
    for (let position = this.#sweepPosition; position < end; ) {
      const slot = this.#positions[2 * position];
      const topic = slot === emptyPosition ? null : this.#topics[slot];
      if (topic && this.sweep - topic.usedSweep >= topicIdleSweeps && topic.endpointsFull === null) {
        this.#removeAt(position);
        continue; // another topic may have moved here
      }
      if (topic) visit(topic);
      position++;
    }
    this.#sweepPosition = end;
    if (end < this.#capacity) return false;
    this.#sweepPosition = 0;
    this.sweep++;
    if (this.#capacity > capacityMin && this.#size * 8 < this.#capacity) {
      this.#resize(Math.max(capacityMin, this.#capacity >> 2));
      while (this.#topics.length > 0 && this.#topics[this.#topics.length - 1] === null) this.#topics.pop();
      const kept = this.#freeSlots.filter((slot) => slot < this.#topics.length);
      this.#freeSlots.length = 0;
      for (const slot of kept) this.#freeSlots.push(slot);
    }
    return true;
  }

  /**
   * Makes room in a full table: the next topics by slot are forgotten, whoever uses one of them finds it anew. By slot and
   * not by position, since a hand that went over the positions would leave them empty behind it and crowded before it.
   *
   * @param nameBytes what the name of one more takes
   */
  #evictSome(nameBytes: number): void {
    const sizeMax = topicsMax * evictedRatio;
    const bytesMax = topicNameBytesMax * evictedRatio - nameBytes;
    const over = () => this.#size > sizeMax || this.#nameBytes > bytesMax;
    for (let looked = 0; looked < this.#topics.length && over(); looked++) {
      this.#evictSlot = this.#evictSlot + 1 < this.#topics.length ? this.#evictSlot + 1 : 0;
      const topic = this.#topics[this.#evictSlot];
      if (!topic || topic.endpointsFull !== null) continue;
      this.#removeAt(this.#positionOf(topic));
    }
  }

  #dropPlans(except: Topic): void {
    for (let looked = 0; this.#planBytes > planBytesMax && looked < this.#topics.length; looked++) {
      this.#planSlot = this.#planSlot + 1 < this.#topics.length ? this.#planSlot + 1 : 0;
      const topic = this.#topics[this.#planSlot];
      if (topic && topic !== except && topic.plan !== null) this.setPlan(topic, null);
    }
  }

  #positionOf(topic: Topic): number {
    let position = topic.hash & this.#mask;
    while (this.#positions[2 * position] !== topic.slot) position = (position + 1) & this.#mask;
    return position;
  }

  /** Removes the topic at a position and closes the gap that it leaves in its run of probes. */
  #removeAt(position: number): void {
    const slot = this.#positions[2 * position];
    const topic = this.#topics[slot];
    assert(topic?.live === true, 'a topic is removed once');
    this.setPlan(topic, null);
    this.#nameBytes -= 2 * topic.subject.length;
    topic.live = false;
    this.#topics[slot] = null;
    this.#freeSlots.push(slot);
    this.#size--;
    let gap = position;
    for (
      let next = (gap + 1) & this.#mask;
      this.#positions[2 * next] !== emptyPosition;
      next = (next + 1) & this.#mask
    ) {
      const home = this.#positions[2 * next + 1] & this.#mask;
      // the topic at `next` may move into the gap unless its home lies behind the gap
      if (((next - home) & this.#mask) < ((next - gap) & this.#mask)) continue;
      this.#positions.copyWithin(2 * gap, 2 * next, 2 * next + 2);
      gap = next;
    }
    this.#positions[2 * gap] = emptyPosition;
    this.#forget(topic);
  }
}
