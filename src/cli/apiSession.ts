import { errors, type NatsConnection } from '@nats-io/transport-node';
import { StreamError } from '../base/streamError.js';
import { formatDurationMs } from '../options/units.js';
import type { AskStreams } from '../protocol/streamApi/streamApi.js';
import { connectClient, explainOperation, whileOpen } from './client.js';
import type { ServerOptions } from './clientOptions.js';
import { CliError } from './exit.js';
import { Output } from './output.js';

/** What all commands of JetStream's API take. */
export interface ApiOptions extends ServerOptions {
  readonly timeout: number;
  readonly domain?: string;
  readonly json?: boolean;
}

/**
 * Works with a server's streams and consumers, over a connection of its own.
 *
 * @param name of the command, shown in the server's monitoring
 * @param about what errors are to name; null where there is no single thing
 * @throws CliError
 */
export async function withApi(
  options: ApiOptions,
  name: string,
  about: string | null,
  work: (ask: AskStreams, output: Output, connection: NatsConnection) => Promise<void>,
): Promise<void> {
  const connection = await connectClient(options, name, false);
  const output = new Output();
  try {
    await whileOpen(connection, work(asking(connection, options.timeout), output, connection));
  } catch (error) {
    throw explainApi(error, about, options.timeout);
  } finally {
    await connection.close();
    await output.end();
  }
}

/** Requests over a connection. */
export function asking(connection: NatsConnection, timeoutMs: number): AskStreams {
  return async (subject, body) => (await connection.request(subject, body, { timeout: timeoutMs })).string();
}

/** What a refusal, or no answer, means to the user. */
export function explainApi(error: unknown, about: string | null, timeoutMs: number): CliError {
  if (error instanceof StreamError)
    return new CliError(`${about === null ? '' : `${about}: `}${error.message} (${error.errorNumber})`, 1, {
      cause: error,
    });
  const inner = error instanceof errors.RequestError && !error.isNoResponders() ? error.cause : error;
  if (inner instanceof errors.TimeoutError)
    return new CliError(`no answer within ${formatDurationMs(timeoutMs)}`, 1, { cause: error });
  if (inner instanceof errors.RequestError || inner instanceof errors.NoRespondersError)
    return new CliError('the server has no streams: JetStream is off, or --domain is another one', 1, { cause: error });
  return explainOperation(inner);
}
