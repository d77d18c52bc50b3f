import type { NatsConnection } from '@nats-io/transport-node';
import { formatDurationMs } from '../options/units.js';
import { connectClient, explainOperation, whileOpen } from './client.js';
import type { ServerOptions } from './clientOptions.js';
import { CliError } from './exit.js';
import { onInterrupt } from './interrupt.js';
import { Output } from './output.js';

export interface RttOptions extends ServerOptions {
  readonly count: number;
  readonly timeout: number;
  readonly json?: boolean;
}

/**
 * Sends PINGs, one behind the other, and prints how long their answers took. What is measured includes this process's own event loop.
 *
 * @throws CliError when an answer does not come in time
 */
export async function rtt(options: RttOptions): Promise<void> {
  const connection = await connectClient(options, 'shardcast rtt', false);
  const output = new Output();
  let interrupted: number | null = null;
  onInterrupt((exitCode) => {
    interrupted = exitCode;
    void connection.close();
  });
  try {
    const times: number[] = [];
    for (let n = 0; n < options.count; n++) times.push(await roundTrip(connection, options.timeout));
    output.push(`${options.json ? asJson(connection, times) : asText(connection, times)}\n`);
  } catch (error) {
    if (interrupted !== null) process.exitCode = interrupted;
    else throw explainOperation(error);
  } finally {
    await connection.close();
    await output.end();
  }
}

/** @returns milliseconds */
export async function roundTrip(connection: NatsConnection, timeoutMs: number): Promise<number> {
  const startMs = performance.now();
  await inTime(connection, connection.flush(), timeoutMs);
  return performance.now() - startMs;
}

/** @throws CliError when an answer does not come in time, or the connection is closed before */
export async function inTime<T>(connection: NatsConnection, answer: Promise<T>, timeoutMs: number): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new CliError(`no answer within ${formatDurationMs(timeoutMs)}`)), timeoutMs);
  });
  try {
    return await whileOpen(connection, Promise.race([answer, tooLate]));
  } finally {
    clearTimeout(late);
  }
}

function summary(times: readonly number[]): { min: number; avg: number; max: number } {
  const avg = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  return { min: times.reduce((a, b) => Math.min(a, b)), avg, max: times.reduce((a, b) => Math.max(a, b)) };
}

function asText(connection: NatsConnection, times: readonly number[]): string {
  const { min, avg, max } = summary(times);
  const [low, mean, high] = [min, avg, max].map((ms) => ms.toFixed(3));
  return `${connection.getServer()}: ${times.length} round trips, min ${low} ms, avg ${mean} ms, max ${high} ms`;
}

function asJson(connection: NatsConnection, times: readonly number[]): string {
  const rounded = times.map((ms) => Number(ms.toFixed(3)));
  return JSON.stringify({ server: connection.getServer(), times_ms: rounded });
}
