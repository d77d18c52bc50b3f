import { isatty } from 'node:tty';
import type {
  MessageSelector,
  PurgeSelector,
  StoredMessageJson,
  StreamConfigJson,
  StreamInfoJson,
} from '../../protocol/streamApi/json.js';
import type { ApiOptions } from '../apiSession.js';
import { readConfig } from '../configFile.js';
import { confirm } from '../confirm.js';
import { usageError } from '../exit.js';
import { plural } from '../figures.js';
import { formatMessage, headersIn, jsonLine, messageStyle, type Printable } from '../messageFormat.js';
import type { Output } from '../output.js';
import { givenFields } from './configFlags.js';
import { describeStream, listStreams } from './describe.js';
import { withStreams } from './session.js';

/** What of a command line says nothing of the stream itself. */
type Flags = ApiOptions & Readonly<Record<string, unknown>>;

/** Makes a stream, or finds it as it should be. */
export async function add(name: string, options: Flags & { readonly config?: string }): Promise<void> {
  const config = { allow_direct: true, ...readConfig<StreamConfigJson>(options.config), ...givenFields(options), name };
  await withStreams(options, name, async (api, output) => show(await api.create(config), options, output));
}

export async function ls(options: Flags & { readonly subject?: string; readonly names?: boolean }): Promise<void> {
  await withStreams(options, null, async (api, output) => {
    const found: StreamInfoJson[] = [];
    for await (const info of api.list(options.subject)) {
      if (options.json) output.push(jsonLine(info));
      else if (options.names) output.push(`${info.config.name}\n`);
      else found.push(info);
    }
    if (!options.json && !options.names) output.push(listStreams(found, isatty(1)));
  });
}

export async function info(name: string, options: Flags): Promise<void> {
  await withStreams(options, name, async (api, output) => show(await api.info(name), options, output));
}

/** Changes what flags say, and leaves the rest as the server has it. */
export async function edit(name: string, options: Flags & { readonly force?: boolean }): Promise<void> {
  const given = givenFields(options);
  if (Object.keys(given).length === 0) throw usageError('say what to change: see shardcast stream edit --help');
  await withStreams(options, name, async (api, output) => {
    const { config } = await api.info(name);
    await confirm(`Really change ${Object.keys(given).join(', ')} of stream ${name}?`, options.force === true);
    const metadata = given.metadata && { metadata: { ...config.metadata, ...given.metadata } };
    show(await api.update({ ...config, ...given, ...metadata }), options, output);
  });
}

export async function purge(
  name: string,
  options: Flags & {
    readonly force?: boolean;
    readonly subject?: string;
    readonly seq?: number;
    readonly keep?: number;
  },
): Promise<void> {
  const { subject, seq, keep } = options;
  const which: PurgeSelector = {
    ...(subject === undefined ? {} : { filter: subject }),
    ...(seq === undefined ? {} : { seq }),
    ...(keep === undefined ? {} : { keep }),
  };
  await withStreams(options, name, async (api, output) => {
    await confirm(`Really purge stream ${name}?`, options.force === true);
    const purged = await api.purge(name, which);
    output.push(options.json ? jsonLine({ stream: name, purged }) : `${plural(purged, 'message')} removed\n`);
  });
}

export async function rm(name: string, options: Flags & { readonly force?: boolean }): Promise<void> {
  await withStreams(options, name, async (api) => {
    await confirm(`Really remove stream ${name} and all its messages?`, options.force === true);
    await api.delete(name);
  });
}

interface GetOptions extends ApiOptions {
  readonly lastFor?: string;
  readonly next?: string;
  readonly since?: string;
  readonly raw?: boolean;
  readonly headers?: boolean;
}

export async function get(name: string, sequence: number | undefined, options: GetOptions): Promise<void> {
  const which = selectorOf(sequence, options);
  await withStreams(options, name, async (api, output) => {
    const message = toPrintable(await api.message(name, which));
    output.push(...formatMessage(message, messageStyle(options, true)));
  });
}

/** @throws CliError for what says nothing, or more than one thing */
function selectorOf(sequence: number | undefined, { lastFor, next, since }: GetOptions): MessageSelector {
  if (lastFor !== undefined) {
    if (sequence === undefined && next === undefined && since === undefined) return { last_by_subj: lastFor };
    throw usageError('--last-for stands alone');
  }
  if (sequence !== undefined && since !== undefined) throw usageError('give a sequence or --since, not both');
  if (sequence === undefined && next === undefined && since === undefined)
    throw usageError('say which message: a sequence, --last-for, --next or --since');
  return {
    ...(sequence === undefined ? {} : { seq: sequence }),
    ...(since === undefined ? {} : { start_time: since }),
    ...(next === undefined ? {} : { next_by_subj: next }),
  };
}

function toPrintable({ subject, seq, time, hdrs, data }: StoredMessageJson): Printable {
  const block = Buffer.from(hdrs ?? '', 'base64');
  const headers = headersIn(block, 0, block.length);
  return {
    subject,
    stored: { sequence: seq, time },
    data: Buffer.from(data ?? '', 'base64'),
    ...(headers.length > 0 ? { headers } : {}),
  };
}

function show(info: StreamInfoJson, options: ApiOptions, output: Output): void {
  output.push(options.json ? jsonLine(info) : describeStream(info, isatty(1)));
}
