import { createHmac, randomBytes } from 'node:crypto';
import { add, load } from '#atomics';
import { rightPasswordsMax, wrongPasswordsMax } from '../../base/limits.js';

const secretBytes = 32;
/** A SHA-256 in base64. */
const keyBytes = 44;
/** A word that counts the right ones, the secret of the process, and the keys of the last right ones. */
const rightStart = 4 + secretBytes;
const memoryBytes = rightStart + rightPasswordsMax * keyBytes;

/** Memory in which all gateways of a process remember right passwords, so that one login makes a password known to all. */
export function makePasswordMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(memoryBytes);
  new Uint8Array(memory).set(randomBytes(secretBytes), 4);
  return memory;
}

/**
 * What comparisons of passwords with hashes have come to, so that none is made twice. Nothing is kept that says what a
 * password was, but for whoever can read the process's memory: docs/decisions/0026.
 */
export class PasswordMemo {
  readonly #secret: Uint8Array;
  readonly #rightCount: Int32Array;
  readonly #right: Buffer;
  /** Apart, so that no number of wrong ones can push out a right one. */
  readonly #wrong = new Set<string>();

  constructor(memory: SharedArrayBuffer) {
    this.#rightCount = new Int32Array(memory, 0, 1);
    this.#secret = Uint8Array.from(new Uint8Array(memory, 4, secretBytes));
    this.#right = Buffer.from(memory, rightStart);
  }

  /** Names a comparison: the same for the same password and hash, and for no others. */
  keyOf(given: string, hash: string): string {
    // a hash holds no NUL
    return createHmac('sha256', this.#secret).update(`${hash}\0${given}`).digest('base64');
  }

  /** What the comparison has come to; undefined when that is not known. */
  find(key: string): boolean | undefined {
    if (this.#isRight(key)) return true;
    return this.#wrong.has(key) ? false : undefined;
  }

  remember(key: string, right: boolean): void {
    if (!right) this.#rememberWrong(key);
    // while it is being written it is like no other key, and not known yet
    else if (!this.#isRight(key)) {
      const slot = add(this.#rightCount, 0, 1) % rightPasswordsMax;
      this.#right.write(key, slot * keyBytes, 'latin1');
    }
  }

  #isRight(key: string): boolean {
    const known = Math.min(load(this.#rightCount, 0), rightPasswordsMax);
    for (let slot = 0; slot < known; slot++)
      if (this.#right.toString('latin1', slot * keyBytes, (slot + 1) * keyBytes) === key) return true;
    return false;
  }

  /** The oldest makes room. */
  #rememberWrong(key: string): void {
    this.#wrong.add(key);
    if (this.#wrong.size <= wrongPasswordsMax) return;
    for (const oldest of this.#wrong) {
      this.#wrong.delete(oldest);
      return;
    }
  }
}
