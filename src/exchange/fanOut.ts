import { mixedRecordBytesMax } from '../base/limits.js';
import type { MessageView } from '../base/messageView.js';
import type { MessageWriter } from './messageWriter.js';
import { MixedBlock } from './mixedBlock.js';
import type { GatewayProxy } from './proxies.js';
import { isPlain, mixedHeaderBytes } from './records/mixedRun.js';
import type { BlockRoute, ExchangeTopic } from './roles.js';
import { type Target, Targets } from './targets.js';

/**
 * Delivers to all gateways of other threads that want a topic. Plain messages for those of the broker's own are laid out once, in a block that is
 * copied into their lanes (docs/decisions/0045); whatever else there is goes to each of them by itself.
 */
export class FanOut<T extends ExchangeTopic> {
  /** Moves whenever targets get other numbers. */
  version = 0;
  readonly #targets = new Targets<T>((number, gateways) => this.#makeTarget(number, gateways));
  readonly #block = new MixedBlock((target) => this.#targets.at(target), this.#targets);
  /** What a record may take in each of the lanes that share, in bytes. */
  #recordBytesMax = mixedRecordBytesMax;
  #gateways: readonly GatewayProxy<T>[] = [];
  /** Lanes that share, by the gateway's number. */
  #lanes: readonly (MessageWriter | null)[] = [];

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
    this.#forgetTargets();
    this.#gateways = gateways;
    this.#lanes = lanes;
    for (const [gateway, lane] of lanes.entries()) if (lane !== null) lane.part.gateway = gateway;
    this.#recordBytesMax = recordBytesMaxOf(lanes.filter((lane) => lane !== null));
    this.#block.limit = this.#recordBytesMax - mixedHeaderBytes;
  }

  /**
   * How the kernel passes on messages of a topic, plain ones that are laid out in a block; null when not all of the gateways' lanes share.
   *
   * @param gateways those that want its topic, of other threads: one at least
   */
  route(gateways: readonly number[], topic: T): BlockRoute | null {
    const target = this.#targets.of(gateways);
    const { address } = this.#block;
    if (target === null || target.others.length > 0 || address < 0) return null;
    const { lanes, number } = target;
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
    const target = this.#targets.of(gateways);
    if (target === null) this.#deliverToEach(gateways, topic, message);
    else this.#deliverTo(target, topic, message);
  }

  /** Writes what waits into its lanes. */
  flush(): void {
    this.#block.flush();
  }

  /** Called now and then: sets that there was no number for have one from then on. */
  sweep(): void {
    if (this.#targets.full) this.#forgetTargets();
  }

  #deliverToEach(gateways: readonly number[], topic: T, message: MessageView): void {
    for (let i = 0; i < gateways.length; i++) this.#gateways[gateways[i]].deliver(topic, message);
  }

  #deliverTo({ lanes, number, recordBytesMax, others }: Target<T>, topic: T, message: MessageView): void {
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

  #forgetTargets(): void {
    this.flush();
    this.#targets.clear();
    this.version++;
  }

  #makeTarget(number: number, gateways: readonly number[]): Target<T> {
    const laneOf = (gateway: number): MessageWriter | null => this.#lanes[gateway] ?? null;
    const lanes = gateways.flatMap((gateway) => laneOf(gateway) ?? []);
    return {
      number,
      gateways,
      lanes,
      parts: lanes.map(({ part }) => part),
      noticedIn: 0,
      recordBytesMax: recordBytesMaxOf(lanes),
      others: gateways.flatMap((gateway) => (laneOf(gateway) === null ? this.#gateways[gateway] : [])),
    };
  }
}

function recordBytesMaxOf(lanes: readonly MessageWriter[]): number {
  return Math.min(mixedRecordBytesMax, ...lanes.map(({ lane }) => lane.inlineBytesMax));
}
