import { join } from 'node:path';
import { brokerOnPort, freePort } from '../compare/broker.js';
import { ServerProcess, temporaryDirectory } from '../compare/childProcesses.js';
import { cpuMicroseconds } from '../compare/processStats.js';
import { findInPath, repositoryDirectory } from '../compare/targets.js';

/** A server that keeps streams, in a process of its own. */
export interface Side {
  readonly name: string;
  readonly port: number;
  /** Processor time of all its threads so far. */
  cpuUs(): number;
  stop(): Promise<void>;
}

/** Whoever is measured: nats-server where there is one, and checkouts, each with each number of shards. */
export function sides(shards: readonly number[], directories: readonly string[]): (() => Promise<Side>)[] {
  const binary = process.env.SHARDCAST_NATS_SERVER ?? findInPath('nats-server');
  if (binary === null) console.error('nats-server is skipped: not in PATH');
  const peer = binary === null ? [] : [() => start('nats-server', binary, natsArguments)];
  const ours = directories.flatMap((directory) => shards.map((each) => () => shardcast(directory, each)));
  return [...peer, ...ours];
}

function natsArguments(directory: string, port: number): string[] {
  return ['-js', '-sd', directory, '-a', '127.0.0.1', '-p', `${port}`];
}

function shardcast(checkout: string, shards: number): Promise<Side> {
  const main = join(checkout, 'dist/src/cli/main.js');
  const name = checkout === repositoryDirectory ? 'shardcast' : `shardcast@${checkout}`;
  return start(`${name}, shards ${shards}`, process.execPath, (directory, port) => [
    ...[main, 'serve', '--port', `${port}`],
    ...['--shards', `${shards}`, '--data', directory],
  ]);
}

async function start(
  name: string,
  command: string,
  argumentsFor: (directory: string, port: number) => string[],
): Promise<Side> {
  const directory = temporaryDirectory();
  const port = await freePort();
  const server = new ServerProcess(directory, command, argumentsFor(join(directory, 'data'), port));
  const broker = await brokerOnPort(server, { protocol: 'nats', host: '127.0.0.1', port });
  return { name, port, cpuUs: () => cpuMicroseconds(broker.pid), stop: () => broker.stop() };
}
