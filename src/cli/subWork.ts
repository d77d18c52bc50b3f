import { headerNames } from '../base/headerNames.js';
import { CliError, usageError } from './exit.js';
import { onInterrupt } from './interrupt.js';
import { type LineDelivery, LinesConnection } from './lines.js';
import { formatMessage, messageStyle, type Printable } from './messageFormat.js';
import { Output } from './output.js';
import { parseLinesServer } from './serverUrl.js';
import type { SubOptions } from './sub.js';
import { tooFew } from './tooFew.js';

/**
 * Takes the work of a group: has so many messages at most that are not printed yet, and acknowledges what is. What it leaves goes to
 * another member.
 *
 * @throws CliError
 */
export async function subWork(subjects: readonly string[], prefetch: number, options: SubOptions): Promise<void> {
  const { queue: group, count, timeout, quiet, policy, last, maxDeliver, deadLetter, ackWait: ackWaitMs } = options;
  if (group === undefined) throw usageError('--prefetch is for members of a group: give a --queue');
  if (policy !== undefined || last) throw usageError('--prefetch cannot be combined with --policy and --last');
  const { host, port, ...credentials } = parseLinesServer(options);
  const output = new Output();
  const work = new Work(output, options, count);
  const connection = await LinesConnection.open(host, port, options.connectTimeout, (delivery) => work.take(delivery));
  work.onPrinted = (delivery) => connection.send({ command: 'ACK', delivery });
  const interrupted = new Promise<null>((resolve) => onInterrupt(() => resolve(null)));
  if (Object.keys(credentials).length > 0) await connection.ask({ command: 'AUTH', ...credentials });
  await connection.ask({ command: 'FORMAT', format: 'json' });
  const terms = { prefetch, maxDeliver, deadLetter, ackWaitMs };
  for (const topic of subjects) await connection.ask({ command: 'SUB', topic, group, ...terms });
  if (!quiet) process.stderr.write(`shardcast: subscribed to ${subjects.join(' ')}\n`);
  const over = new Promise<CliError | null>((resolve) => {
    if (timeout !== undefined) setTimeout(() => resolve(tooFew(work.left, count, timeout)), timeout);
  });
  const lost = connection.closed.then(
    (error) => new CliError(`the broker closed the connection${error ? `: ${error.message}` : ''}`),
  );
  const failure = await Promise.race([work.done, output.broken, interrupted, over, lost]);
  await work.stop();
  await connection.end();
  if (failure !== null) throw failure;
}

/** Messages on their way to standard output: each is acknowledged once it is there. */
class Work {
  /** Resolves when there were enough. */
  readonly done: Promise<null>;
  onPrinted: (delivery: number) => void = () => {};
  left: number;
  readonly #output: Output;
  readonly #style: ReturnType<typeof messageStyle>;
  readonly #unprinted: number[] = [];
  #printing: Promise<void> | null = null;
  #finish!: (nothing: null) => void;

  constructor(output: Output, flags: SubOptions, count = Number.POSITIVE_INFINITY) {
    this.#output = output;
    this.#style = messageStyle(flags, true);
    this.left = count;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  take(message: LineDelivery): void {
    if (this.left === 0) return;
    this.left--;
    this.#output.push(...formatMessage(printable(message), this.#style));
    this.#unprinted.push(message.delivery!);
    this.#printing ??= this.#print();
    if (this.left === 0) this.#finish(null);
  }

  /** Takes no more; resolves when what was taken is printed and acknowledged. */
  async stop(): Promise<void> {
    this.left = 0;
    await this.#printing;
  }

  async #print(): Promise<void> {
    while (this.#unprinted.length > 0) {
      const written = this.#unprinted.splice(0);
      // nobody reads any more: whoever takes it next may have more luck
      if (!(await this.#output.written())) return;
      for (const delivery of written) this.onPrinted(delivery);
    }
    this.#printing = null;
  }
}

function printable(message: LineDelivery): Printable {
  const { topic, payload, encoding, reply, key, traceparent, correlationId, headers } = message;
  const named = {
    [headerNames.key]: key,
    [headerNames.traceparent]: traceparent,
    [headerNames.correlationId]: correlationId,
  };
  const pairs = Object.entries({ ...named, ...headers }).filter(([, value]) => value !== undefined);
  return {
    subject: topic,
    data: Buffer.from(payload, encoding ?? 'utf8'),
    ...(reply === undefined ? {} : { reply }),
    ...(pairs.length === 0 ? {} : { headers: pairs.map(([name, value]) => [name, [value as string].flat()]) }),
  };
}
