import { mixHash } from '../base/hash.js';
import type { QueueInterest } from './queueInterest.js';
import type { QueueName } from './queueNames.js';

/** A queue group with interest in a topic: how many members it has on each gateway, who has room, and whose turn it is. */
export class QueueRoute {
  readonly name: QueueName;
  /** Members by gateway. */
  readonly counts: Int32Array;
  total = 0;
  /** Whether some gateway's members bound what they have in flight. */
  bounded = false;
  /** The subjects by which its members take the topic. */
  readonly parts: QueueInterest[] = [];
  /** Gateways with members. */
  readonly #gateways: number[] = [];
  #turn: number;

  constructor(name: QueueName, gateways: number) {
    this.name = name;
    this.counts = new Int32Array(gateways);
    this.#turn = name.turn++;
  }

  add(part: QueueInterest): void {
    this.parts.push(part);
    for (let gateway = 0; gateway < this.counts.length; gateway++) {
      const members = part.members(gateway);
      if (members === 0) continue;
      if (this.counts[gateway] === 0) this.#gateways.push(gateway);
      this.counts[gateway] += members;
      this.total += members;
      if (part.bounds(gateway)) this.bounded = true;
    }
  }

  /** The gateway whose member is next: every gateway has as many turns in a round as it has members. */
  next(): number {
    this.#turn = (this.#turn + 1) % this.total;
    let rest = this.#turn;
    let gateway = 0;
    while (rest >= this.counts[gateway]) rest -= this.counts[gateway++];
    return gateway;
  }

  /** The next gateway but for one, or -1 when no other has a member. */
  nextExcept(except: number): number {
    if (this.total === this.counts[except]) return -1;
    for (;;) {
      const gateway = this.next();
      if (gateway !== except) return gateway;
    }
  }

  /**
   * The next gateway with room, as far as is known here: in a round each of them has as many turns as it has members.
   *
   * @param except a gateway that is no choice, or -1
   * @returns -1 when none has
   */
  nextWithRoom(except: number): number {
    let total = 0;
    for (const gateway of this.#gateways)
      if (gateway !== except && this.hasRoom(gateway)) total += this.counts[gateway];
    if (total === 0) return -1;
    this.#turn = (this.#turn + 1) % total;
    let rest = this.#turn;
    for (const gateway of this.#gateways) {
      if (gateway === except || !this.hasRoom(gateway)) continue;
      if (rest < this.counts[gateway]) return gateway;
      rest -= this.counts[gateway];
    }
    return -1;
  }

  hasRoom(gateway: number): boolean {
    for (const part of this.parts) if (part.room(gateway) > 0) return true;
    return false;
  }

  /** A message goes to a gateway that has room. */
  spend(gateway: number): void {
    for (const part of this.parts) {
      if (part.room(gateway) === 0) continue;
      part.spend(gateway);
      return;
    }
  }

  /**
   * The gateway of a key: by rendezvous hashing, weighted with members, so that each has its share of the keys, and a
   * member that comes or goes moves no more keys than its own.
   *
   * @param except a gateway that has no member for the message, or -1
   * @returns -1 when no (other) gateway has a member
   */
  gatewayOf(keyHash: number, except = -1): number {
    let nearest = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let gateway = 0; gateway < this.counts.length; gateway++) {
      if (this.counts[gateway] === 0 || gateway === except) continue;
      const share = (mixHash(keyHash ^ Math.imul(gateway + 1, gatewaySalt)) + 0.5) / 2 ** 32;
      const distance = -Math.log(share) / this.counts[gateway];
      if (distance >= least) continue;
      least = distance;
      nearest = gateway;
    }
    return nearest;
  }
}

/** Tells gateways apart in the hash of a key; any odd number with bits everywhere. */
const gatewaySalt = 0x9e3779b1;
