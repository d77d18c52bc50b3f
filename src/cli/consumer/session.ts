import type { NatsConnection } from '@nats-io/transport-node';
import { ConsumerApi } from '../../protocol/streamApi/consumerApi.js';
import { type ApiOptions, withApi } from '../apiSession.js';
import type { Output } from '../output.js';

/**
 * Works with a stream's consumers, over a connection of its own.
 *
 * @param consumer whose name errors are to say; null where there is no single one
 * @throws CliError
 */
export async function withConsumers(
  options: ApiOptions,
  stream: string,
  consumer: string | null,
  work: (api: ConsumerApi, output: Output, connection: NatsConnection) => Promise<void>,
): Promise<void> {
  const about = `${consumer === null ? '' : `consumer ${consumer} of `}stream ${stream}`;
  await withApi(options, 'shardcast consumer', about, (ask, output, connection) =>
    work(new ConsumerApi(ask, stream, options.domain), output, connection),
  );
}
