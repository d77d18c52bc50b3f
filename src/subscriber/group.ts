import { mixHash } from '../base/hash.js';
import type { MessageView } from '../base/messageView.js';
import { keyHashOf } from '../protocol/messageKey.js';

/** A member of a queue group, on whichever kind of thread. */
export interface GroupMember {
  /** A number that stays its own, however the members are ordered. */
  readonly identity: number;
  /** Whether its messages may be given to it; not when it ends, nor when it is the connection that must not get them. */
  mayTake(exceptConnection: number): boolean;
  /** How many messages more it takes now; undefined when it sets no bound. */
  readonly workRoom: number | undefined;
  /** Whether it takes what it is given. */
  readonly keepsUp: boolean;
  /** What it has and has not taken, as one number: it tells apart those that do not keep up. */
  readonly load: number;
}

/** The members of a queue group that one endpoint has, and which of them a message is for. */
export class Group<M extends GroupMember> {
  readonly members: M[] = [];
  /** Whether all messages of one key go to one member. */
  readonly keyed: boolean;
  /** Whether any member bounds what it has in flight. */
  bounded = false;
  /** By member; asked for every message with a key. */
  readonly #identities: number[] = [];
  #turn = 0;

  constructor(keyed: boolean) {
    this.keyed = keyed;
  }

  join(member: M): void {
    this.members.push(member);
    this.#identities.push(member.identity);
    if (member.workRoom !== undefined) this.bounded = true;
  }

  /** Begins anywhere, so that a group that is planned anew does not always begin with the same member. */
  startAt(turn: number): void {
    this.#turn = turn % this.members.length;
  }

  /** Index of the member for message `index` of a run; -1 when there is none. */
  memberFor(message: MessageView, index: number): number {
    const keyHash = this.keyed ? keyHashOf(message, index) : -1;
    return keyHash < 0 ? this.next(message.exceptConnection) : this.ofKey(keyHash, message.exceptConnection);
  }

  /** Index of the member whose turn it is: one that keeps up, if there is any, else the one with the least to do; -1 for none. */
  next(exceptConnection: number): number {
    let least = -1;
    for (let step = 0; step < this.members.length; step++) {
      this.#turn = this.#turn + 1 < this.members.length ? this.#turn + 1 : 0;
      const member = this.members[this.#turn];
      if (!member.mayTake(exceptConnection) || (this.bounded && member.workRoom === 0)) continue;
      if (member.keepsUp) return this.#turn;
      if (least < 0 || member.load < this.members[least].load) least = this.#turn;
    }
    if (least >= 0) this.#turn = least;
    return least;
  }

  /**
   * Index of the member that has a key, by rendezvous hashing: one that comes or goes moves no keys but its own
   * (docs/decisions/0009). One that does not keep up has its keys all the same: it is their order that such a group is for.
   */
  ofKey(keyHash: number, exceptConnection: number): number {
    // the endpoint was chosen by `keyHash` itself: what is left to choose by must not depend on that
    const own = mixHash(keyHash ^ memberSalt);
    let nearest = -1;
    let most = -1;
    for (let i = 0; i < this.members.length; i++) {
      const score = mixHash(own ^ this.#identities[i]);
      if (score <= most || !this.members[i].mayTake(exceptConnection)) continue;
      most = score;
      nearest = i;
    }
    return nearest;
  }
}

const memberSalt = 0x5bd1e995;
