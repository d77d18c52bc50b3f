import { OverlapTree } from '../../protocol/overlapTree.js';
import { apiErrors } from '../../stream/api/apiError.js';
import type { Steps } from '../../stream/steps.js';
import type { StreamConfig } from '../../stream/streamConfig.js';
import { OneByOne } from './oneByOne.js';
import type { Slices } from './slices.js';

/** What a stream has for itself alone. */
export interface Claim {
  readonly subjects: readonly string[];
  /** What it may take of the memory for streams, as far as its configuration says. */
  readonly memoryBytes: bigint;
}

export function claimOf({ subjects, storage, max_bytes }: StreamConfig): Claim {
  return { subjects, memoryBytes: storage === 'memory' && max_bytes > 0n ? max_bytes : 0n };
}

/** What all streams have, also those that are being made: no subject is given to two, and no more memory than there is. */
export class Claims {
  readonly #memoryBytesMax: bigint;
  readonly #slices: Slices;
  readonly #subjects = new OverlapTree(false);
  #memoryBytes = 0n;
  readonly #looks = new OneByOne();

  constructor(memoryBytesMax: number, slices: Slices) {
    this.#memoryBytesMax = BigInt(memoryBytesMax);
    this.#slices = slices;
  }

  /** @throws rejects with ApiError when it is not to be had: nothing of it is claimed then */
  claim(claim: Claim): Promise<void> {
    return this.#looks.run(async () => {
      await this.#slices.run(this.#look(claim));
      this.add(claim);
    });
  }

  /** Nothing else is claimed meanwhile. */
  *#look({ subjects, memoryBytes }: Claim): Steps {
    for (const subject of subjects) {
      if (this.#subjects.overlapping(subject, '') !== null) throw apiErrors.subjectsOverlap;
      yield;
    }
    if (memoryBytes > 0n && this.#memoryBytes + memoryBytes > this.#memoryBytesMax) throw apiErrors.insufficientMemory;
  }

  /** Claims what somebody has already. */
  add({ subjects, memoryBytes }: Claim): void {
    for (const subject of subjects) this.#subjects.add(subject);
    this.#memoryBytes += memoryBytes;
  }

  release({ subjects, memoryBytes }: Claim): void {
    for (const subject of subjects) this.#subjects.delete(subject);
    this.#memoryBytes -= memoryBytes;
  }
}
