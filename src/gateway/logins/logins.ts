import { mainAccount, systemAccount } from '../../base/account.js';
import { loginWaitMs } from '../../base/limits.js';
import { type TallyRow, tally } from '../../base/tally.js';
import type { Turn } from '../../base/turn.js';
import type { ConnectOptions } from '../../protocol/connectOptions.js';
import { errors, invalidDeliveryOptions } from '../../protocol/errors.js';
import type { Rights } from '../../router/rights.js';
import { type Admission, Authenticator, sameCredentials } from '../authenticator.js';
import type { ClientCommands } from '../commands/clientCommands.js';
import type { Connection } from '../connection.js';
import type { Delivery } from '../delivery.js';
import type { Lifecycle } from '../lifecycle.js';
import type { Credentials, GatewayLimits } from '../options.js';
import type { OptionsRequests } from '../policies/optionsRequests.js';
import type { Reading } from '../reading.js';
import { Readmission } from '../readmission.js';
import { LoginOverloadError, type PasswordChecks } from './passwordChecks.js';

/** The parts of a gateway that a login concerns. */
export interface LoginParts {
  readonly limits: GatewayLimits;
  readonly connections: ReadonlyMap<number, Connection>;
  readonly commands: ClientCommands;
  readonly lifecycle: Lifecycle;
  readonly turn: Turn;
  readonly reading: Reading;
  readonly asking: OptionsRequests;
  readonly delivery: Delivery;
  readonly events: LoginEvents;
  readonly tally: TallyRow;
}

/** What somebody may do, by what it says of itself; null where nothing is forbidden. The same object for the same somebody. */
export type RightsOf = (options: ConnectOptions) => Rights | null;

export interface LoginEvents {
  /** A client's first CONNECT was right. */
  onConnected(connection: Connection): void;
  /** A password could not be compared with its hash. */
  onUnverified(error: unknown): void;
}

/** Lets clients in, by what they say of themselves, and looks at all of them again when the credentials change. */
export class Logins {
  readonly #parts: LoginParts;
  readonly #passwords: PasswordChecks;
  readonly #readmission: Readmission;
  #credentials: Credentials;
  #authenticator: Authenticator;
  readonly #rightsOf: RightsOf;

  constructor(credentials: Credentials, passwords: PasswordChecks, rightsOf: RightsOf, parts: LoginParts) {
    this.#parts = parts;
    this.#rightsOf = rightsOf;
    this.#passwords = passwords;
    this.#credentials = credentials;
    this.#authenticator = new Authenticator(credentials, passwords);
    const current = () => this.#authenticator;
    this.#readmission = new Readmission({
      get authenticator() {
        return current();
      },
      connections: parts.connections,
      limits: parts.limits,
      pause: () => parts.turn.passed(),
      fail: (connection, error) => parts.lifecycle.fail(connection, error),
    });
  }

  /** A connection begins: it is in, unless it has to say who it is. */
  begin(connection: Connection): void {
    if (!this.required) connection.login.admit();
    connection.rights = this.#rightsOf(connection.options);
  }

  /** Whether a client has to say who it is. */
  get required(): boolean {
    return this.#authenticator.required;
  }

  /** Takes what a client says of itself once its credentials are found right; `connection.login.verifying` until then. */
  authenticate(connection: Connection, options: ConnectOptions): void {
    const verified = this.#verify(connection, options);
    if (!(verified instanceof Promise)) {
      this.#connected(connection, options, verified);
      return;
    }
    connection.login.beginVerifying();
    connection.clock.extendDeadline(loginWaitMs);
    verified.then(
      (admission) => this.#whenVerified(connection, () => this.#connected(connection, options, admission)),
      (error: unknown) => this.#unverified(connection, error),
    );
  }

  /** Ends whoever would not be let in any more. */
  setCredentials(credentials: Credentials): void {
    if (sameCredentials(credentials, this.#credentials)) return;
    this.#credentials = credentials;
    this.#authenticator = new Authenticator(credentials, this.#passwords);
    void this.#readmission.review();
  }

  /** Whether credentials are right by what holds when that is known: a reload may come between. */
  #verify(connection: Connection, options: ConnectOptions): Admission | Promise<Admission> {
    const authenticator = this.#authenticator;
    const verified = authenticator.verify(options, connection);
    if (!(verified instanceof Promise)) return verified;
    return verified.then((admission) =>
      this.#authenticator === authenticator ? admission : this.#verify(connection, options),
    );
  }

  #unverified(connection: Connection, error: unknown): void {
    const overload = error instanceof LoginOverloadError;
    // it has its time all the same: an answer at once would bring a flood's next login at once
    if (overload && connection.clock.deadlineMs > 0) return;
    if (!overload) this.#parts.events.onUnverified(error);
    this.#whenVerified(connection, () => this.#parts.lifecycle.fail(connection, errors.authTimeout));
  }

  #whenVerified(connection: Connection, goOn: () => void): void {
    connection.login.endVerifying();
    if (connection.state !== 'open') return;
    goOn();
    connection.requestId = null;
    this.#parts.reading.resume(connection);
  }

  #connected(connection: Connection, options: ConnectOptions, admission: Admission): void {
    const { lifecycle, commands, delivery } = this.#parts;
    if (admission === null || !mayJoin(connection, admission)) {
      connection.login.onRefused(options);
      lifecycle.fail(connection, errors.authorization);
      return;
    }
    const headersChanged = connection.options.headers !== options.headers;
    this.#join(connection, admission);
    const isFirst = connection.login.onConnected();
    connection.clock.clearDeadline();
    connection.options = options;
    const rightsChanged = this.#takeRights(connection);
    const { protocol } = options;
    if (protocol !== null && (protocol < 0 || protocol > 1)) lifecycle.fail(connection, errors.clientProtocol);
    else if (options.noResponders && !options.headers) lifecycle.fail(connection, errors.noRespondersNeedsHeaders);
    else commands.verdicts.accept(connection);
    if (options.shardcast !== null) this.#askByDefault(connection, options.shardcast);
    if (isFirst && connection.state === 'open') this.#parts.events.onConnected(connection);
    if (headersChanged || rightsChanged) delivery.looks.change(connection);
  }

  #join(connection: Connection, account: number): void {
    if (connection.account === account) return;
    connection.account = account;
    if (account === systemAccount) this.#parts.tally[tally.systemBegun]++;
  }

  /** Policies and work are the main account's: their tables do not tell accounts apart. */
  #askByDefault(connection: Connection, asked: Readonly<Record<string, unknown>>): void {
    const { asking, commands } = this.#parts;
    if (connection.account === mainAccount) asking.askByDefault(connection, asked);
    else commands.verdicts.refuse(connection, invalidDeliveryOptions('the system account has none'));
  }

  /** Returns whether they are others than before. */
  #takeRights(connection: Connection): boolean {
    const rights = this.#rightsOf(connection.options);
    if (rights === connection.rights) return false;
    connection.rights = rights;
    // what was asked of its topic does not hold any more
    connection.topic = null;
    return true;
  }
}

/** Whoever is in stays in its account: what it has is of that. JSON lines have policies and work in each of their commands, and are the main account's. */
function mayJoin({ account, login, dialect }: Connection, admission: number): boolean {
  if (admission !== mainAccount && dialect.textual) return false;
  return admission === account || !login.authenticated;
}
