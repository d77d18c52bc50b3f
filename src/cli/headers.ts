import { headers, type MsgHdrs } from '@nats-io/transport-node';

/** One header as it was given on the command line. */
export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** The headers of a message, or undefined when there are none, so that it is sent as a plain one. */
export function toHeaders(lines: readonly HeaderLine[] = []): MsgHdrs | undefined {
  if (lines.length === 0) return undefined;
  const result = headers();
  for (const { name, value } of lines) result.append(name, value);
  return result;
}
