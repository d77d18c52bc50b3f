import { latin1String } from '../../src/base/bytes.js';
import type { Span } from '../../src/base/span.js';
import type { ExchangeTopic, MixedLane } from '../../src/exchange/roles.js';

/**
 * A kernel that knows topics by the lane's numbers as the true one does, and takes messages as they stand in the record. It learns some of
 * the topics that it is told, and some of those later; now and then it takes fewer messages than it could.
 */
export class MixedLaneModel implements MixedLane<ExchangeTopic> {
  encoded = 0;
  readonly #known = new Map<number, ExchangeTopic>();
  readonly #onMessage: (topic: ExchangeTopic, payload: string) => void;
  #span: Span | null = null;
  #calls = 0;

  constructor(onMessage: (topic: ExchangeTopic, payload: string) => void) {
    this.#onMessage = onMessage;
  }

  load(span: Span, _start: number, _end: number, count: number): boolean {
    this.#span = span;
    return count > 1;
  }

  encode(position: number, count: number): number {
    const { bytes, view } = this.#span as Span;
    const most = Math.min(count, this.#calls++ % 7);
    let at = position;
    for (this.encoded = 0; this.encoded < most; this.encoded++) {
      const topic = this.#known.get(view.getInt32(at, true));
      if (topic === undefined) break;
      const end = at + 8 + view.getInt32(at + 4, true);
      this.#onMessage(topic, latin1String(bytes, at + 8, end));
      at = (end + 2 + 3) & ~3;
    }
    return at;
  }

  prepare(topic: ExchangeTopic, slot: number): boolean {
    if (this.#calls % 3 === 0) return false;
    this.#known.set(slot, topic);
    return true;
  }

  forget(slot: number): void {
    this.#known.delete(slot);
  }
}
