// A placeholder until the core is merged: it lets nats-server do the work behind a socket of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrokerOptions, diffOptions, resolveOptions } from './options.js';

export interface Broker {
  readonly ports: { pid: number; nats: string[]; http: string[]; websocket: string[]; jsonl: string[] };
  /** Drains and stops; may be called again. */
  stop(): Promise<void>;
  lameDuck(): Promise<void>;
  reload(options: BrokerOptions): { changed: string[]; refused: string[] };
  /** Resolves when a worker failed. */
  readonly failed: Promise<Error>;
}

export async function startBroker(given: Partial<BrokerOptions> = {}): Promise<Broker> {
  let options = resolveOptions(given);
  const directory = mkdtempSync(join(tmpdir(), 'shardcast-placeholder-'));
  const config = `${directory}.conf`;
  writeFileSync(config, `max_payload: ${options.maxPayloadBytes}`);
  const args = ['-c', config, '-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', directory];
  if (options.user) args.push('--user', options.user, '--pass', options.pass!);
  if (options.token) args.push('--auth', options.token);
  // It ends with this process, however that ends: then the pipe is closed.
  const script = 'nats-server "$@" & cat; kill $!';
  const peer = spawn('sh', ['-c', script, 'sh', ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const file = readdirSync(directory)[0]!;
    const url = new URL(JSON.parse(readFileSync(join(directory, file), 'utf8')).nats[0]);
    const upstream = connect(Number(url.port), url.hostname);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    peer.stdin.end();
    rmSync(directory, { recursive: true, force: true });
    rmSync(config, { force: true });
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  try {
    while (readdirSync(directory).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.host, resolve);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ports: {
      pid: process.pid,
      nats: [`nats://${options.host}:${(server.address() as AddressInfo).port}`],
      http: [],
      websocket: [],
      jsonl: [],
    },
    stop,
    lameDuck: stop,
    reload(next) {
      const { changed, refused } = diffOptions(options, next);
      options = next;
      return { changed: [...changed], refused: [...refused] };
    },
    failed: new Promise<Error>(() => {}),
  };
}
