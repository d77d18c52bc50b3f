import { timingSafeEqual } from 'node:crypto';
import bcrypt from 'bcrypt';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import type { Credentials } from './options.js';

/**
 * Decides whether what a client says of itself lets it in. A plain secret is compared at once; a bcrypt hash takes a
 * tenth of a second, which is spent on libuv's pool, not on the gateway's loop.
 */
export class Authenticator {
  readonly required: boolean;
  readonly #credentials: Credentials;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
    this.required = credentials.token !== null || credentials.user !== null;
  }

  /** Answers at once where it can, else later. */
  verify(connect: ConnectOptions): boolean | Promise<boolean> {
    const { user, pass, token } = this.#credentials;
    if (token !== null) return secretMatches(connect.authToken, token);
    if (user === null) return true;
    // the password is looked at even when the user is wrong, so that the time taken does not tell which it was
    const known = sameText(connect.user ?? '', user);
    const matches = secretMatches(connect.pass, pass ?? '');
    return typeof matches === 'boolean' ? known && matches : matches.then((right) => known && right);
  }
}

/** Whether a stored secret is a bcrypt hash. */
export function isBcryptHash(secret: string): boolean {
  return /^\$2[abxy]\$\d\d\$.{53}$/.test(secret);
}

function secretMatches(given: string | null, stored: string): boolean | Promise<boolean> {
  if (!isBcryptHash(stored)) return sameText(given ?? '', stored);
  return bcrypt.compare(given ?? '', stored.replace(/^\$2[xy]/, '$2b'));
}

function sameText(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length ? timingSafeEqual(a, b) : timingSafeEqual(b, b) && false;
}
