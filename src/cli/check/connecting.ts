import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import { connectClient, explainOperation, watchConnection } from '../client.js';
import type { ServerOptions } from '../clientOptions.js';
import { plural } from '../figures.js';
import { inTime, roundTrip } from '../rtt.js';
import { conclude, levelsOf } from './conclude.js';
import { formatSeconds, type Levels, type Measure } from './verdict.js';

export interface TimesOptions extends ServerOptions {
  readonly timeout: number;
  readonly warn: number;
  readonly critical: number;
}

/** How long it takes to connect, and to have a PING answered. */
export async function checkConnection(options: TimesOptions): Promise<void> {
  await conclude('connection', async () => {
    const atMost = levelsOf(options.warn, options.critical);
    const startMs = performance.now();
    return await connected(options, async (connection) => {
      const connect = (performance.now() - startMs) / 1000;
      const rtt = (await roundTrip(connection, options.timeout)) / 1000;
      return [
        time('connect', connect, `connected in ${formatSeconds(connect)}`, atMost),
        time('rtt', rtt, `PING answered in ${formatSeconds(rtt)}`, atMost),
      ];
    });
  });
}

/** How long a message takes to the server and back to a subscription of the same connection. */
export async function checkLatency(options: TimesOptions & { readonly count: number }): Promise<void> {
  await conclude('latency', async () => {
    const atMost = levelsOf(options.warn, options.critical);
    const times = await connected(options, (connection) => bounce(connection, options.count, options.timeout));
    const sorted = times.map((ms) => ms / 1000).sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)]!;
    const longest = sorted.at(-1)!;
    return [
      time('latency', median, `${formatSeconds(median)}, the median of ${plural(sorted.length, 'message')}`, atMost),
      time('longest', longest, `${formatSeconds(longest)} at most`),
    ];
  });
}

async function connected<T>(options: ServerOptions, work: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await connectClient(options, 'shardcast check', false);
  try {
    return await work(connection);
  } catch (error) {
    throw explainOperation(error);
  } finally {
    await connection.close();
  }
}

/** Sends messages to itself, one behind the other. @returns milliseconds, of each */
async function bounce(connection: NatsConnection, count: number, timeoutMs: number): Promise<number[]> {
  const watch = watchConnection(connection, false);
  const subject = createInbox();
  const messages = connection.subscribe(subject)[Symbol.asyncIterator]();
  const times: number[] = [];
  try {
    // the subscription is there before anything is published
    await roundTrip(connection, timeoutMs);
    for (let n = 0; n < count; n++) {
      const startMs = performance.now();
      connection.publish(subject);
      await inTime(connection, messages.next(), timeoutMs);
      times.push(performance.now() - startMs);
    }
  } catch (error) {
    // a user who may not do this learns more from the server's words than from that nothing came
    throw watch.firstError() ?? error;
  }
  return times;
}

function time(label: string, seconds: number, said: string, atMost?: Levels): Measure {
  return { label, value: seconds, unit: 's', said, atMost };
}
