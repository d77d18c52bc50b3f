import { PieceWriter } from '../base/pieces.js';

/**
 * Parts of something as they were at one moment, laid out in their order while it goes on to change: of what changes before it is its turn a
 * copy is made.
 */
export class CopyOnWrite<Part> {
  readonly #save: (part: Part, target: PieceWriter) => void;
  readonly #copies = new Map<Part, Uint8Array>();
  readonly #isLeft: (part: Part) => boolean;
  readonly #settle: (part: Part) => void;

  /**
   * @param isLeft whether a part was there at that moment and is as it was
   * @param settle it is laid out, or copied
   */
  constructor(
    save: (part: Part, target: PieceWriter) => void,
    isLeft: (part: Part) => boolean,
    settle: (part: Part) => void,
  ) {
    this.#save = save;
    this.#isLeft = isLeft;
    this.#settle = settle;
  }

  /** A part is about to change. */
  beforeChange(part: Part): void {
    if (!this.#isLeft(part)) return;
    const target = new PieceWriter();
    this.#save(part, target);
    this.#copies.set(part, target.take());
    this.#settle(part);
  }

  layOut(part: Part, target: PieceWriter): void {
    const copy = this.#copies.get(part);
    if (copy === undefined) {
      this.#save(part, target);
      this.#settle(part);
    } else {
      target.taken(copy);
      this.#copies.delete(part);
    }
  }
}

/** Steps whose first does nothing, which is made: so whatever ends them ends what they have begun. */
export function begun(steps: Generator<void>): Generator<void> {
  steps.next();
  return steps;
}

/** Lays out numbers, and what several steps lay out, which were begun: one behind the other. All are ended when it is. */
export function inTurn(
  target: PieceWriter,
  head: readonly number[],
  ...parts: readonly Generator<void>[]
): Generator<void> {
  return begun(stepsOf(target, head, parts));
}

function* stepsOf(target: PieceWriter, head: readonly number[], parts: readonly Generator<void>[]): Generator<void> {
  try {
    yield;
    for (const value of head) target.number(value);
    for (const part of parts) yield* part;
  } finally {
    for (const part of parts) part.return(undefined);
  }
}
