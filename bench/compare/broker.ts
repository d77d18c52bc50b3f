import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from './childProcesses.js';
import type { Endpoint } from './threadMessages.js';

/** How long a server may take to listen and to stop, in ms; a wrapper may have to be fetched, and digests at the end. */
export interface Patience {
  readonly readyMs: number;
  readonly stopMs: number;
}

const patienceWithServers: Patience = { readyMs: 15_000, stopMs: 10_000 };

/** A broker that listens. */
export interface Broker {
  readonly endpoint: Endpoint;
  readonly pid: number;
  /** Where Shardcast says where else it listens. */
  readonly portsFile?: string;
  /** Ends it if we started it. */
  stop(): Promise<void>;
  /** The end of its log, if we have it. */
  logTail(): string;
}

/** A loopback port nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Polls `attempt` until it returns a value; throws with the server's log if that ends or takes too long. */
async function untilReady<T>(
  server: ServerProcess,
  readyMs: number,
  attempt: () => Promise<T | null> | T | null,
): Promise<T> {
  const deadline = Date.now() + readyMs;
  while (Date.now() < deadline && !server.ended) {
    const value = await attempt();
    if (value !== null) return value;
    await sleep(10);
  }
  const reason = server.ended ? 'it ended while starting' : `not ready within ${readyMs} ms`;
  const log = server.logTail();
  await server.stop(patienceWithServers.stopMs);
  throw new Error(log ? `${reason}: ${log}` : reason);
}

function accepts(port: number): Promise<true | null> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(null));
    socket.once('connect', () => socket.destroy());
  });
}

/** Waits until `server` accepts connections. */
export async function brokerOnPort(server: ServerProcess, endpoint: Endpoint): Promise<Broker> {
  const { readyMs, stopMs } = patienceWithServers;
  await untilReady(server, readyMs, () => accepts(endpoint.port));
  return { endpoint, pid: server.pid, stop: () => server.stop(stopMs), logTail: () => server.logTail() };
}

interface PortsFile {
  readonly pid: number;
  readonly nats: readonly string[];
}

function readPortsFile(file: string): PortsFile | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PortsFile;
  } catch {
    return null; // not there yet, or half written
  }
}

/** Waits until `server`, or what it wraps, has written its `--ports-file`. */
export async function brokerOnPortsFile(
  server: ServerProcess,
  file: string,
  { readyMs, stopMs }: Patience = patienceWithServers,
): Promise<Broker> {
  const ports = await untilReady(server, readyMs, () => readPortsFile(file));
  server.servedBy(ports.pid);
  const url = new URL(ports.nats[0]!);
  const endpoint: Endpoint = { host: url.hostname, port: Number(url.port), protocol: 'nats' };
  return {
    endpoint,
    pid: ports.pid,
    portsFile: file,
    stop: () => server.stop(stopMs),
    logTail: () => server.logTail(),
  };
}
