import { errors, headers, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { type ConnectionWatch, connectClient, explainOperation, watchConnection, whileOpen } from './client.js';
import type { ServerOptions } from './clientOptions.js';
import { usageError } from './exit.js';
import { type HeaderLine, toHeaders } from './headers.js';
import { onInterrupt } from './interrupt.js';
import { CommandError, runCommand } from './runCommand.js';

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
 * Answers requests, one after the other, until there were enough or an interrupt: then it takes no more, and answers what it has taken.
 * Nothing that is wrong with one request, or with its answer, ends it.
 *
 * @throws CliError
 */
export async function reply(subject: string, text: string | undefined, options: ReplyOptions): Promise<void> {
  if ([text, options.echo, options.command].filter((given) => given !== undefined).length !== 1) {
    throw usageError('give one of TEXT, --echo and --command');
  }
  const connection = await connectClient(options, 'shardcast reply', true);
  const watch = watchConnection(connection, true);
  try {
    await answerAll(connection, watch, subject, options, (request) => answer(request, text, options, connection));
  } catch (error) {
    throw explainOperation(watch.firstError() ?? error);
  } finally {
    await connection.close();
  }
}

async function answerAll(
  connection: NatsConnection,
  watch: ConnectionWatch,
  subject: string,
  { queue, count, quiet }: ReplyOptions,
  onRequest: (request: Msg) => Promise<Answer>,
): Promise<void> {
  const subscription = connection.subscribe(subject, queue === undefined ? {} : { queue });
  let isEnding = false;
  /** The server gives no more: the loop below ends with what has come. */
  const takeNoMore = (): Promise<void> => {
    isEnding = true;
    return watch.isLost() ? connection.close() : subscription.drain().catch(() => connection.close());
  };
  onInterrupt(takeNoMore);
  await whileOpen(connection, connection.flush());
  if (!quiet) process.stderr.write(`shardcast: answering on ${subject}\n`);
  let answered = 0;
  for await (const request of subscription) {
    // A message that nobody waits for an answer to is not a request.
    if (!request.reply) continue;
    respond(request, await onRequest(request));
    if (++answered === count) void takeNoMore();
  }
  // a server that was lost meanwhile waits for nothing any more
  if (isEnding) return watch.isLost() ? undefined : await whileOpen(connection, connection.flush());
  const failure = (await subscription.closed) ?? (await connection.closed());
  if (failure) throw failure;
}

/** An answer that cannot be sent, as one that is too long, is told to who asked instead. */
function respond(request: Msg, { payload, headers }: Answer): void {
  try {
    request.respond(payload, headers ? { headers } : {});
  } catch (error) {
    if (error instanceof errors.ClosedConnectionError) throw error;
    const message = `the answer cannot be sent: ${(error as Error).message}`;
    process.stderr.write(`shardcast: ${request.subject}: ${message}\n`);
    if (headers === undefined || !isServiceError(headers)) respond(request, failed(message));
  }
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
    return failed(error.message);
  }
}

/** The answer of a service that failed: headers that tell a client so, in any language. */
function failed(description: string): Answer {
  const result = headers();
  result.set(codeHeader, '500');
  result.set('Nats-Service-Error', description.replace(/[\r\n]+/g, ' '));
  return { payload: new Uint8Array(0), headers: result };
}

function isServiceError(given: MsgHdrs): boolean {
  return given.has(codeHeader);
}

const codeHeader = 'Nats-Service-Error-Code';
