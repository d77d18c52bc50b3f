import { errors, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { formatDurationMs } from '../options/units.js';
import { connectClient, explainOperation, watchConnection, whileOpen } from './client.js';
import type { ServerOptions } from './clientOptions.js';
import { CliError } from './exit.js';
import { type HeaderLine, toHeaders } from './headers.js';
import { onInterrupt } from './interrupt.js';
import { formatMessage, messageStyle } from './messageFormat.js';
import { Output } from './output.js';
import { givenPayload } from './payload.js';

export interface RequestOptions extends ServerOptions {
  readonly timeout: number;
  readonly replies: number;
  readonly header?: readonly HeaderLine[];
  readonly raw?: boolean;
  readonly json?: boolean;
  readonly headers?: boolean;
}

/**
 * Asks, and prints the replies as they come.
 *
 * @throws CliError when nobody answers, too few do in time, or the answer is a service's error
 */
export async function request(subject: string, payload: string | undefined, options: RequestOptions): Promise<void> {
  const connection = await connectClient(options, 'shardcast request', false);
  const watch = watchConnection(connection, false);
  const output = new Output();
  let interrupted: number | null = null;
  onInterrupt((exitCode) => {
    interrupted = exitCode;
    void connection.close();
  });
  try {
    const bytes = await whileOpen(connection, givenPayload(payload, connection.info?.max_payload ?? 0));
    const style = messageStyle(options, false);
    const onReply = (reply: Msg) => {
      throwServiceError(subject, reply);
      output.push(...formatMessage(reply, style));
    };
    await whileOpen(connection, ask(connection, subject, bytes, options, onReply));
  } catch (error) {
    // nobody waits for the answer any more
    if (interrupted !== null) process.exitCode = interrupted;
    else throw explainOperation(explainRequest(watch.firstError() ?? error, subject, options.timeout));
  } finally {
    await connection.close();
    await output.end();
  }
}

async function ask(
  connection: NatsConnection,
  subject: string,
  payload: Uint8Array,
  { timeout, replies, header }: RequestOptions,
  onReply: (reply: Msg) => void,
): Promise<void> {
  const headers = toHeaders(header);
  const withHeaders = headers ? { headers } : {};
  if (replies === 1) return onReply(await connection.request(subject, payload, { timeout, ...withHeaders }));
  const many = await connection.requestMany(subject, payload, {
    ...(replies === 0 ? { strategy: 'timer' } : { strategy: 'count', maxMessages: replies }),
    maxWait: timeout,
    ...withHeaders,
  });
  let count = 0;
  for await (const reply of many) {
    count++;
    onReply(reply);
  }
  if (count === 0 || count < replies) {
    const wanted = replies === 0 ? '' : ` of ${replies}`;
    throw new CliError(`${count}${wanted} replies on ${subject} within ${formatDurationMs(timeout)}`);
  }
}

/** A service answers an error in headers that every NATS client agrees on. */
function throwServiceError(subject: string, reply: Msg): void {
  const code = reply.headers?.get('Nats-Service-Error-Code');
  if (!code) return;
  throw new CliError(`${subject} answered with error ${code}: ${reply.headers?.get('Nats-Service-Error')}`);
}

function explainRequest(error: unknown, subject: string, timeoutMs: number): unknown {
  if (error instanceof errors.RequestError && error.isNoResponders()) return nobody(subject, error);
  if (error instanceof errors.NoRespondersError) return nobody(subject, error);
  const cause = error instanceof errors.RequestError ? error.cause : error;
  if (!(cause instanceof errors.TimeoutError)) return error;
  return new CliError(`no reply on ${subject} within ${formatDurationMs(timeoutMs)}`, 1, { cause: error });
}

function nobody(subject: string, cause: Error): CliError {
  return new CliError(`nobody answers on ${subject} (no responders)`, 1, { cause });
}
