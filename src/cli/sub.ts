import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { connectClient, drainAndClose, explainOperation, watchConnection, whileOpen } from './client.js';
import type { ServerOptions } from './client-options.js';
import { onInterrupt } from './interrupt.js';
import { formatMessage, messageStyle } from './message-format.js';
import { Output } from './output.js';
import { readingOf } from './reading.js';

export interface SubOptions extends ServerOptions {
  readonly queue?: string;
  readonly count?: number;
  readonly raw?: boolean;
  readonly json?: boolean;
  readonly headers?: boolean;
  readonly quiet?: boolean;
}

/**
 * Prints messages until there were enough, an interrupt, or nobody reads what is printed.
 *
 * @throws CliError
 */
export async function sub(subjects: readonly string[], options: SubOptions): Promise<void> {
  const connection = await connectClient(options, 'shardcast sub', true);
  const watch = watchConnection(connection, true);
  const output = new Output(readingOf(connection));
  onInterrupt(() => drainAndClose(connection, watch));
  try {
    const finished = subscribeAll(connection, subjects, options, output);
    await whileOpen(connection, connection.flush());
    if (!options.quiet) process.stderr.write(`shardcast: subscribed to ${subjects.join(' ')}\n`);
    const failure = await Promise.race([finished, output.broken, connection.closed()]);
    if (failure) throw failure;
  } catch (error) {
    throw explainOperation(watch.firstError() ?? error);
  } finally {
    await connection.close();
    await output.end();
  }
}

/** Resolves when there were enough messages, or with the error that ended a subscription. */
function subscribeAll(
  connection: NatsConnection,
  subjects: readonly string[],
  { queue, count, ...flags }: SubOptions,
  output: Output,
): Promise<Error | null> {
  const style = messageStyle(flags, true);
  let left = count ?? Number.POSITIVE_INFINITY;
  return new Promise((resolve) => {
    const onMessage = (error: Error | null, message: Msg) => {
      if (error) return resolve(error);
      if (left === 0) return;
      output.push(...formatMessage(message, style));
      if (--left === 0) resolve(null);
    };
    for (const subject of subjects) {
      connection.subscribe(subject, {
        callback: onMessage,
        ...(queue === undefined ? {} : { queue }),
        // With one subject the server can count, so that no message of a queue is taken beyond the last one.
        ...(count !== undefined && subjects.length === 1 ? { max: count } : {}),
      });
    }
  });
}
