import { mixedRecordBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import type { MessageWriter } from './messageWriter.js';
import { type BlockPart, MixedBlock } from './mixedBlock.js';
import type { GatewayProxy } from './proxies.js';
import { isPlain, mixedHeaderBytes } from './records/mixedRun.js';
import type { BlockRoute, ExchangeTopic } from './roles.js';

/** Sets of gateways that are remembered at most; a power of two. */
const targetsMax = 256;
/** Numbers of sets that are given, at most, before they are given anew. */
const numberedMax = 4 * targetsMax;

/** A set of gateways, and how they are reached. */
interface Target<T extends ExchangeTopic> {
  /** Its number since it was last listed who is there. */
  readonly number: number;
  readonly gateways: readonly number[];
  /** Lanes of those that share. */
  readonly lanes: readonly MessageWriter[];
  readonly parts: readonly BlockPart[];
  /** What a record may take in each of these lanes, in bytes. */
  readonly recordBytesMax: number;
  /** Those that do not share. */
  readonly others: readonly GatewayProxy<T>[];
}

/**
 * Delivers to all gateways of other threads that want a topic. Plain messages for those of the broker's own are laid out once, in a block that is
 * copied into their lanes (docs/decisions/0045); whatever else there is goes to each of them by itself.
 */
export class FanOut<T extends ExchangeTopic> {
  /** Moves whenever targets get other numbers. */
  version = 0;
  readonly #block = new MixedBlock((target) => this.#numbered[target].parts);
  /** By their numbers. */
  readonly #numbered: Target<T>[] = [];
  /** What a record may take in each of the lanes that share, in bytes. */
  #recordBytesMax = mixedRecordBytesMax;
  #gateways: readonly GatewayProxy<T>[] = [];
  /** Lanes that share, by the gateway's number. */
  #lanes: readonly (MessageWriter | null)[] = [];
  /** By a hash of the gateways' numbers. */
  readonly #targets: (Target<T> | null)[] = new Array(targetsMax).fill(null);

  /** Whether nothing waits to be written into lanes. */
  get empty(): boolean {
    return this.#block.empty;
  }

  /**
   * Takes notice of who is there.
   *
   * @param lanes those to gateways of the broker's own threads, by number
   */
  list(gateways: readonly GatewayProxy<T>[], lanes: readonly (MessageWriter | null)[]): void {
    this.flush();
    this.#gateways = gateways;
    this.#lanes = lanes;
    this.#targets.fill(null);
    this.#numbered.length = 0;
    this.version++;
    this.#recordBytesMax = recordBytesMaxOf(lanes.filter((lane) => lane !== null));
    this.#block.limit = this.#recordBytesMax - mixedHeaderBytes;
  }

  /**
   * How the kernel passes on messages of a topic, plain ones that are laid out in a block; null when not all of the gateways' lanes share.
   *
   * @param gateways those that want its topic, of other threads: one at least
   */
  route(gateways: readonly number[], topic: T): BlockRoute | null {
    const { lanes, others, number } = this.#targetOf(gateways);
    const { address } = this.#block;
    if (others.length > 0 || address < 0) return null;
    for (let i = 0; i < lanes.length; i++) lanes[i].beforeShared(topic);
    return { address, target: number };
  }

  /** The kernel has added to the block. */
  notice(): void {
    this.#block.notice();
  }

  /**
   * Delivers a run, whatever the lanes' states.
   *
   * @param gateways those that want its topic, of other threads: one at least
   */
  deliver(gateways: readonly number[], topic: T, message: MessageView): void {
    const { lanes, number, recordBytesMax, others } = this.#targetOf(gateways);
    for (let i = 0; i < others.length; i++) others[i].deliver(topic, message);
    if (lanes.length === 0) return;
    for (let i = 0; i < message.count; i++) {
      if (isPlain(message, i)) {
        this.#block.makeRoom(message, i, recordBytesMax);
        for (let j = 0; j < lanes.length; j++) lanes[j].beforeShared(topic);
        this.#block.add(number, topic.slot, message, i);
      } else for (let j = 0; j < lanes.length; j++) lanes[j].pushRun(topic, message, i);
    }
  }

  /** Writes what waits into its lanes. */
  flush(): void {
    this.#block.flush();
  }

  #targetOf(gateways: readonly number[]): Target<T> {
    const place = hashOf(gateways) & (targetsMax - 1);
    const known = this.#targets[place];
    if (known !== null && isSame(known.gateways, gateways)) return known;
    if (this.#numbered.length >= numberedMax) this.#forgetTargets();
    const target = this.#makeTarget(gateways);
    this.#numbered.push(target);
    this.#targets[place] = target;
    return target;
  }

  /** Sets that are remembered in one place take turns: their numbers are given anew. */
  #forgetTargets(): void {
    this.flush();
    this.#targets.fill(null);
    this.#numbered.length = 0;
    this.version++;
  }

  #makeTarget(gateways: readonly number[]): Target<T> {
    const laneOf = (gateway: number): MessageWriter | null => this.#lanes[gateway] ?? null;
    const lanes = gateways.flatMap((gateway) => laneOf(gateway) ?? []);
    return {
      number: this.#numbered.length,
      gateways,
      lanes,
      parts: lanes.map(({ part }) => part),
      recordBytesMax: recordBytesMaxOf(lanes),
      others: gateways.flatMap((gateway) => (laneOf(gateway) === null ? this.#gateways[gateway] : [])),
    };
  }
}

function recordBytesMaxOf(lanes: readonly MessageWriter[]): number {
  return Math.min(mixedRecordBytesMax, ...lanes.map(({ lane }) => lane.inlineBytesMax));
}

function hashOf(numbers: readonly number[]): number {
  let hash = 0;
  for (let i = 0; i < numbers.length; i++) hash = Math.imul(hash ^ numbers[i], 0x9e3779b1) ^ (hash >>> 15);
  return hash ^ (hash >>> 16);
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}
