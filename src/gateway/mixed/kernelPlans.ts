import { mainAccount } from '../../base/account.js';
import { kernelEncodeMixed, kernelPublishKnown } from '../../base/kernel.js';
import {
  kernelLanesMax,
  kernelPlanBytesMax,
  kernelPlanOutputsMax,
  kernelPlansBytesMax,
  kernelPlansMax,
} from '../../base/limits.js';
import type { Place } from '../../base/span.js';
import { cost } from '../../base/work.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { MixedLane } from '../../exchange/roles.js';
import type { Router } from '../../router/router.js';
import type { Topic } from '../../router/topic.js';
import type { Backpressure } from '../backpressure.js';
import type { Egress } from '../egress.js';
import type { FanoutPlan, PlanEntry } from '../fanoutPlan.js';
import type { Looks } from '../looks.js';
import type { Unsettled } from '../unsettled.js';
import { KernelPlan, type PlanPart, type PlansHome, type Publishing, planBytes } from './kernelPlan.js';
import { KnownTopics } from './knownTopics.js';
import { becomes, plan, state } from './layout.js';
import { MixedMemory } from './memory.js';
import { MixedTable } from './mixedTable.js';
import { OutputClasses } from './outputClasses.js';
import { KernelOutputs } from './outputs.js';

/** Connections with an output of their own get the same bytes one by one; a shared way is better for more than so many for one. */
const outputsPerEntryMax = 8;
/** Sweeps between two times that all may be forgotten and learned anew. */
const restartSweeps = 10;

/** What plans in the kernel's memory are made of, and depend on. */
export interface Delivering {
  readonly router: Router;
  readonly egress: Egress;
  readonly backpressure: Pick<Backpressure, 'any'>;
  readonly looks: Looks;
  readonly unsettled: Unsettled;
  /** What leads to other threads. */
  readonly exchange: Pick<Exchange<Topic>, 'fanOut' | 'publishBlocks' | 'sequences' | 'shards'>;
  /** The topic's plan, made where it has none; it is fresh. */
  planOf(topic: Topic): FanoutPlan;
}

/**
 * Plans of topics in the kernel's memory, for mixed runs: where only plain subscriptions take a topic, the kernel encodes its messages
 * without a step of JavaScript for each (docs/decisions/0031). What becomes out of date does not hold any more; all is forgotten and
 * learned anew when memory is used up or connections have gone.
 */
export class KernelPlans implements PlansHome {
  /** Messages that the kernel has encoded since the start. */
  encoded = 0;
  /** By their numbers; null where one was retired. */
  readonly plans: (KernelPlan | null)[] = [];
  readonly #delivering: Delivering;
  readonly #memory: MixedMemory;
  readonly #outputs: KernelOutputs;
  readonly #classes = new OutputClasses();
  readonly #lanes: MixedTable[] = [];
  #topics: KnownTopics | null = null;
  #usedBytes = 0;
  /** Whether something did not fit. */
  #full = false;
  #generation = 1;
  #looksVersion = 0;
  #interestVersion = -1;
  #classVersion = 0;
  #routesVersion = -1;
  #sweeps = 0;
  /** Versions at the last time that all was forgotten, or might have been. */
  #restartLooks = 0;
  #restartInterest = -1;

  constructor(delivering: Delivering, memory: MixedMemory) {
    this.#delivering = delivering;
    this.#memory = memory;
    this.#outputs = new KernelOutputs(memory.outputs);
  }

  /** Null where there is no kernel, or no memory of it left. */
  static create(delivering: Delivering): KernelPlans | null {
    const memory = MixedMemory.take(delivering.router.interest.versions.byteLength);
    return memory === null ? null : new KernelPlans(delivering, memory);
  }

  /**
   * What a lane's mixed runs are given to; null when there are too many lanes, or no memory is left for it.
   *
   * @param publishes whether its messages are still to be put in order
   */
  laneOf(publishes: boolean): MixedLane<Topic> | null {
    const lane = this.#lanes.length === kernelLanesMax ? null : MixedTable.create(this, publishes);
    if (lane !== null) this.#lanes.push(lane);
    return lane;
  }

  /** Topics that are published to; null when no memory is left for them. */
  topics(): KnownTopics | null {
    this.#topics ??= KnownTopics.create(this, this.#delivering.router);
    return this.#topics;
  }

  get unsettled(): Unsettled {
    return this.#delivering.unsettled;
  }

  get sweep(): number {
    return this.#delivering.router.topics.sweep;
  }

