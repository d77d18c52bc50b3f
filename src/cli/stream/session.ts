import { errors, type NatsConnection } from '@nats-io/transport-node';
import { StreamError } from '../../base/streamError.js';
import { formatDurationMs } from '../../options/units.js';
import { StreamApi } from '../../protocol/streamApi/streamApi.js';
import { connectClient, explainOperation, whileOpen } from '../client.js';
import type { ServerOptions } from '../clientOptions.js';
import { CliError } from '../exit.js';
import { Output } from '../output.js';

/** What all commands of streams take. */
export interface StreamOptions extends ServerOptions {
  readonly timeout: number;
  readonly domain?: string;
  readonly json?: boolean;
}

/**
 * Works with a server's streams, over a connection of its own.
 *
 * @param stream whose name errors are to say; null where there is no single one
 * @throws CliError
 */
export async function withStreams(
  options: StreamOptions,
  stream: string | null,
  work: (api: StreamApi, output: Output) => Promise<void>,
): Promise<void> {
  const connection = await connectClient(options, 'shardcast stream', false);
  const output = new Output();
  const api = new StreamApi((subject, body) => ask(connection, subject, body, options.timeout), options.domain);
  try {
    await whileOpen(connection, work(api, output));
  } catch (error) {
    throw explain(error, stream, options.timeout);
  } finally {
    await connection.close();
    await output.end();
  }
}

async function ask(connection: NatsConnection, subject: string, body: string, timeoutMs: number): Promise<string> {
  return (await connection.request(subject, body, { timeout: timeoutMs })).string();
}

function explain(error: unknown, stream: string | null, timeoutMs: number): CliError {
  if (error instanceof StreamError)
    return new CliError(`${stream === null ? '' : `stream ${stream}: `}${error.message} (${error.errorNumber})`, 1, {
      cause: error,
    });
  const inner = error instanceof errors.RequestError && !error.isNoResponders() ? error.cause : error;
  if (inner instanceof errors.TimeoutError)
    return new CliError(`no answer within ${formatDurationMs(timeoutMs)}`, 1, { cause: error });
  if (inner instanceof errors.RequestError || inner instanceof errors.NoRespondersError)
    return new CliError('the server has no streams: JetStream is off, or --domain is another one', 1, { cause: error });
  return explainOperation(inner);
}
