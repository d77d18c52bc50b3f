import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokerOnPort, freePort } from '../compare/broker.js';
import { ServerProcess, temporaryDirectory } from '../compare/childProcesses.js';
import { cpuMicroseconds } from '../compare/processStats.js';

/** A server under load, in a process of its own. */
export interface Server {
  readonly port: number;
  /** Processor time of all its threads so far, in seconds. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** @param door the option that opens the port */
export function startShardcast(door: '--ws-port' | '--jsonl-port'): Promise<Server> {
  return start('../../src/cli/main.js', (port) => ['serve', '--port', '0', '--shards', '1', door, `${port}`]);
}

/** Another built checkout of the broker, or this one, at its root. */
export function startCheckout(directory: string, shards: number): Promise<Server> {
  return run(join(directory, 'dist/src/cli/main.js'), (port) => [
    'serve',
    '--port',
    `${port}`,
    '--shards',
    `${shards}`,
  ]);
}

export function startNaive(name: 'webSocketBroadcast' | 'jsonLines'): Promise<Server> {
  return start(`./naive/${name}.js`, (port) => [`${port}`]);
}

function start(file: string, argsFor: (port: number) => string[]): Promise<Server> {
  return run(fileURLToPath(new URL(file, import.meta.url)), argsFor);
}

async function run(file: string, argsFor: (port: number) => string[]): Promise<Server> {
  const port = await freePort();
  const command = [file, ...argsFor(port)];
  const process_ = new ServerProcess(temporaryDirectory(), process.execPath, command);
  const broker = await brokerOnPort(process_, { protocol: 'nats', host: '127.0.0.1', port });
  return { port, cpuSeconds: () => cpuMicroseconds(broker.pid) / 1e6, stop: () => broker.stop() };
}
