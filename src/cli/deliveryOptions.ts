import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { headerNames } from '../base/headerNames.js';
import type { PolicyName } from '../base/policy.js';
import { CliError } from './exit.js';

/** What Shardcast gives a subscriber beyond NATS. */
export interface DeliveryOptions {
  readonly policy?: PolicyName;
  readonly last?: boolean;
  readonly queue?: string;
  readonly deadLetter?: string;
}

const optionsSubject = '$SHARDCAST.SUB';

export function hasDeliveryOptions({ policy, last }: DeliveryOptions): boolean {
  return policy !== undefined || last === true;
}

/**
 * Asks for what the subscriptions to these subjects are to be given, before or after there are any; again on each new connection.
 *
 * @throws CliError where the server is no Shardcast, or does not grant it
 */
export async function askFor(
  connection: NatsConnection,
  subjects: readonly string[],
  { policy, last, queue, deadLetter }: DeliveryOptions,
  timeoutMs: number,
): Promise<void> {
  if ((connection.info as { shardcast?: string } | undefined)?.shardcast === undefined)
    throw new CliError(`${connection.getServer()} is not a Shardcast broker: only one knows --policy and --last`);
  for (const subject of subjects) {
    // what was lost is told, between the messages
    const request = { subject, queue, policy, last, deadLetter, notice: policy === undefined ? undefined : true };
    const { data } = await connection.request(optionsSubject, JSON.stringify(request), { timeout: timeoutMs });
    const { error } = JSON.parse(Buffer.from(data).toString()) as { error?: string };
    if (error !== undefined) throw new CliError(`${subject}: ${error}`);
  }
}

/** What a notice says: how many messages its subscription lost, and by which policy; null for any other message. */
export function lossTold({ headers, subject }: Msg): string | null {
  const dropped = headers?.get(headerNames.dropped);
  if (!dropped) return null;
  return `lost ${dropped} messages on ${subject} (${headers!.get(headerNames.policy)})`;
}
