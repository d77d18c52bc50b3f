/** Messages of a stream that damage has taken. */
export interface LostRange {
  readonly stream: number;
  readonly first: number;
  readonly last: number;
}

/** A stretch of a journal that is not what was written there. */
export interface Damage {
  /** The file it begins in. */
  readonly file: string;
  /** Where in it, in bytes. */
  readonly offset: number;
  /** The same in bytes of the journal. */
  readonly position: number;
  /** Up to what can be read again, perhaps in a later file: in bytes of the journal. */
  readonly bytes: number;
  /** What is missing for it, as later blocks tell. */
  readonly lost: LostRange[];
}
