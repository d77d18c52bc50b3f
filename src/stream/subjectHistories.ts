/** What a list takes beside its sequences, about, in bytes. */
const listBytes = 150;

/**
 * The sequences of each subject's messages, for who has to find the next one at once. What it says counts only where it has as many as
 * the subject has: a stream may have had messages before.
 */
export class SubjectHistories {
  #sequences = 0;
  readonly #bySubject = new Map<number, number[]>();

  get memoryBytes(): number {
    return this.#bySubject.size * listBytes + this.#sequences * 8;
  }

  /** A message is stored, behind all others. */
  add(subject: number, sequence: number): void {
    this.#listOf(subject).push(sequence);
    this.#sequences++;
  }

  /** A message that was stored earlier, unless it is known. */
  insert(subject: number, sequence: number): void {
    const list = this.#listOf(subject);
    const at = placeOf(list, sequence);
    if (list[at] === sequence) return;
    list.splice(at, 0, sequence);
    this.#sequences++;
  }

  remove(subject: number, sequence: number): void {
    const list = this.#bySubject.get(subject);
    if (list === undefined) return;
    const at = placeOf(list, sequence);
    if (list[at] !== sequence) return;
    if (at === 0) list.shift();
    else list.splice(at, 1);
    this.#sequences--;
    if (list.length === 0) this.#bySubject.delete(subject);
  }

  /** The first message of a subject that has so many; 0 when that is not known. */
  first(subject: number, count: number): number {
    const list = this.#bySubject.get(subject);
    return list?.length === count ? list[0] : 0;
  }

  #listOf(subject: number): number[] {
    let list = this.#bySubject.get(subject);
    if (list === undefined) {
      list = [];
      this.#bySubject.set(subject, list);
    }
    return list;
  }
}

/** The first place whose sequence is not below one. */
function placeOf(sequences: readonly number[], sequence: number): number {
  let low = 0;
  let high = sequences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sequences[middle] < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
