import { assert } from '../base/assert.js';
import { takeKernelBytes } from '../base/kernel.js';
import { fanOutTargetsMax, shardsMax } from '../base/limits.js';
import type { MessageWriter } from './messageWriter.js';
import type { BlockTarget } from './mixedBlock.js';
import type { GatewayProxy } from './proxies.js';
import type { ExchangeTopic } from './roles.js';

/** A set of gateways, and how they are reached. */
export interface Target<T extends ExchangeTopic> extends BlockTarget {
  /** Its number since all were last forgotten. */
  readonly number: number;
  readonly gateways: readonly number[];
  /** Lanes of those that share. */
  readonly lanes: readonly MessageWriter[];
  /** What a record may take in each of these lanes, in bytes. */
  readonly recordBytesMax: number;
  /** Those that do not share. */
  readonly others: readonly GatewayProxy<T>[];
}

/** Twice as many places as there are sets, so that probes are short. */
const placesMask = 2 * fanOutTargetsMax - 1;
/** A bit for each of the broker's threads; the kernel knows the size. */
const setBytes = 32;
assert(setBytes * 8 >= shardsMax, 'a set has a bit for each thread');

/**
 * The sets of gateways that topics are for, each with a number. No set makes room for another: sets that change places from message to message
 * would void each other's routes. There is an end to them, at which all are forgotten now and then.
 */
export class Targets<T extends ExchangeTopic> {
  readonly #make: (number: number, gateways: readonly number[]) => Target<T>;
  /** By a hash of the gateways' numbers: a target's number + 1, or 0. */
  readonly #places = new Int32Array(placesMask + 1);
  readonly #numbered: Target<T>[] = [];
  /** Which gateways each has whose lanes share, for the kernel; null outside of its memory. */
  #sets: Uint8Array | null = null;

  /** @param make makes a set's target */
  constructor(make: (number: number, gateways: readonly number[]) => Target<T>) {
    this.#make = make;
  }

  /** Whether it takes no more sets. */
  get full(): boolean {
    return this.#numbered.length === fanOutTargetsMax;
  }

  at(number: number): Target<T> {
    return this.#numbered[number];
  }

  /** Where the sets lie in the kernel's memory, once they were moved there; -1 where they are not. */
  get address(): number {
    return this.#sets === null ? -1 : this.#sets.byteOffset;
  }

  /** The kernel is to know the sets; false when it has no room for them. */
  moveToKernel(): boolean {
    if (this.#sets !== null) return true;
    this.#sets = takeKernelBytes(fanOutTargetsMax * setBytes);
    for (const target of this.#numbered) this.#note(target);
    return this.#sets !== null;
  }

  /** The target of a set; null when there are too many. */
  of(gateways: readonly number[]): Target<T> | null {
    let place = hashOf(gateways) & placesMask;
    for (; this.#places[place] !== 0; place = (place + 1) & placesMask) {
      const target = this.#numbered[this.#places[place] - 1];
      if (isSame(target.gateways, gateways)) return target;
    }
    if (this.full) return null;
    const target = this.#make(this.#numbered.length, gateways);
    this.#numbered.push(target);
    this.#places[place] = this.#numbered.length;
    this.#note(target);
    return target;
  }

  /** All are forgotten: numbers are given anew. */
  clear(): void {
    this.#places.fill(0);
    this.#numbered.length = 0;
    this.#sets?.fill(0);
  }

  #note({ number, parts }: Target<T>): void {
    if (this.#sets === null) return;
    for (const { gateway } of parts) this.#sets[number * setBytes + (gateway >> 3)] |= 1 << (gateway & 7);
  }
}

function hashOf(numbers: readonly number[]): number {
  let hash = numbers.length;
  for (let i = 0; i < numbers.length; i++) {
    hash = Math.imul(hash ^ (numbers[i] + 1), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash ^ (hash >>> 13);
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}
