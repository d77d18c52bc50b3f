import { mainAccount } from '../base/account.js';
import { loginWaitMs, reviewEndsMax } from '../base/limits.js';
import type { ConnectOptions } from '../protocol/connectOptions.js';
import { errors, type ProtocolError } from '../protocol/errors.js';
import type { Admission, Authenticator } from './authenticator.js';
import type { Connection } from './connection.js';
import type { LoginAttempt } from './logins/passwordChecks.js';
import type { GatewayLimits } from './options.js';

/** What a review of connections needs of the gateway around it. */
export interface ReadmissionHost {
  readonly connections: ReadonlyMap<number, Connection>;
  readonly authenticator: Pick<Authenticator, 'required' | 'verify'>;
  readonly limits: Pick<GatewayLimits, 'authTimeoutMs'>;
  /** Resolves when others have had a turn. */
  pause(): Promise<void>;
  fail(connection: Connection, error: ProtocolError): void;
}

/** Connections that have said the same of themselves, each with what it said then: it may CONNECT again. */
type Alike = Map<Connection, ConnectOptions>;

/**
 * Ends connections that would not be let in any more, once credentials have changed. What each came in with is verified
 * again, but the same only once, and one after the other: whoever logs in meanwhile is not kept waiting for all of them. Those that have
 * no right any more are ended some a turn.
 */
export class Readmission {
  readonly #host: ReadmissionHost;
  /** Connections ended so far. */
  #ended = 0;

  constructor(host: ReadmissionHost) {
    this.#host = host;
  }

  /** Looks at all connections by the credentials that hold now. */
  async review(): Promise<void> {
    const { authenticator } = this.#host;
    const groups = [...this.#alike()];
    let isTimed = false;
    for (const [i, alike] of groups.entries()) {
      const [options] = alike.values();
      const verified = authenticator.verify(options as ConnectOptions, attemptOf(alike));
      if (verified instanceof Promise && !isTimed) {
        isTimed = true;
        this.#setDeadlines(groups.slice(i));
      }
      const admission = verified instanceof Promise ? await verified.catch(() => unknown) : verified;
      // the credentials have changed again, and everybody is looked at anew
      if (this.#host.authenticator !== authenticator) return;
      if (!(await this.#judge(alike, admission, authenticator))) return;
    }
  }

  /** Whoever cannot be verified within the time for a login is ended, too. */
  #setDeadlines(groups: readonly Alike[]): void {
    const deadlineMs = performance.now() + this.#host.limits.authTimeoutMs + loginWaitMs;
    for (const alike of groups)
      for (const connection of alike.keys()) if (connection.state === 'open') connection.clock.setDeadline(deadlineMs);
  }

  /** Connections that are in, by what they said. Whoever is being verified will be judged by what holds then. */
  #alike(): Iterable<Alike> {
    const groups = new Map<string, Alike>();
    for (const connection of this.#host.connections.values()) {
      if (connection.state !== 'open' || connection.login.verifying) continue;
      if (!this.#host.authenticator.required && connection.account === mainAccount) admit(connection);
      else if (connection.login.authenticated) add(groups, connection);
    }
    return groups.values();
  }

  /**
   * @param admission `unknown` when it could not be said
   * @returns whether it is said of all; false when the credentials have changed again meanwhile
   */
  async #judge(alike: Alike, admission: Admission | typeof unknown, authenticator: object): Promise<boolean> {
    for (const [connection, options] of alike) {
      // it has ended, or was judged by another CONNECT
      if (connection.state !== 'open' || connection.options !== options) continue;
      if (admission === connection.account) {
        admit(connection);
        continue;
      }
      this.#host.fail(connection, admission === unknown ? errors.authTimeout : errors.authorization);
      if (++this.#ended % reviewEndsMax !== 0) continue;
      await this.#host.pause();
      if (this.#host.authenticator !== authenticator) return false;
    }
    return true;
  }
}

/** Credentials could not be compared. */
const unknown = 'unknown' as const;

/** They want to stay as long as one of them is there. */
function attemptOf(alike: Alike): LoginAttempt {
  const [first] = alike.keys();
  return {
    remoteAddress: (first as Connection).remoteAddress,
    get state() {
      return [...alike.keys()].some(({ state }) => state === 'open') ? ('open' as const) : ('closed' as const);
    },
  };
}

function admit(connection: Connection): void {
  connection.login.admit();
  connection.clock.clearDeadline();
}

function add(groups: Map<string, Alike>, connection: Connection): void {
  const { options } = connection;
  const key = JSON.stringify([options.user, options.pass, options.authToken]);
  const alike: Alike = groups.get(key) ?? new Map();
  groups.set(key, alike.set(connection, options));
}
