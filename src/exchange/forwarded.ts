/** How far this thread's publish lanes are written and sequenced. */
interface Marks {
  markPublished(): Int32Array | null;
  isSequenced(marks: Int32Array): boolean;
}

/**
 * What this shard has handed on for users' threads, since another one owns it by now. They are told that theirs is sequenced when the new
 * owner has it.
 */
export class Forwarded {
  readonly #lanes: Marks;
  /** Whether something was handed on since the marks were set. */
  #unmarked = false;
  /** Up to where it is in the lanes; null when all of that is sequenced. */
  #marks: Int32Array | null = null;

  constructor(lanes: Marks) {
    this.#lanes = lanes;
  }

  /** Something has been written into a publish lane. */
  note(): void {
    this.#unmarked = true;
  }

  /** Whether nothing is known to be on its way. */
  get empty(): boolean {
    return !this.#unmarked && this.#marks === null;
  }

  /** Looks whether all of it is sequenced by now. */
  isSequenced(): boolean {
    if (this.#unmarked) {
      this.#marks = this.#lanes.markPublished();
      if (this.#marks === null) return false;
      this.#unmarked = false;
    }
    if (this.#marks !== null && this.#lanes.isSequenced(this.#marks)) this.#marks = null;
    return this.#marks === null;
  }
}
