import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Broker, brokerOnPort, brokerOnPortsFile, freePort, type Patience } from './broker.js';
import { ServerProcess, temporaryDirectory } from './childProcesses.js';
import type { Protocol } from './protocol/codecs.js';
import { watchedTarget } from './watched.js';

/** A broker that can be measured. */
export interface Target {
  readonly name: string;
  /** Why it cannot be measured here, or null. */
  unavailable(): string | null;
  /** Starts it (with Shardcast's flags of the scenario, if it is one) and waits until it listens. */
  start(shardcastArgs: readonly string[]): Promise<Broker>;
}

/** A peer from a package: what to run, and how it is told to listen on a loopback port and to keep nothing. */
interface Peer {
  readonly name: string;
  readonly protocol: Protocol;
  /** Configuration file, for a peer whose flags are not enough. */
  readonly config?: (port: number) => string;
  args(port: number, directory: string): string[];
}

const peers: readonly Peer[] = [
  { name: 'nats-server', protocol: 'nats', args: (port) => ['-a', '127.0.0.1', '-p', String(port)] },
  {
    name: 'redis-server',
    protocol: 'redis',
    args: (port, directory) => [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
      ...['--save', '', '--appendonly', 'no', '--maxclients', '15000'],
      // Its default of 32 MB would cut subscribers off within a moment at full speed.
      ...['--client-output-buffer-limit', 'pubsub 1gb 1gb 0'],
    ],
  },
  {
    name: 'mosquitto',
    protocol: 'mqtt',
    args: (_port, directory) => ['-c', join(directory, 'config')],
    // Its default of 1,000 queued messages would drop most of them at full speed.
    config: (port) =>
      [
        `listener ${port} 127.0.0.1`,
        'allow_anonymous true',
        'persistence false',
        'max_queued_messages 0',
        'max_queued_bytes 0',
        'log_type error',
        'log_type warning',
        '',
      ].join('\n'),
  },
];

/** Directories searched for a peer: PATH, and where Debian puts servers. */
export function findInPath(binary: string): string | null {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  for (const directory of directories) {
    const file = join(directory, binary);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // try the next directory
    }
  }
  return null;
}

function peerTarget(peer: Peer): Target {
  return {
    name: peer.name,
    unavailable: () => (findInPath(peer.name) ? null : 'not in PATH'),
    async start() {
      const port = await freePort();
      const directory = temporaryDirectory();
      if (peer.config) writeFileSync(join(directory, 'config'), peer.config(port));
      const server = new ServerProcess(directory, findInPath(peer.name)!, peer.args(port, directory));
      return brokerOnPort(server, { host: '127.0.0.1', port, protocol: peer.protocol });
    },
  };
}

/** How to start Shardcast from a directory that holds its build. */
export interface ShardcastOptions {
  readonly name: string;
  readonly directory: string;
  /** Flags for Node itself, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** Program and leading arguments in place of `node`, such as clinic's. */
  readonly wrapper?: readonly string[];
  readonly patience?: Patience;
  readonly env?: Readonly<Record<string, string>>;
}

/** Shardcast's build in `directory` as a target. */
export function shardcastTarget(options: ShardcastOptions): Target {
  const main = join(options.directory, 'dist/src/cli/main.js');
  return {
    name: options.name,
    unavailable: () => (existsSync(main) ? null : `not built: ${main} is missing`),
    start(shardcastArgs) {
      const directory = temporaryDirectory();
      const portsFile = join(directory, 'ports.json');
      const [command, ...leading] = options.wrapper ?? [process.execPath, ...(options.nodeArgs ?? [])];
      const flags = ['--port', '0', '--ports-file', portsFile, '--log-level', 'warn', ...shardcastArgs];
      const server = new ServerProcess(directory, command!, [...leading, main, 'serve', ...flags], options.env);
      return brokerOnPortsFile(server, portsFile, options.patience);
    },
  };
}

const protocolOfScheme: Readonly<Record<string, Protocol>> = { 'nats:': 'nats', 'redis:': 'redis', 'mqtt:': 'mqtt' };

/** A target given as `name=scheme://host:port@pid`: a server that already runs, and that we leave running. */
function runningTarget(specification: string): Target | null {
  const match = /^([^=]+)=(\w+:)\/\/([^:@]+):(\d+)@(\d+)$/.exec(specification);
  const protocol = match && protocolOfScheme[match[2]!];
  if (!match || !protocol) return null;
  const pid = Number(match[5]);
  const broker: Broker = {
    endpoint: { host: match[3]!, port: Number(match[4]), protocol },
    pid,
    stop: async () => {},
    logTail: () => '',
  };
  return {
    name: match[1]!,
    unavailable: () => (existsSync(`/proc/${pid}/stat`) ? null : `no process ${pid}`),
    start: async () => broker,
  };
}

/** This checkout, seen from dist/bench/compare. */
export const repositoryDirectory = resolve(import.meta.dirname, '../../..');

/** All targets known by name: Shardcast here, its builds in `otherDirectories`, and the peers. */
function knownTargets(otherDirectories: readonly string[]): Target[] {
  return [
    shardcastTarget({ name: 'shardcast', directory: repositoryDirectory }),
    ...otherDirectories.map((directory) =>
      shardcastTarget({ name: `shardcast@${directory}`, directory: resolve(directory) }),
    ),
    ...peers.map(peerTarget),
  ];
}

/** Resolves `--targets`: names, `shardcast-watched` among them, or servers already running; without names, every known target. Throws on a wrong one. */
export function selectTargets(names: readonly string[] | undefined, otherDirectories: readonly string[]): Target[] {
  const known = knownTargets(otherDirectories);
  if (!names) return known;
  const watched = watchedTarget('shardcast-watched', known[0]!);
  // a directory is given to be measured
  const directories = otherDirectories.map((directory) => `shardcast@${directory}`);
  return [...new Set([...names, ...directories])].map((name) => {
    const target = [...known, watched].find((candidate) => candidate.name === name) ?? runningTarget(name);
    if (target) return target;
    const list = known.map((candidate) => candidate.name).join(', ');
    throw new Error(`unknown target '${name}'; known: ${list}, or NAME=nats://HOST:PORT@PID for one that runs`);
  });
}
