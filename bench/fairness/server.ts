import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

type Ports = Record<'nats' | 'jsonl' | 'websocket' | 'monitoring', string[]>;

/** A broker that has not started by then will not. */
const startMaxMs = 20_000;

/** How a broker is reached, as soon as it says so in a file. */
export async function portsOf(child: ChildProcess, file: string, maxMs = startMaxMs): Promise<Ports> {
  for (const late = Date.now() + maxMs; Date.now() < late; await sleep(20)) {
    if (existsSync(file) && readFileSync(file, 'utf8') !== '') return JSON.parse(readFileSync(file, 'utf8')) as Ports;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the broker ended as it started, with ${child.exitCode ?? child.signalCode}`);
  }
  child.kill('SIGKILL');
  throw new Error(`the broker did not start within ${maxMs} ms`);
}

/** A broker in a process of its own, with all its ports. */
export class Server {
  readonly nats: number;
  readonly jsonl: number;
  readonly webSocket: number;
  readonly http: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ports: Ports) {
    this.#child = child;
    const port = (name: keyof Ports) => Number(new URL(ports[name]?.[0] ?? 'nats://none:0').port);
    this.nats = port('nats');
    this.jsonl = port('jsonl');
    this.webSocket = port('websocket');
    this.http = port('monitoring');
  }

  /** @param checkout a built checkout */
  static start(checkout: string, shards: number, flags: readonly string[] = []): Promise<Server> {
    return Server.#begin((file) => {
      const ports = ['--port', '0', '--jsonl-port', '0', '--ws-port', '0', '--ports-file', file];
      const args = [join(checkout, 'dist/src/cli/main.js'), 'serve', '--shards', String(shards), ...ports, ...flags];
      return spawn(process.execPath, args, { stdio: 'ignore' });
    });
  }

  /** A nats-server, with JetStream. */
  static peer(program: string): Promise<Server> {
    return Server.#begin((file) => {
      const directory = mkdtempSync(join(tmpdir(), 'shardcast-bench-'));
      const config = join(directory, 'server.conf');
      writeFileSync(config, 'websocket { host: "127.0.0.1", port: -1, no_tls: true }');
      const args = [
        '-c',
        config,
        '-a',
        '127.0.0.1',
        '-p',
        '-1',
        '-js',
        '-sd',
        directory,
        '--ports_file_dir',
        directory,
      ];
      const child = spawn(program, args, { stdio: 'ignore' });
      symlinkSync(join(directory, `${basename(program)}_${child.pid}.ports`), file);
      return child;
    });
  }

  /** The same inside of a program that publishes itself. */
  static embedded(checkout: string, shards: number): Promise<Server> {
    return Server.#begin((file) => fork(join(checkout, 'dist/bench/fairness/embedded.js'), [String(shards), file]));
  }

  static async #begin(launch: (portsFile: string) => ChildProcess): Promise<Server> {
    const directory = mkdtempSync(join(tmpdir(), 'shardcast-bench-'));
    const file = join(directory, 'ports.json');
    const child = launch(file);
    try {
      return new Server(child, await portsOf(child, file));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** Has the program publish for so long; resolves when it has. */
  async publishItself(durationMs: number): Promise<void> {
    this.#child.send(durationMs);
    await once(this.#child, 'message');
  }

  /** Has it read its configuration again. */
  reload(): void {
    this.#child.kill('SIGHUP');
  }

  get residentMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  /** Lets it end by itself. */
  async ended(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exit;
  }
}
