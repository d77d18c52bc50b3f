import { headers, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { connectClient, drainAndClose, explainOperation, watchConnection, whileOpen } from './client.js';
import type { ServerOptions } from './client-options.js';
import { usageError } from './exit.js';
import { type HeaderLine, toHeaders } from './headers.js';
import { onInterrupt } from './interrupt.js';
import { CommandError, runCommand } from './run-command.js';

export interface ReplyOptions extends ServerOptions {
  readonly echo?: boolean;
  readonly command?: string;
  readonly timeout: number;
  readonly queue?: string;
  readonly count?: number;
  readonly header?: readonly HeaderLine[];
  readonly quiet?: boolean;
}

interface Answer {
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs | undefined;
}

/**
 * Answers requests, one after the other, until there were enough or an interrupt.
 *
 * @throws CliError
 */
export async function reply(subject: string, text: string | undefined, options: ReplyOptions): Promise<void> {
  if ([text, options.echo, options.command].filter((given) => given !== undefined).length !== 1) {
    throw usageError('give one of TEXT, --echo and --command');
  }
  const connection = await connectClient(options, 'shardcast reply', true);
  const watch = watchConnection(connection, true);
  onInterrupt(() => drainAndClose(connection, watch));
  try {
    await answerAll(connection, subject, options, (request) => answer(request, text, options, connection));
  } catch (error) {
    throw explainOperation(watch.firstError() ?? error);
  } finally {
    await connection.close();
  }
}

async function answerAll(
  connection: NatsConnection,
  subject: string,
  { queue, count, quiet }: ReplyOptions,
  onRequest: (request: Msg) => Promise<Answer>,
): Promise<void> {
  const subscription = connection.subscribe(subject, queue === undefined ? {} : { queue });
  await whileOpen(connection, connection.flush());
  if (!quiet) process.stderr.write(`shardcast: answering on ${subject}\n`);
  let answered = 0;
  for await (const request of subscription) {
    // A message that nobody waits for an answer to is not a request.
    if (!request.reply) continue;
    const { payload, headers } = await onRequest(request);
    request.respond(payload, headers ? { headers } : {});
    if (++answered === count) return whileOpen(connection, connection.flush());
  }
  const failure = (await subscription.closed) ?? (await connection.closed());
  if (failure) throw failure;
}

async function answer(
  request: Msg,
  text: string | undefined,
  options: ReplyOptions,
  connection: NatsConnection,
): Promise<Answer> {
  const ownHeaders = toHeaders(options.header);
  if (options.command === undefined)
    return { payload: options.echo ? request.data : Buffer.from(text!), headers: ownHeaders };
  try {
    const payload = await runCommand(options.command, request.data, {
      env: { SHARDCAST_SUBJECT: request.subject },
      timeoutMs: options.timeout,
      bytesMax: connection.info?.max_payload ?? 0,
    });
    return { payload, headers: ownHeaders };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`shardcast: ${error.message}\n`);
    return { payload: Buffer.alloc(0), headers: serviceError(error.message) };
  }
}

/** The headers in which a service tells a client, in any language, that it failed. */
function serviceError(description: string): MsgHdrs {
  const result = headers();
  result.set('Nats-Service-Error-Code', '500');
  result.set('Nats-Service-Error', description);
  return result;
}
