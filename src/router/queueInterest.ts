import { mainAccount } from '../base/account.js';
import type { LocalSubscription } from './interestEntry.js';
import type { QueueName } from './queueNames.js';

/** The room of a gateway some member of which takes all that comes. */
export const roomUnbounded = 0x7fff_ffff;

/**
 * Members of one queue group on one subject, by gateway, and how many messages they have room for: as far as gateways have told,
 * less what this thread's shard has given them since. It is an estimate, since every shard has its own.
 */
export class QueueInterest {
  readonly account: number;
  readonly subject: string;
  readonly name: QueueName;
  /** Messages that this gateway has told the shards to have room for, and messages that came for its members since. */
  told = 0;
  came = 0;
  readonly #gateways: number;
  /** Members by gateway, then room by gateway. */
  readonly #words: Int32Array;
  /** This gateway's members that bound what they have in flight, and the number of the others. */
  #bounded: Set<LocalSubscription> | null = null;
  #unbounded = 0;

  constructor(subject: string, name: QueueName, gateways: number, account = mainAccount) {
    this.account = account;
    this.subject = subject;
    this.name = name;
    this.#gateways = gateways;
    this.#words = new Int32Array(2 * gateways);
  }

  /** Gateways that there may be. */
  get gateways(): number {
    return this.#gateways;
  }

  /** Whether no gateway has a member. */
  get empty(): boolean {
    for (let gateway = 0; gateway < this.#gateways; gateway++) if (this.#words[gateway] !== 0) return false;
    return true;
  }

  members(gateway: number): number {
    return this.#words[gateway];
  }

  room(gateway: number): number {
    return this.#words[this.#gateways + gateway];
  }

  /** Whether a gateway has members, and all of them bound what they have in flight. */
  bounds(gateway: number): boolean {
    return this.members(gateway) > 0 && this.room(gateway) !== roomUnbounded;
  }

  set(gateway: number, members: number, room: number): void {
    this.#words[gateway] = members;
    this.#words[this.#gateways + gateway] = room;
  }

  /** A message goes to a gateway. */
  spend(gateway: number): void {
    if (this.room(gateway) !== roomUnbounded) this.#words[this.#gateways + gateway]--;
  }

  addLocal(member: LocalSubscription): void {
    if (member.workRoom === undefined) this.#unbounded++;
    else {
      this.#bounded ??= new Set();
      this.#bounded.add(member);
    }
  }

  removeLocal(member: LocalSubscription): void {
    if (this.#bounded?.delete(member) !== true) this.#unbounded--;
  }

  /** What this gateway's own members have room for now; of very much no more is said than that. */
  get localRoom(): number {
    if (this.#unbounded > 0) return roomUnbounded;
    let room = 0;
    for (const member of this.#bounded ?? []) {
      room += member.workRoom as number;
      if (room >= roomToldMax) return roomToldMax;
    }
    return room;
  }
}

/** More room is not told at a time, in messages. */
const roomToldMax = 16_384;
