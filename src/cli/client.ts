import { type ConnectionOptions, connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { formatDurationMs } from '../options/units.js';
import type { ServerOptions } from './clientOptions.js';
import { CliError, usageError } from './exit.js';
import { parseServers } from './serverUrl.js';

const RECONNECT_WAIT_MS = 500;

/** How long an interrupt may wait for what is on its way. */
const DRAIN_MS_MAX = 5000;

/**
 * Connects to a server.
 *
 * @param name shown in the server's monitoring
 * @param staysUp whether to connect again, for ever, when the connection is lost
 * @throws CliError that says in one line why it could not
 */
export async function connectClient(options: ServerOptions, name: string, staysUp: boolean): Promise<NatsConnection> {
  const { servers, isTls, ...inUrl } = parseServers(options.server);
  const credentials = chooseCredentials(options, inUrl);
  const settings: ConnectionOptions = {
    ...credentials,
    servers: [...servers],
    name,
    timeout: options.connectTimeout,
    reconnect: staysUp,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    maxReconnectAttempts: -1,
    noAsyncTraces: true,
    ...(isTls ? { tls: {} } : {}),
  };
  try {
    return await connect(settings);
  } catch (error) {
    throw new CliError(explainConnect(error, servers.join(','), options.connectTimeout), 1, { cause: error });
  }
}

/** What is known of a connection beside what its own promises say. */
export interface ConnectionWatch {
  /** The server's first complaint. */
  firstError(): Error | null;
  isLost(): boolean;
}

/** Watches a connection, and says on standard error when one that `staysUp` is lost or back. */
export function watchConnection(connection: NatsConnection, staysUp: boolean): ConnectionWatch {
  let first: Error | null = null;
  let isLost = false;
  (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error') first ??= status.error;
      if (!staysUp || (status.type !== 'disconnect' && status.type !== 'reconnect')) continue;
      isLost = status.type === 'disconnect';
      const what = isLost ? `lost ${status.server}, trying again` : `connected again to ${status.server}`;
      process.stderr.write(`shardcast: ${what}\n`);
    }
  })();
  return { firstError: () => first, isLost: () => isLost };
}

/**
 * The result of some work, or an error when the connection is closed under it: the client's own promises may then never
 * settle.
 *
 * @throws CliError, or what the work throws
 */
export function whileOpen<T>(connection: NatsConnection, work: Promise<T>): Promise<T> {
  const closed = connection.closed().then((error) => {
    throw new CliError(`the server closed the connection${error ? `: ${error.message}` : ''}`);
  });
  return Promise.race([work, closed]);
}

/** Takes in what is on its way and closes. A server that is gone, or too slow to answer, does not hold it up. */
export async function drainAndClose(connection: NatsConnection, watch: ConnectionWatch): Promise<void> {
  if (watch.isLost()) return connection.close();
  const timer = setTimeout(() => connection.close(), DRAIN_MS_MAX);
  (async () => {
    for await (const { type } of connection.status()) if (type === 'disconnect') await connection.close();
  })();
  await connection.drain().catch(() => connection.close());
  clearTimeout(timer);
}

/** What a failed operation on a connection means to the user. */
export function explainOperation(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isLost = error instanceof errors.ClosedConnectionError || error instanceof errors.ConnectionError;
  return new CliError(isLost ? `the server closed the connection: ${message}` : message, 1, { cause: error });
}

type Credentials = Pick<ServerOptions, 'user' | 'pass' | 'token'>;

/** What is given beside the URL wins over what is in it. */
function chooseCredentials({ user, pass, token }: Credentials, inUrl: Credentials): Credentials {
  if (user === undefined && pass === undefined && token === undefined) return inUrl;
  if (token !== undefined && user !== undefined) throw usageError('give --user and --pass, or --token, not both');
  if (token !== undefined) return { token };
  if (user === undefined) throw usageError('--pass needs --user');
  return pass === undefined ? { user } : { user, pass };
}

function explainConnect(error: unknown, where: string, timeoutMs: number): string {
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    return `${where} refused the credentials (${error.message}); see --user, --pass and --token`;
  }
  if (error instanceof errors.TimeoutError) return `${where} did not answer within ${formatDurationMs(timeoutMs)}`;
  switch (errorCode(error)) {
    case 'ECONNREFUSED':
      return `nothing listens at ${where}; start a broker with: shardcast serve`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name of ${where} is not known`;
    default:
      return `cannot connect to ${where}: ${error instanceof Error ? error.message : 'the connection was closed'}`;
  }
}

/** The system's code, which may be wrapped several times. */
function errorCode(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code } = inner as NodeJS.ErrnoException;
    if (code) return code;
  }
  return undefined;
}
