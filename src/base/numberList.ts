const roomMin = 64;
/** More is given up when it is emptied. */
const roomKept = 8 * 1024;

/** Numbers one behind the other, in memory that is used again. */
export class NumberList {
  length = 0;
  #numbers = new Float64Array(roomMin);

  add(number: number): void {
    if (this.length === this.#numbers.length) this.#grow();
    this.#numbers[this.length++] = number;
  }

  /** All of them, until the next one is added. */
  get values(): Float64Array {
    return this.#numbers.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
    if (this.#numbers.length > roomKept) this.#numbers = new Float64Array(roomMin);
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.length);
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}
