import type { NatsConnection } from '@nats-io/transport-node';
import type { ApiOptions } from '../apiSession.js';
import { CliError } from '../exit.js';
import { formatMessage, messageStyle } from '../messageFormat.js';
import { tooFew } from '../tooFew.js';
import { deliveryOf, printable } from './delivery.js';
import { isOver, type PullEnd, pull } from './pull.js';
import { withConsumers } from './session.js';

interface NextOptions extends ApiOptions {
  readonly count: number;
  readonly wait: number;
  readonly ack: boolean;
  readonly raw?: boolean;
  readonly headers?: boolean;
}

/** Takes messages of a consumer, prints them and acknowledges those that are printed. */
export async function next(stream: string, name: string, options: NextOptions): Promise<void> {
  const { count, wait, ack, timeout } = options;
  const style = messageStyle(options, true);
  await withConsumers(options, stream, name, async (api, output, connection) => {
    const { config } = await api.info(name);
    if (config.deliver_subject !== undefined)
      throw new CliError(`consumer ${name} of stream ${stream} pushes to ${config.deliver_subject}: nobody can ask it`);
    const replies: string[] = [];
    const subject = api.nextSubject(name);
    const end = await pull(connection, {
      subject,
      batch: count,
      waitMs: wait,
      take: (message) => {
        output.push(...formatMessage(printable(message, deliveryOf(message)), style));
        replies.push(message.reply!);
        return true;
      },
    });
    if (ack && config.ack_policy !== 'none' && (await output.written())) await confirm(connection, replies, timeout);
    const failure = failureOf(end) ?? (replies.length < count ? tooFew(count - replies.length, count, wait) : null);
    if (failure !== null) throw failure;
  });
}

/** Acknowledges messages; resolves when the server has all of that. */
async function confirm(connection: NatsConnection, replies: readonly string[], timeout: number): Promise<void> {
  await Promise.all(replies.map((reply) => connection.request(reply, '+ACK', { timeout })));
}

function failureOf(end: PullEnd): CliError | null {
  if (end.kind === 'failed') return new CliError(end.error.message, 1, { cause: end.error });
  if (end.kind === 'told' && !isOver(end)) return new CliError(end.text.toLowerCase() || `status ${end.code}`);
  return end.kind === 'silent' ? new CliError('the server has stopped answering') : null;
}
