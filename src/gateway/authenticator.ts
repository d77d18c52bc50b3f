import { mainAccount, systemAccount } from '../base/account.js';
import { whenNeeded } from '../base/whenNeeded.js';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import type { LoginAttempt, PasswordChecks } from './logins/passwordChecks.js';
import { type Credentials, credentialNames } from './options.js';

const crypto = whenNeeded<typeof import('node:crypto')>('node:crypto');

/** The account of a client that is let in; null for one that is not. */
export type Admission = number | null;

/**
 * Decides whether what a client says of itself lets it in, and to which account. A plain secret is compared at once; a bcrypt hash takes some
 * tenths of a second, which are spent on a thread for that, and only where the answer is not known yet.
 */
export class Authenticator {
  readonly required: boolean;
  readonly #credentials: Credentials;
  readonly #passwords: PasswordChecks;

  constructor(credentials: Credentials, passwords: PasswordChecks) {
    this.#credentials = credentials;
    this.#passwords = passwords;
    this.required = credentials.token !== null || credentials.user !== null;
  }

  /**
   * Answers at once where it can, else later.
   *
   * @param attempt who says it: nothing is looked at for whom it is not open any more
   * @throws rejects when it cannot say, as with `PasswordChecks.matches`
   */
  verify(connect: ConnectOptions, attempt: LoginAttempt): Admission | Promise<Admission> {
    const { sysUser, sysPass } = this.#credentials;
    // that name is nobody's else, so that no other secret goes with it
    return sysUser !== null && sameText(connect.user ?? '', sysUser)
      ? admitted(this.#matches(connect.pass, sysPass ?? '', attempt), systemAccount)
      : admitted(this.#isOfMain(connect, attempt), mainAccount);
  }

  #isOfMain(connect: ConnectOptions, attempt: LoginAttempt): boolean | Promise<boolean> {
    const { user, pass, token } = this.#credentials;
    if (token !== null) return this.#matches(connect.authToken, token, attempt);
    if (user === null) return true;
    // the password is looked at even when the user is wrong, so that the time taken does not tell which it was
    const known = sameText(connect.user ?? '', user);
    const matches = this.#matches(connect.pass, pass ?? '', attempt);
    return typeof matches === 'boolean' ? known && matches : matches.then((right) => known && right);
  }

  #matches(given: string | null, stored: string, attempt: LoginAttempt): boolean | Promise<boolean> {
    if (!isBcryptHash(stored)) return sameText(given ?? '', stored);
    return this.#passwords.matches(given ?? '', stored.replace(/^\$2[xy]/, '$2b'), attempt);
  }
}

function admitted(isRight: boolean | Promise<boolean>, account: number): Admission | Promise<Admission> {
  if (typeof isRight === 'boolean') return isRight ? account : null;
  return isRight.then((right) => (right ? account : null));
}

/** Whether two configurations let the same in. */
export function sameCredentials(a: Credentials, b: Credentials): boolean {
  return credentialNames.every((name) => a[name] === b[name]);
}

/** Whether a stored secret is a bcrypt hash. */
export function isBcryptHash(secret: string): boolean {
  return /^\$2[abxy]\$\d\d\$.{53}$/.test(secret);
}

function sameText(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  const { timingSafeEqual } = crypto();
  return a.length === b.length ? timingSafeEqual(a, b) : timingSafeEqual(b, b) && false;
}
