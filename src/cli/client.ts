import { type ConnectionOptions, connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { formatDurationMs } from '../broker/units.js';
import type { ServerOptions } from './client-options.js';
import { CliError, usageError } from './exit.js';
import { parseServers } from './server-url.js';

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

/** Says on standard error what becomes of the connection, and keeps the server's first complaint. */
export function watchConnection(connection: NatsConnection): { firstError(): Error | null } {
  let first: Error | null = null;
  (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error') first ??= status.error;
      if (status.type === 'disconnect') process.stderr.write(`shardcast: lost ${status.server}, trying again\n`);
      if (status.type === 'reconnect') process.stderr.write(`shardcast: connected again to ${status.server}\n`);
    }
  })();
  return { firstError: () => first };
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
