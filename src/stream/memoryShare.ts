/** What all streams of a shard may take of the process's memory, and what they take. */
export class MemoryShare {
  usedBytes = 0;
  readonly bytesMax: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get full(): boolean {
    return this.usedBytes >= this.bytesMax;
  }
}
