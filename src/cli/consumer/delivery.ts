import type { Msg } from '@nats-io/transport-node';
import type { Printable } from '../messageFormat.js';

/** What the reply subject of a message says that a consumer delivered. */
export interface Delivery {
  readonly sequence: number;
  /** Counts what its consumer has delivered. */
  readonly number: number;
  readonly time: string;
}

/** `$JS.ACK.STREAM.CONSUMER.` and five numbers; with a domain and an account there are two tokens more, and maybe one behind. */
const tokensMin = 9;
const tokensWithDomain = 11;
const nsInMs = 1_000_000n;

export function deliveryOf({ reply = '' }: Msg): Delivery {
  const tokens = reply.split('.');
  const at = tokens.length >= tokensWithDomain ? 7 : 5;
  if (tokens.length < tokensMin) throw new Error(`this is no delivery of a consumer: ${reply}`);
  return { sequence: Number(tokens[at]), number: Number(tokens[at + 1]), time: timeOf(BigInt(tokens[at + 2]!)) };
}

/** A message as it is shown: its reply subject is for acknowledgements alone. */
export function printable(message: Msg, { sequence, time }: Delivery): Printable {
  const { subject, data, headers } = message;
  return { subject, data, stored: { sequence, time }, ...(headers === undefined ? {} : { headers }) };
}

/** RFC 3339, to the nanosecond where there are some. */
function timeOf(ns: bigint): string {
  const whole = new Date(Number(ns / nsInMs)).toISOString().slice(0, -1);
  const rest = `${ns % nsInMs}`.padStart(6, '0');
  return `${`${whole}${rest}`.replace(/\.?0+$/, '')}Z`;
}
