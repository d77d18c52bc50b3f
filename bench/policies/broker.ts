import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const mainFile = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const ticksPerSecond = 100;

/** A broker in a process of its own. */
export class Broker {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(...args: string[]): Promise<Broker> {
    const directory = mkdtempSync(join(tmpdir(), 'shardcast-bench-'));
    const file = join(directory, 'ports.json');
    const common = ['serve', '--port', '0', '--shards', '1', '--write-deadline', '60s', '--ports-file', file];
    const child = spawn(process.execPath, [mainFile, ...common, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
    const port = await portIn(directory, file);
    rmSync(directory, { recursive: true, force: true });
    return new Broker(child, port);
  }

  /** Processor time of all its threads so far, in seconds. */
  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(stat[11]) + Number(stat[12])) / ticksPerSecond;
  }

  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** A watch sees the file come, and it may be seen half written. */
function portIn(directory: string, file: string): Promise<number> {
  return new Promise((resolve) => {
    const look = (): void => {
      let port: number;
      try {
        port = Number(new URL((JSON.parse(readFileSync(file, 'utf8')) as { nats: string[] }).nats[0]!).port);
      } catch {
        return; // not there yet, or half written
      }
      watcher.close();
      resolve(port);
    };
    const watcher = watch(directory, look);
    look();
  });
}
