import { setTimeout as delay } from 'node:timers/promises';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { StreamError } from '../base/streamError.js';
import { ConsumerApi } from '../protocol/streamApi/consumerApi.js';
import { type StoredReading, StoredReadingError, streamOf } from '../protocol/streamApi/storedReading.js';
import { StreamApi } from '../protocol/streamApi/streamApi.js';
import { asking, explainApi } from './apiSession.js';
import { connectClient, watchConnection, whileOpen } from './client.js';
import { deliveryOf, printable } from './consumer/delivery.js';
import { isOver, pull } from './consumer/pull.js';
import { CliError, usageError } from './exit.js';
import { onInterrupt } from './interrupt.js';
import { formatMessage, messageStyle } from './messageFormat.js';
import { Output } from './output.js';
import { readingOf } from './reading.js';
import { durableSource, orderedSource, type StoredSource } from './storedSources.js';
import type { SubOptions } from './sub.js';
import { tooFew } from './tooFew.js';

const batchMax = 500;
const waitMs = 30_000;
/** Between two tries where something is wrong. */
const pauseMs = 250;

/**
 * Prints what a stream has of some subjects and what comes, and remembers in the server how far it is (`--durable`), or not
 * (`--replay`).
 *
 * @throws CliError
 */
export async function subStored(subjects: readonly string[], options: SubOptions): Promise<void> {
  const { queue, policy, last, prefetch, count, timeout, quiet } = options;
  if (queue !== undefined || policy !== undefined || last || prefetch !== undefined)
    throw usageError('--durable and --replay cannot be combined with --queue, --policy, --last and --prefetch');
  const connection = await connectClient(options, 'shardcast sub', true);
  watchConnection(connection, true);
  const output = new Output(readingOf(connection));
  const stopping = new AbortController();
  onInterrupt(() => stopping.abort());
  output.broken.then(() => stopping.abort());
  const reader = new StoredReader(connection, output, options, count);
  try {
    const source = await whileOpen(connection, openSource(connection, subjects, options));
    if (!quiet) process.stderr.write(`shardcast: subscribed to ${subjects.join(' ')}\n`);
    const over = timeout === undefined ? null : setTimeout(() => stopping.abort(), timeout);
    await whileOpen(connection, reader.read(source, stopping.signal));
    if (over !== null) clearTimeout(over);
    await source.close();
  } catch (error) {
    if (error instanceof StoredReadingError) throw new CliError(error.message, 1, { cause: error });
    throw explainApi(error, null, options.connectTimeout);
  } finally {
    await connection.close();
    await output.end();
  }
  const failure = timeout === undefined || reader.left === 0 ? null : tooFew(reader.left, count, timeout);
  if (failure !== null) throw failure;
}

async function openSource(
  connection: NatsConnection,
  subjects: readonly string[],
  { stream: named, durable, replay, speed, domain, connectTimeout, maxDeliver, ackWait: ackWaitMs }: SubOptions,
): Promise<StoredSource> {
  const ask = asking(connection, connectTimeout);
  const streams = new StreamApi(ask, domain);
  const stream = named ?? (await streamOf(streams, subjects, '--stream'));
  const api = new ConsumerApi(ask, stream, domain);
  const reading: StoredReading = {
    subjects,
    ...(replay === undefined ? {} : { start: replay }),
    ...(speed === undefined ? {} : { speed }),
    maxDeliver,
    ackWaitMs,
  };
  return durable === undefined ? orderedSource(api, reading) : durableSource(api, streams, stream, durable, reading);
}

/** Messages on their way to standard output; each that has to be is acknowledged once it is there. */
class StoredReader {
  left: number;
  readonly #connection: NatsConnection;
  readonly #output: Output;
  readonly #style: ReturnType<typeof messageStyle>;
  readonly #unprinted: string[] = [];
  #printing: Promise<void> | null = null;

  constructor(connection: NatsConnection, output: Output, flags: SubOptions, count = Number.POSITIVE_INFINITY) {
    this.#connection = connection;
    this.#output = output;
    this.#style = messageStyle(flags, true);
    this.left = count;
  }

  /** Resolves when there were enough messages, or at an interrupt; then all that was taken is printed and acknowledged. */
  async read(source: StoredSource, signal: AbortSignal): Promise<void> {
    while (this.left > 0 && !signal.aborted) {
      const batch = Math.min(batchMax, this.left);
      const take = (message: Msg): boolean => this.#take(message, source);
      const end = await pull(this.#connection, { subject: source.subject, batch, waitMs, take, signal });
      if (end.kind !== 'full' && !isOver(end) && !signal.aborted) await this.#renew(source);
    }
    await this.#printing;
    await this.#connection.flush();
  }

  #take(message: Msg, source: StoredSource): boolean {
    const delivery = deliveryOf(message);
    if (!source.follows(delivery.sequence, delivery.number)) return false;
    this.left--;
    this.#output.push(...formatMessage(printable(message, delivery), this.#style));
    if (source.acknowledges) {
      this.#unprinted.push(message.reply!);
      this.#printing ??= this.#print();
    }
    return true;
  }

  async #print(): Promise<void> {
    while (this.#unprinted.length > 0) {
      const written = this.#unprinted.splice(0);
      // nobody reads any more: whoever takes it next may have more luck
      if (!(await this.#output.written())) return;
      for (const reply of written) this.#connection.publish(reply, '+ACK');
    }
    this.#printing = null;
  }

  /** A server that starts again may not answer at once; one that refuses has the last word. */
  async #renew(source: StoredSource): Promise<void> {
    for (;;) {
      await delay(pauseMs);
      try {
        return await source.renew();
      } catch (error) {
        if (error instanceof StreamError || this.#connection.isClosed()) throw error;
      }
    }
  }
}
