import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const logTailBytes = 2_000;

/** A server we started: its output goes to a file in a directory of its own, which goes when it goes. */
export class ServerProcess {
  readonly directory: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #servingPid: number | null = null;

  constructor(directory: string, command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.directory = directory;
    const log = openSync(join(directory, 'log'), 'w');
    this.#child = spawn(command, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
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

  /** Names the process that serves, when the one we started only wraps it; that one is signalled instead. */
  servedBy(pid: number): void {
    this.#servingPid = pid;
  }

  /** SIGTERM, then SIGKILL if it takes longer than `stopMs`; removes its directory. */
  async stop(stopMs: number): Promise<void> {
    if (!this.ended) {
      this.#signal('SIGTERM');
      const timer = setTimeout(() => this.#signal('SIGKILL'), stopMs);
      await this.#exited;
      clearTimeout(timer);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** For the way out, where nothing can be awaited. */
  killNow(): void {
    this.#signal('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#servingPid !== null && this.#servingPid !== this.#child.pid) {
      try {
        process.kill(this.#servingPid, signal);
      } catch {
        // it has ended already
      }
      if (signal === 'SIGTERM') return;
    }
    this.#child.kill(signal);
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
