/** What a connection has said that is not carried out. `Ingress` alone changes it. */
export class Input {
  /** The beginning of an operation that an earlier read left. */
  carry: Uint8Array | null = null;
  /** A large operation that is being put together: its bytes so far, and how many it will have, or 0 when that is not known. */
  partial: Uint8Array | null = null;
  partialBytes = 0;
  partialNeededBytes = 0;
  /** Input that waits while the connection is parked; not null exactly then. */
  parked: Uint8Array | null = null;
  /** Memory that all this takes, in bytes, as `Ingress` has counted it. */
  heldBytes = 0;
  /** Whether the client will say no more. */
  ended = false;
  /** Whether something it said was not taken, since the broker stops: what comes behind it is not the rest of what came before. */
  cut = false;
  /** Whether some of it was read, and is kept since the connection has had its share of a turn. */
  yielded = false;
  /** What it waits for, and since when; kept by `Parking`. */
  parkedFor: 'Memory' | 'Subscribers' | 'Room' | 'Others' | null = null;
  parkedMs = 0;
  /** Whether some of it was carried out since it was last tried again. */
  gotOn = false;
}
