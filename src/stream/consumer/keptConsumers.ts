import type { PieceReader, PieceWriter } from '../../base/pieces.js';
import type { NoteKind } from '../../log/storage.js';
import { applyChange, type ConsumerState, readState, writeState } from './consumerState.js';

/** The consumers of a stream as its storage has them, until they are at work again. */
export class KeptConsumers {
  readonly #states = new Map<number, ConsumerState>();

  noted(key: number, kind: NoteKind, bytes: Uint8Array): void {
    if (kind === 'whole') this.#states.set(key, readState(bytes));
    else if (kind === 'end') this.#states.delete(key);
    else {
      const state = this.#states.get(key);
      if (state !== undefined) applyChange(state, bytes);
    }
  }

  /** Hands over what was kept. */
  take(): ReadonlyMap<number, ConsumerState> {
    const taken = new Map(this.#states);
    this.#states.clear();
    return taken;
  }

  /** Lays out consumers, in steps; what becomes of them meanwhile may be in it or not. */
  static *save(target: PieceWriter, states: Iterable<readonly [number, () => ConsumerState | null]>): Generator<void> {
    const laidOut: [number, Uint8Array][] = [];
    for (const [key, stateOf] of [...states]) {
      const state = stateOf();
      if (state !== null) laidOut.push([key, writeState(state)]);
      yield;
    }
    target.number(laidOut.length);
    for (const [key, bytes] of laidOut) {
      target.number(key);
      target.array(bytes);
    }
  }

  /** Takes over what was laid out. */
  restore(source: PieceReader): void {
    for (let left = source.number(); left > 0; left--) {
      const key = source.number();
      this.noted(key, 'whole', new Uint8Array(source.bytes()));
    }
  }
}
