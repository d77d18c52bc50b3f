import type { NatsConnection, PublishOptions } from '@nats-io/transport-node';
import { connectClient, explainOperation, watchConnection, whileOpen } from './client.js';
import type { ServerOptions } from './clientOptions.js';
import { usageError } from './exit.js';
import { type HeaderLine, toHeaders } from './headers.js';
import { Interrupt } from './interrupt.js';
import { givenPayload } from './payload.js';
import { Progress } from './progress.js';
import { readLines } from './stdin.js';
import { StoredPublishes } from './storedPublishes.js';

/** So much may be on its way before the server is asked whether it has taken it: the client would queue without bound. */
const WINDOW_BYTES = 1024 * 1024;

/** What a message costs beside its payload, roughly, so that many empty ones fill the window too. */
const MESSAGE_OVERHEAD_BYTES = 64;

export interface PubOptions extends ServerOptions {
  readonly count: number;
  readonly lines?: boolean;
  readonly header?: readonly HeaderLine[];
  readonly reply?: string;
}

/**
 * Publishes, and returns once the server has taken everything, or a stream that takes the subject has stored it. An interrupt ends it when the server has what was read by then.
 *
 * @throws CliError
 */
export async function pub(subject: string, payload: string | undefined, options: PubOptions): Promise<void> {
  if (options.lines && payload !== undefined && payload !== '-') {
    throw usageError('--lines reads standard input: leave the payload out');
  }
  if (options.lines && options.count !== 1) throw usageError('--lines and --count cannot be combined');
  const connection = await connectClient(options, 'shardcast pub', false);
  // who names a reply has the stream's acknowledgements there
  const isOurs = options.reply === undefined;
  const stored = isOurs ? await StoredPublishes.find(connection, subject, options.connectTimeout) : null;
  const watch = watchConnection(connection, false);
  const interrupt = new Interrupt();
  try {
    const source = interrupt.guard(payloads(connection, payload, options));
    const target = stored ? toStream(stored, options) : toSubject(connection, subject, options);
    await whileOpen(connection, publishAll(target, subject, source, options));
    const error = watch.firstError();
    if (error) throw error;
    // of --lines nobody knows how many there were to be
    if (!options.lines) interrupt.endEarly();
  } catch (error) {
    throw explainOperation(watch.firstError() ?? error);
  } finally {
    await connection.close();
  }
}

/** Where messages go, and whether they are there. */
interface Target {
  publish(payload: Uint8Array): void;
  /** Resolves when what was published is in the server's hands, or a stream's that takes it. */
  taken(): Promise<void>;
}

function toSubject(connection: NatsConnection, subject: string, { header, reply }: PubOptions): Target {
  const headers = toHeaders(header);
  const settings: PublishOptions = { ...(headers ? { headers } : {}), ...(reply === undefined ? {} : { reply }) };
  return {
    publish: (payload) => connection.publish(subject, payload, settings),
    taken: () => connection.flush(),
  };
}

function toStream(stored: StoredPublishes, { header }: PubOptions): Target {
  const headers = toHeaders(header);
  return { publish: (payload) => stored.publish(payload, headers), taken: () => stored.stored() };
}

async function publishAll(
  target: Target,
  subject: string,
  source: AsyncIterable<Uint8Array>,
  options: PubOptions,
): Promise<void> {
  const progress = new Progress(options.lines ? null : options.count);
  let inFlightBytes = 0;
  for await (const payload of source) {
    target.publish(payload);
    progress.step();
    inFlightBytes += payload.length + MESSAGE_OVERHEAD_BYTES;
    if (inFlightBytes < WINDOW_BYTES) continue;
    await target.taken();
    inFlightBytes = 0;
  }
  await target.taken();
  progress.done(subject);
}

async function* payloads(
  connection: NatsConnection,
  payload: string | undefined,
  { lines, count }: PubOptions,
): AsyncGenerator<Uint8Array> {
  const bytesMax = connection.info?.max_payload ?? 0;
  if (lines) {
    yield* readLines(bytesMax);
    return;
  }
  const bytes = await givenPayload(payload, bytesMax);
  for (let sent = 0; sent < count; sent++) yield bytes;
}
