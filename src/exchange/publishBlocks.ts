import { mixedRecordBytesMax } from '../base/limits.js';
import type { MessageWriter } from './messageWriter.js';
import { MixedBlock } from './mixedBlock.js';
import { mixedHeaderBytes } from './records/mixedRun.js';
import type { Reservation } from './reservation.js';
import type { BlockRoute, ExchangeTopic } from './roles.js';

/** Where there is less room in a lane nothing is laid out for it, in bytes. */
const roomBytesMin = 2 * 1024;

/** What goes to one shard. */
class PublishBlock {
  readonly writer: MessageWriter;
  readonly block: MixedBlock;
  readonly #reservation: Reservation;

  constructor(writer: MessageWriter, reservation: Reservation) {
    this.writer = writer;
    this.#reservation = reservation;
    const target = { parts: [writer.part], noticedIn: 0 };
    this.block = new MixedBlock(() => target);
  }

  /** Has the kernel lay out no more than there is room for now. */
  measure(): void {
    const { lane } = this.writer;
    let bytes = this.#reservation.taken ? 0 : Math.min(mixedRecordBytesMax, lane.inlineBytesMax);
    while (bytes >= roomBytesMin && !lane.hasRoom(bytes)) bytes >>= 2;
    this.block.limit = bytes < roomBytesMin ? 0 : bytes - mixedHeaderBytes;
  }
}

/**
 * Plain messages that the kernel lays out for shards of other threads, a block for each. They are in their lanes before anything else happens:
 * nobody who asks how far a lane has got has to know of them.
 */
export class PublishBlocks<T extends ExchangeTopic> {
  #blocks: readonly (PublishBlock | null)[] = [];

  /**
   * Takes notice of who is there.
   *
   * @param lanes to shards of other threads, by number
   * @param reservations whom room in them is for
   */
  list(lanes: readonly (MessageWriter | null)[], reservations: readonly Reservation[]): void {
    this.#blocks = lanes.map((writer, shard) => {
      const known = this.#blocks[shard] ?? null;
      if (writer === null || known?.writer === writer) return writer && known;
      return new PublishBlock(writer, reservations[shard]);
    });
  }

  /** How the kernel hands messages of a topic to a shard; null when it cannot now. */
  route(shard: number, topic: T): BlockRoute | null {
    const known = this.#blocks[shard] ?? null;
    const address = known === null ? -1 : known.block.address;
    return known !== null && address >= 0 && known.writer.offerName(topic) ? { address, target: 0 } : null;
  }

  /** The kernel is about to lay messages out. */
  measure(): void {
    for (const each of this.#blocks) each?.measure();
  }

  /** Writes what it has laid out into the lanes. */
  flush(): void {
    for (const each of this.#blocks) {
      if (each === null || each.block.empty) continue;
      each.block.notice();
      each.block.flush();
    }
  }
}
