import type { Message } from '../harness/frames.js';
import { type ConnectOptions, RawClient } from '../harness/rawClient.js';

/** A trace, as who reads it sees it. */
export interface ReadTrace {
  readonly server: Readonly<Record<string, unknown>>;
  readonly request: { readonly header: Readonly<Record<string, readonly string[]>>; readonly msgsize: number };
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

/** Where the tests have their traces sent. */
export const destination = 'TRACES.of.the.test';

export type Headers = readonly (readonly [name: string, value: string])[];
export const traced: Headers = [['Nats-Trace-Dest', destination]];
export const onlyTraced: Headers = [...traced, ['Nats-Trace-Only', 'true']];

/** A publish with headers, as a client writes it. */
export function hpub(subject: string, headers: Headers, payload = '', reply = ''): string {
  const block = `NATS/1.0\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return `HPUB ${subject} ${reply === '' ? '' : `${reply} `}${block.length} ${block.length + payload.length}\r\n${block}${payload}\r\n`;
}

export function readTrace({ payload }: Message): ReadTrace {
  return JSON.parse(payload.toString()) as ReadTrace;
}

/** What is the same whichever server says it: no times, no numbers of connections, and deliveries in no order. */
export function comparable({ request, events }: ReadTrace): unknown {
  const [ingress, ...others] = events.map(({ ts, cid, ...event }) =>
    JSON.stringify({ ...event, ts: typeof ts, cid: typeof cid }),
  );
  return { request, ingress, others: others.sort() };
}

/** Reads what is traced. */
export class TraceReader {
  readonly #client: RawClient;

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async open(port: number, options: ConnectOptions = {}): Promise<TraceReader> {
    const client = await RawClient.connect(port, { name: 'reader', ...options });
    await client.exchange(`SUB ${destination} 1\r\n`);
    return new TraceReader(client);
  }

  async next(): Promise<ReadTrace> {
    const [message] = await this.#client.messages(1);
    return readTrace(message as Message);
  }
}
