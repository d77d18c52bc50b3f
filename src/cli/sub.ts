import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { StoredStart } from '../protocol/streamApi/storedReading.js';
import { type AckFlags, checkAckFlags } from './ackFlags.js';
import { connectClient, drainAndClose, explainOperation, watchConnection, whileOpen } from './client.js';
import type { ServerOptions } from './clientOptions.js';
import { askFor, type DeliveryOptions, hasDeliveryOptions, lossTold } from './deliveryOptions.js';
import { usageError } from './exit.js';
import { onInterrupt } from './interrupt.js';
import { formatMessage, messageStyle } from './messageFormat.js';
import { Output } from './output.js';
import { readingOf } from './reading.js';
import { subStored } from './subStored.js';
import { subWork } from './subWork.js';
import { tooFew } from './tooFew.js';

export interface SubOptions extends ServerOptions, DeliveryOptions, AckFlags {
  readonly count?: number;
  readonly raw?: boolean;
  readonly json?: boolean;
  readonly headers?: boolean;
  readonly quiet?: boolean;
  readonly timeout?: number;
  readonly replay?: StoredStart;
  readonly speed?: number;
  readonly stream?: string;
  readonly domain?: string;
}

/**
 * Prints messages until there were enough, the time is over, an interrupt, or nobody reads what is printed.
 *
 * @throws CliError
 */
export async function sub(subjects: readonly string[], options: SubOptions): Promise<void> {
  const { durable, replay, speed, stream, domain } = options;
  checkAckFlags(options);
  if (durable !== undefined || replay !== undefined) return await subStored(subjects, options);
  if (speed !== undefined || stream !== undefined || domain !== undefined)
    throw usageError('--speed, --stream and --domain need --durable or --replay');
  if (options.prefetch !== undefined) return await subWork(subjects, options.prefetch, options);
  if (options.last && options.queue !== undefined) throw usageError('--last is not for members of a --queue');
  const connection = await connectClient(options, 'shardcast sub', true);
  const watch = watchConnection(connection, true);
  const output = new Output(readingOf(connection));
  onInterrupt(() => drainAndClose(connection, watch));
  try {
    if (hasDeliveryOptions(options))
      await whileOpen(connection, askFor(connection, subjects, options, options.connectTimeout));
    const finished = subscribeAll(connection, subjects, options, output);
    await whileOpen(connection, connection.flush());
    if (!options.quiet) process.stderr.write(`shardcast: subscribed to ${subjects.join(' ')}\n`);
    const asked = askAgain(connection, subjects, options);
    const failure = await Promise.race([finished, output.broken, connection.closed(), asked]);
    if (failure) throw failure;
  } catch (error) {
    throw explainOperation(watch.firstError() ?? error);
  } finally {
    await connection.close();
    await output.end();
  }
}

/** A new connection knows nothing of what the one before was granted. Rejects when it is not granted again. */
async function askAgain(connection: NatsConnection, subjects: readonly string[], options: SubOptions): Promise<never> {
  if (hasDeliveryOptions(options))
    for await (const { type } of connection.status())
      if (type === 'reconnect') await askFor(connection, subjects, options, options.connectTimeout);
  return await new Promise<never>(() => {});
}

/** Resolves when there were enough messages or the time is over, or with the error that ended a subscription. */
function subscribeAll(
  connection: NatsConnection,
  subjects: readonly string[],
  { queue, count, timeout, policy, ...flags }: SubOptions,
  output: Output,
): Promise<Error | null> {
  const style = messageStyle(flags, true);
  let left = count ?? Number.POSITIVE_INFINITY;
  return new Promise((resolve) => {
    const onMessage = (error: Error | null, message: Msg) => {
      if (error) return resolve(error);
      if (left === 0) return;
      const loss = policy === undefined ? null : lossTold(message);
      if (loss !== null) {
        process.stderr.write(`shardcast: ${loss}\n`);
        return;
      }
      output.push(...formatMessage(message, style));
      if (--left === 0) resolve(null);
    };
    if (timeout !== undefined) setTimeout(() => resolve(tooFew(left, count, timeout)), timeout);
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
