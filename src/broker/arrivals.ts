import { arrivalsPerTurn } from '../base/limits.js';
import type { Role } from '../base/role.js';
import type { Turn } from '../base/turn.js';

/**
 * Connections that the acceptor has handed on and that are not begun yet. Node reads a message port for as long as more has come, up to a thousand messages: a
 * storm of connections would be begun in one step, and nobody else be read meanwhile.
 */
export class Arrivals<T> implements Role {
  readonly #begin: (arrival: T) => void;
  readonly #turn: Turn;
  #waiting: T[] = [];

  constructor(turn: Turn, begin: (arrival: T) => void) {
    this.#turn = turn;
    this.#begin = begin;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(arrival: T): void {
    this.#waiting.push(arrival);
    this.#turn.request();
  }

  /** Begins some, the first that came. */
  doWork(): boolean {
    if (this.isEmpty) return false;
    for (const each of this.#waiting.splice(0, arrivalsPerTurn)) this.#begin(each);
    return !this.isEmpty;
  }
}