  /** Takes notice of what has changed; returns whether the kernel may encode now. */
  refresh(): boolean {
    const { router, looks, backpressure } = this.#delivering;
    // somebody looks at every delivery
    if (backpressure.any) return false;
    if (router.interest.version !== this.#interestVersion) {
      this.#interestVersion = router.interest.version;
      this.#memory.versions.words.set(router.interest.versions);
    }
    if (looks.version !== this.#looksVersion) this.#nextGeneration();
    this.#review();
    return true;
  }

  /** No plan is used that says what does not hold any more. */
  #review(): void {
    const { fanOut } = this.#delivering.exchange;
    if (this.#classes.version !== this.#classVersion || fanOut.version !== this.#routesVersion) this.#nextGeneration();
  }

  /** Puts the messages of a record where the kernel reads; returns their address, -1 when there is no room for them. */
  load(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#memory.hasRoomFor(end - start)) return -1;
    this.#memory.loaded.bytes.set(bytes.subarray(start, end));
    return this.#memory.loaded.address;
  }

  /**
   * The plan of a fresh topic, valid; null when it has none that the kernel could use.
   *
   * @param publishes whether it is to say what becomes of messages that are published, too
   */
  planOf(topic: Topic, publishes: boolean): KernelPlan | null {
    const { looks, router } = this.#delivering;
    const fanout = this.#delivering.planOf(topic);
    if (!fanout.isCurrent(looks) || !fanout.isPlain || topic.isDear) return null;
    const known = this.#known(topic, fanout);
    if (known === null) return null;
    const publishing = publishes ? this.#publishingOf(topic) : unknown;
    this.#review();
    const version = router.interest.versions[topic.bucket];
    if (!publishes && known.isCurrent(this.#generation, version)) return known;
    known.validate(this.#generation, this.#memory.versions.address + topic.bucket * 4, version, publishing);
    return known;
  }

  /** What becomes of messages that are published to a fresh topic. */
  #publishingOf(topic: Topic): Publishing {
    const { router, exchange } = this.#delivering;
    const { owner, remotes } = topic;
    if (!isPlain(topic)) return unknown;
    // what nobody wants ends where it is read, whoever would put it in order
    if (!topic.wanted) return delivered;
    if (owner !== router.self) {
      const route = exchange.publishBlocks.route(owner, topic);
      return route === null ? unknown : { becomes: becomes.forwarded, route };
    }
    if (remotes.length === 0) return delivered;
    const route = exchange.fanOut.route(remotes, topic);
    return route === null ? unknown : { becomes: becomes.delivered, route };
  }

  /** Opens a plan's outputs; false when one of them lies outside of the kernel's memory. */
  open(known: KernelPlan, payloadBytes: number): boolean {
    return known.open(this.#delivering.egress, payloadBytes);
  }

  /**
   * Encodes what was loaded, from an address on; returns the address of the first message that it did not take.
   *
   * @param publishes whether the messages are still to be put in order
   */
  encode(at: number, count: number, table: number, mask: number, publishes: boolean): number {
    const { words, address } = this.#memory.state;
    words[state.deliveries] = 0;
    this.#review();
    const end = kernelEncodeMixed(at, count, table, mask, this.#generation, address, publishes);
    const encoded = count - words[state.left];
    this.#take(encoded);
    if (publishes) this.#delivering.exchange.shards[this.#delivering.router.self].onSequenced(encoded);
    return end;
  }

  /**
   * Publishes messages of known topics, the first of them at `at`, as far as they are there before `end`; returns the address of the first that
   * it did not take.
   *
   * @param budget deliveries behind which it stops
   */
  publishKnown(at: number, end: number, count: number, budget: number, table: number): number {
    const { words, address } = this.#memory.state;
    words[state.deliveries] = 0;
    words[state.laid] = 0;
    this.#review();
    this.#delivering.exchange.publishBlocks.measure();
    const next = kernelPublishKnown(at, end, count, budget, table, this.#generation, address);
    this.#take(count - words[state.left]);
    this.#delivering.exchange.publishBlocks.flush();
    return next;
  }

  /** Bytes of the messages that were published last. */
  get payloadBytes(): number {
    return this.#memory.state.words[state.payloads];
  }

  /** Messages that were laid out for other shards when it was last published. */
  get laid(): number {
    return this.#memory.state.words[state.laid];
  }

  /** Writes into the lanes what waits for room in a block; returns whether more may be put in order then. */
  relieve(): boolean {
    const { fanOut, sequences } = this.#delivering.exchange;
    if (!fanOut.empty) fanOut.flush();
    return sequences;
  }

  /** The plan at whose message publishing stopped, still in use; null when it is not known. */
  get stuckAt(): KernelPlan | null {
    return this.#planAt(this.#memory.state.words[state.stuckAt]);
  }

  /** The topic of the message that was published last. */
  get lastTopic(): Topic | null {
    return this.#planAt(this.#memory.state.words[state.last])?.topic ?? null;
  }

  #planAt(at: number): KernelPlan | null {
    if (at === 0) return null;
    return this.plans[this.#memory.plans.words[((at - this.#memory.plans.address) >> 2) + plan.number]];
  }

  /** What that message takes, in bytes. */
  get stuckBytes(): number {
    return this.#memory.state.words[state.size];
  }

  /** How many of the messages it did not take. */
  get left(): number {
    return this.#memory.state.words[state.left];
  }

  /** Counts what the kernel has delivered by the entries of plans, and marks topics as used. */
  settle(): void {
    const { words } = this.#memory.state;
    const list = this.#memory.plansList.words;
    for (let i = 0; i < words[state.plans]; i++) this.plans[list[i]]?.settle();
    words[state.plans] = 0;
  }

  /** A step of forgetting what nobody uses is next. */
  beforeSweep(): void {
    // once a sweep marks in time what is used in it
    if (this.#delivering.router.topics.sweepBegins) this.settle();
    if (++this.#sweeps < restartSweeps) return;
    this.#sweeps = 0;
    const { router, looks } = this.#delivering;
    const regrouped = this.#classes.anyApart && router.interest.version !== this.#restartInterest;
    if (this.#full || regrouped || looks.version !== this.#restartLooks) this.#restart();
    this.#restartInterest = router.interest.version;
    this.#restartLooks = looks.version;
  }

  #known(topic: Topic, fanout: FanoutPlan): KernelPlan | null {
    const known = fanout.kernelPlan;
    if (known !== null && known.classVersion === this.#classes.version) return known;
    known?.retire();
    if (fanout.repeated) return this.#full || fanout.unsuited ? null : this.#make(topic, fanout);
    // what is delivered once is not worth a plan
    fanout.repeated = true;
    return null;
  }

  #make(topic: Topic, fanout: FanoutPlan): KernelPlan | null {
    this.#delivering.router.work.units += cost.plan;
    const parts = this.#partsOf(fanout.entries);
    if (this.#full) return null;
    const lengthBytes = parts === null ? 0 : (planBytes(topic, parts) + 15) & ~15;
    if (parts === null || lengthBytes > kernelPlanBytesMax) {
      fanout.unsuited = true;
      return null;
    }
    const at = this.#usedBytes;
    this.#full = at + lengthBytes > kernelPlansBytesMax || this.plans.length === kernelPlansMax;
    if (this.#full) return null;
    this.#usedBytes += lengthBytes;
    return new KernelPlan(this, topic, fanout, parts, this.#memory.plans, at, this.#classes.version);
  }

  /** The parts of a plan, all by the same classes: what comes later among the entries may set apart what comes before. */
  #partsOf(entries: readonly PlanEntry[]): PlanPart[] | null {
    if (entries.length > kernelPlanOutputsMax || !entries.every(isForKernel)) return null;
    for (;;) {
      const { version } = this.#classes;
      const parts = this.#partsNow(entries);
      if (this.#classes.version === version) return parts;
    }
  }

  #partsNow(entries: readonly PlanEntry[]): PlanPart[] | null {
    const most = Math.min(kernelPlanOutputsMax, entries.length * outputsPerEntryMax);
    const parts: PlanPart[] = [];
    for (const { audience, heads } of entries) {
      const lines = heads.map(({ line }) => line as Place);
      const audiences = this.#classes.split(audience);
      if (parts.length + audiences.length > most) return null;
      for (const each of audiences) {
        const output = this.#outputs.of(each);
        if (output === null) {
          this.#full = true;
          return null;
        }
        parts.push({ output, lines });
      }
    }
    return parts;
  }

  /** No plan holds that is not looked at again. */
  #nextGeneration(): void {
    this.#looksVersion = this.#delivering.looks.version;
    this.#classVersion = this.#classes.version;
    this.#routesVersion = this.#delivering.exchange.fanOut.version;
    this.#generation++;
  }

  /** So many messages were encoded. */
  #take(messages: number): void {
    this.encoded += messages;
    this.#delivering.router.work.units += messages + this.#memory.state.words[state.deliveries];
    this.#collect();
    this.#delivering.exchange.fanOut.notice();
  }

  /** Tells the audiences what the kernel wrote for them. */
  #collect(): void {
    const { words } = this.#memory.state;
    const list = this.#memory.outputsList.words;
    for (let i = 0; i < words[state.outputs]; i++) this.#delivering.egress.takeOutput(this.#outputs.at(list[i]));
    words[state.outputs] = 0;
  }

  #restart(): void {
    this.settle();
    for (const each of this.plans) each?.retire();
    this.plans.length = 0;
    for (const lane of this.#lanes) lane.clear();
    this.#topics?.clear();
    this.#outputs.clear();
    this.#classes.clear();
    this.#nextGeneration();
    this.#usedBytes = 0;
    this.#full = false;
  }
}

const unknown: Publishing = { becomes: becomes.unknown, route: null };
const delivered: Publishing = { becomes: becomes.delivered, route: null };

/** Whether all that becomes of messages that are published to a topic, which is fresh, is that plain subscriptions get them. */
function isPlain({ account, kind, allowed, ownerKeeps, endpoint, inbox, queues }: Topic): boolean {
  const isLookedAt = ownerKeeps || endpoint !== null || inbox !== null || queues.length > 0;
  return account === mainAccount && kind === 'literal' && allowed && !isLookedAt;
}

function isForKernel({ heads }: PlanEntry): boolean {
  return heads.every(({ line }) => line !== null);
}
