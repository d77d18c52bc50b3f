import { isatty } from 'node:tty';
import type { PausedJson } from '../../protocol/streamApi/consumerApi.js';
import type { ConsumerConfigJson, ConsumerInfoJson } from '../../protocol/streamApi/consumerJson.js';
import type { ApiOptions } from '../apiSession.js';
import { readConfig } from '../configFile.js';
import { confirm } from '../confirm.js';
import { usageError } from '../exit.js';
import { jsonLine } from '../messageFormat.js';
import type { Output } from '../output.js';
import { givenFields } from './configFlags.js';
import { describeConsumer, listConsumers } from './describe.js';
import { withConsumers } from './session.js';

/** What of a command line says nothing of the consumer itself. */
type Flags = ApiOptions & Readonly<Record<string, unknown>>;

/** Makes a consumer, or finds it as it should be. */
export async function add(
  stream: string,
  name: string,
  options: Flags & { readonly config?: string; readonly ephemeral?: boolean },
): Promise<void> {
  const read = readConfig<ConsumerConfigJson>(options.config);
  const durable = options.ephemeral ? {} : { durable_name: name };
  const config = { ack_policy: 'explicit', ...durable, ...read, ...givenFields(options), name };
  await withConsumers(options, stream, name, async (api, output) => show(await api.create(config), options, output));
}

export async function ls(stream: string, options: Flags & { readonly names?: boolean }): Promise<void> {
  await withConsumers(options, stream, null, async (api, output) => {
    const found: ConsumerInfoJson[] = [];
    for await (const info of api.list()) {
      if (options.json) output.push(jsonLine(info));
      else if (options.names) output.push(`${info.name}\n`);
      else found.push(info);
    }
    if (!options.json && !options.names) output.push(listConsumers(found, isatty(1)));
  });
}

export async function info(stream: string, name: string, options: Flags): Promise<void> {
  await withConsumers(options, stream, name, async (api, output) => show(await api.info(name), options, output));
}

export async function rm(stream: string, name: string, options: Flags & { readonly force?: boolean }): Promise<void> {
  await withConsumers(options, stream, name, async (api) => {
    await confirm(`Really remove consumer ${name} of stream ${stream}?`, options.force === true);
    await api.delete(name);
  });
}

export async function pause(
  stream: string,
  name: string,
  options: Flags & { readonly until?: string; readonly for?: number },
): Promise<void> {
  const until = untilOf(options.until, options.for);
  await withConsumers(options, stream, name, async (api, output) =>
    showPaused(await api.pause(name, until), options, output),
  );
}

export async function resume(stream: string, name: string, options: Flags): Promise<void> {
  await withConsumers(options, stream, name, async (api, output) => showPaused(await api.pause(name), options, output));
}

/** @throws CliError (usage) */
function untilOf(until: string | undefined, forMs: number | undefined): string {
  if (until !== undefined) return until;
  if (forMs === undefined) throw usageError('say how long: --for TIME or --until TIME');
  return new Date(Date.now() + forMs).toISOString();
}

function show(info: ConsumerInfoJson, options: ApiOptions, output: Output): void {
  output.push(options.json ? jsonLine(info) : describeConsumer(info, isatty(1)));
}

function showPaused({ paused, pause_until }: PausedJson, options: ApiOptions, output: Output): void {
  if (options.json) output.push(jsonLine({ paused, ...(paused ? { pause_until } : {}) }));
  else output.push(paused ? `paused until ${pause_until}\n` : 'not paused\n');
}
