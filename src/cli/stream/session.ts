import { StreamApi } from '../../protocol/streamApi/streamApi.js';
import { type ApiOptions, withApi } from '../apiSession.js';
import type { Output } from '../output.js';

/**
 * Works with a server's streams, over a connection of its own.
 *
 * @param stream whose name errors are to say; null where there is no single one
 * @throws CliError
 */
export async function withStreams(
  options: ApiOptions,
  stream: string | null,
  work: (api: StreamApi, output: Output) => Promise<void>,
): Promise<void> {
  await withApi(options, 'shardcast stream', stream && `stream ${stream}`, (ask, output) =>
    work(new StreamApi(ask, options.domain), output),
  );
}
