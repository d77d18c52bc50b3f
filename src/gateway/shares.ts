import {
  crowdShareUnits,
  crowdUnits,
  littleTurns,
  littleUnits,
  shareUnits,
  shareUnitsMin,
  shareUnitsShort,
  turnUnits,
} from '../base/limits.js';
import type { Turn } from '../base/turn.js';
import { copyShift, queueShift, readShift, type Work } from '../base/work.js';
import type { Connection } from './connection.js';

/**
 * Whose turn it is. Every connection may do a share of work in a turn; who has more to do goes on in a later one, first come
 * first. Those that wait have what the others left of a turn, but one of them is always served. So a turn has an end however
 * many have much to do, and who has little to do waits for no more than a turn.
 */
export class Shares {
  readonly #work: Work;
  readonly #turn: Turn;
  #waiting: Connection[] = [];
  /** Whose work is counted now. */
  #current: Connection | null = null;
  #beganAt = 0;
  /** What it has just been read, in bytes. */
  #readBytes = 0;
  /** The last turn in which somebody had little to do. */
  #littleTurn = Number.NEGATIVE_INFINITY;

  constructor(work: Work, turn: Turn) {
    this.#work = work;
    this.#turn = turn;
  }

  /**
   * Counts work for a connection until `end`; false when that is so already.
   *
   * @param readBytes what has been read of it into memory that others need next, in bytes
   */
  begin(connection: Connection, readBytes = 0): boolean {
    const work = this.#work;
    if (this.#current === connection) return false;
    this.#current = connection;
    this.#readBytes = readBytes;
    this.#beganAt = work.units;
    if (connection.share.turn !== work.turn) {
      connection.share.turn = work.turn;
      connection.share.used = 0;
    }
    work.limit = work.units + Math.max(0, this.#share - connection.share.used) + this.#slack;
    return true;
  }

  get #share(): number {
    const { units, turn } = this.#work;
    if (units >= turnUnits) return units < crowdUnits ? shareUnitsMin : 0;
    return turn - this.#littleTurn <= littleTurns ? shareUnitsShort : shareUnits;
  }

  /** What a read brought is finished where that costs little more, or no more than to read and keep it. */
  get #slack(): number {
    const leastUnits = this.#work.units < crowdUnits ? shareUnitsMin : crowdShareUnits;
    return Math.max(leastUnits, (this.#readBytes >> readShift) + (this.#readBytes >> queueShift));
  }

  /**
   * Counts input that is copied, since it cannot be carried out yet.
   *
   * @param fresh whether to memory that was never used before
   */
  keep(bytes: number, fresh = false): void {
    this.#work.units += bytes >> (fresh ? queueShift : copyShift);
  }

  /** Ends what `begin` began; returns whether the connection has had its share of this turn: once more of the same would go beyond it. */
  end(connection: Connection): boolean {
    const work = this.#work;
    const doneUnits = work.units - this.#beganAt;
    connection.share.used += doneUnits;
    if (connection.share.used <= littleUnits) this.#littleTurn = work.turn;
    work.limit = Number.MAX_SAFE_INTEGER;
    this.#current = null;
    return connection.share.used + doneUnits > this.#share + this.#slack;
  }

  /** Whether a turn has had enough: who was not served yet is in the next one. */
  get turnSpent(): boolean {
    return this.#work.units >= turnUnits;
  }

  /** Has a connection go on in a later turn. */
  defer(connection: Connection): void {
    if (connection.share.deferred) return;
    connection.share.deferred = true;
    this.#waiting.push(connection);
    this.#turn.request();
  }

  /**
   * Has those that wait go on, as far as the turn lasts.
   *
   * @param goOn does what is left of a connection's work; false when it only has its socket read again
   */
  serve(goOn: (connection: Connection) => boolean): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    let served = 0;
    // what a socket brings that is read again is work of the next turn
    let expectedUnits = 0;
    while (served < waiting.length) {
      const connection = waiting[served];
      const spentUnits = connection.parked ? this.#work.units : expectedUnits;
      if (served > 0 && spentUnits >= turnUnits) break;
      served++;
      connection.share.deferred = false;
      if (!goOn(connection)) expectedUnits += shareUnits;
    }
    this.#waiting = waiting.slice(served).concat(this.#waiting);
    if (this.#waiting.length > 0) this.#turn.request();
  }
}
