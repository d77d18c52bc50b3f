import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const stopMs = 10_000;
const logTailBytes = 2_000;

/** A server we started: its output goes to a file in a directory of its own, which goes when it goes. */
export class ServerProcess {
  readonly directory: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(directory: string, command: string, args: readonly string[], options: { cwd?: string } = {}) {
    this.directory = directory;
    const log = openSync(join(directory, 'log'), 'w');
    this.#child = spawn(command, args, { stdio: ['ignore', log, log], ...options });
    closeSync(log);
    running.add(this);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    void this.#exited.then(() => running.delete(this));
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the server did not start');
    return pid;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /** The end of its output. */
  logTail(): string {
    return readFileSync(join(this.directory, 'log'), 'utf8').slice(-logTailBytes).trim();
  }

  /** SIGTERM, then SIGKILL if it takes longer than ten seconds; removes its directory. */
  async stop(): Promise<void> {
    if (!this.ended) {
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopMs);
      await this.#exited;
      clearTimeout(timer);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** For the way out, where nothing can be awaited. */
  killNow(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const running = new Set<ServerProcess>();

/** A new temporary directory for one server. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'shardcast-bench-'));
}

/** Whatever ends this process (a signal, an error, its own end) also ends the servers it started. */
export function endServersOnExit(): void {
  process.on('exit', () => {
    for (const server of running) server.killNow();
  });
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
}
