/** What a connection has done of its share of a turn. `Shares` alone changes it. */
export class Share {
  /** In units of `Work`, in the turn with this number. */
  used = 0;
  turn = -1;
  /** Whether it has more to do than its share, and goes on in a later turn. */
  deferred = false;
}
