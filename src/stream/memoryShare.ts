/** What may be taken of the process's memory, and what is. */
export class Share {
  usedBytes = 0;
  readonly bytesMax: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get full(): boolean {
    return this.usedBytes >= this.bytesMax;
  }
}

/** What all streams of a shard may take: in all, and of that for the subjects of their messages and for ids. */
export interface MemoryBounds {
  readonly bytesMax: number;
  readonly subjectBytesMax: number;
  readonly idBytesMax: number;
}

/** What all streams of a shard take: at a bound what would take more is refused. */
export class MemoryShare extends Share {
  readonly subjects: Share;
  readonly ids: Share;

  constructor({ bytesMax, subjectBytesMax, idBytesMax }: MemoryBounds) {
    super(bytesMax);
    this.subjects = new Share(subjectBytesMax);
    this.ids = new Share(idBytesMax);
  }
}

/** What one stream takes of a share. */
export class Taken {
  readonly #share: Share;
  #bytes = 0;

  constructor(share: Share) {
    this.#share = share;
  }

  /** It takes so much now. */
  set(bytes: number): void {
    this.#share.usedBytes += bytes - this.#bytes;
    this.#bytes = bytes;
  }
}
