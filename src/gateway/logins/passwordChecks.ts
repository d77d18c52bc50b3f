import { assert } from '../../base/assert.js';
import { passwordsWaitingMax } from '../../base/limits.js';
import type { Connection } from '../connection.js';
import { FairQueue } from './fairQueue.js';
import { PasswordMemo } from './passwordMemo.js';

/** Compares a password with a bcrypt hash, on another thread: it takes some tenths of a second. */
export type ComparePassword = (given: string, hash: string) => Promise<boolean>;

/** Who wants to come in: from where, and whether it still does. */
export type LoginAttempt = Pick<Connection, 'remoteAddress' | 'state'>;

/** More passwords wait to be compared than may; whoever has most of them has lost one. */
export class LoginOverloadError extends Error {}

interface Waiter {
  readonly attempt: LoginAttempt;
  resolve(right: boolean): void;
  reject(error: unknown): void;
}

/** A comparison that waits or is under way, for all who have given the same password. */
interface Check {
  readonly key: string;
  readonly given: string;
  readonly hash: string;
  readonly waiters: Waiter[];
}

/**
 * Has passwords compared with hashes, one at a time: no password twice, addresses in turn, and none for whom nobody waits
 * any more. So a flood of wrong ones costs its senders' turns, and right ones that are known cost nothing.
 */
export class PasswordChecks {
  readonly #compare: ComparePassword;
  readonly #memo: PasswordMemo;
  /** By key, with the one under way. */
  readonly #checks = new Map<string, Check>();
  readonly #queue = new FairQueue<Check>();
  #running: Check | null = null;

  /** @param memory made by `makePasswordMemory`, one for all gateways */
  constructor(compare: ComparePassword, memory: SharedArrayBuffer) {
    this.#compare = compare;
    this.#memo = new PasswordMemo(memory);
  }

  /** Passwords that wait, and the one that is being compared. */
  get size(): number {
    return this.#checks.size;
  }

  /**
   * Whether a password is that of a hash: at once where that is known.
   *
   * @throws rejects with LoginOverloadError, or with what the comparison rejects with
   */
  matches(given: string, hash: string, attempt: LoginAttempt): boolean | Promise<boolean> {
    const key = this.#memo.keyOf(given, hash);
    return this.#memo.find(key) ?? this.#wait(key, given, hash, attempt);
  }

  #wait(key: string, given: string, hash: string, attempt: LoginAttempt): Promise<boolean> {
    const check = this.#checks.get(key) ?? this.#open({ key, given, hash, waiters: [] });
    return new Promise((resolve, reject) => {
      check.waiters.push({ attempt, resolve, reject });
      if (check !== this.#running) this.#queue.put(attempt.remoteAddress, check);
      if (this.#running === null) this.#next();
    });
  }

  #open(check: Check): Check {
    if (this.#checks.size >= passwordsWaitingMax) this.#forgetUnwanted();
    if (this.#checks.size >= passwordsWaitingMax) this.#refuseOne();
    this.#checks.set(check.key, check);
    return check;
  }

  #refuseOne(): void {
    const refused = this.#queue.takeOldestOfLongest();
    assert(refused !== undefined, 'of many checks one is under way, and the others wait');
    this.#close(refused);
    this.#queue.keepOnly((check) => check !== refused);
    for (const { reject } of refused.waiters) reject(new LoginOverloadError('too many logins wait'));
  }

  #next(): void {
    this.#forgetUnwanted();
    const check = this.#queue.take() ?? null;
    this.#running = check;
    if (check === null) return;
    // another address may have it in its line too
    this.#queue.keepOnly((other) => other !== check);
    this.#compare(check.given, check.hash).then(
      (right) => {
        this.#memo.remember(check.key, right);
        this.#finish(check, ({ resolve }) => resolve(right));
      },
      (error: unknown) => this.#finish(check, ({ reject }) => reject(error)),
    );
  }

  #finish(check: Check, settle: (waiter: Waiter) => void): void {
    this.#close(check);
    for (const waiter of check.waiters) settle(waiter);
    this.#next();
  }

  #close(check: Check): void {
    assert(this.#checks.delete(check.key), 'a check ends once');
  }

  /** A password of somebody who has gone, or has run out of time, is not kept. */
  #forgetUnwanted(): void {
    for (const check of this.#checks.values()) {
      if (check === this.#running || check.waiters.some(({ attempt }) => attempt.state === 'open')) continue;
      this.#close(check);
      for (const { resolve } of check.waiters) resolve(false);
    }
    this.#queue.keepOnly((check) => this.#checks.get(check.key) === check);
  }
}
