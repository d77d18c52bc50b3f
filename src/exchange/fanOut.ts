import { mixedRecordBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import type { MessageWriter } from './messageWriter.js';
import { type BlockPart, MixedBlock } from './mixedBlock.js';
import type { GatewayProxy } from './proxies.js';
import { isPlain } from './records/mixedRun.js';
import type { ExchangeTopic } from './roles.js';

/** Sets of gateways that are remembered at most; a power of two. */
const targetsMax = 256;

/** A set of gateways, and how they are reached. */
interface Target<T extends ExchangeTopic> {
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
  readonly #block = new MixedBlock();
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
  }

  /**
   * Delivers a run, whatever the lanes' states.
   *
   * @param gateways those that want its topic, of other threads: one at least
   */
  deliver(gateways: readonly number[], topic: T, message: MessageView): void {
    const { lanes, parts, recordBytesMax, others } = this.#targetOf(gateways);
    for (let i = 0; i < others.length; i++) others[i].deliver(topic, message);
    if (lanes.length === 0) return;
    for (let i = 0; i < message.count; i++) {
      if (isPlain(message, i)) {
        this.#block.makeRoom(message, i, recordBytesMax);
        for (let j = 0; j < lanes.length; j++) lanes[j].beforeShared(topic);
        this.#block.add(parts, topic.slot, message, i);
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
    const target = this.#makeTarget(gateways);
    this.#targets[place] = target;
    return target;
  }

  #makeTarget(gateways: readonly number[]): Target<T> {
    const laneOf = (gateway: number): MessageWriter | null => this.#lanes[gateway] ?? null;
    const lanes = gateways.flatMap((gateway) => laneOf(gateway) ?? []);
    return {
      gateways,
      lanes,
      parts: lanes.map(({ part }) => part),
      recordBytesMax: Math.min(mixedRecordBytesMax, ...lanes.map(({ lane }) => lane.inlineBytesMax)),
      others: gateways.flatMap((gateway) => (laneOf(gateway) === null ? this.#gateways[gateway] : [])),
    };
  }
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
