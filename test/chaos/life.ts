import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** By its name, since this is run as it was built, too. */
const main = join(dirname(createRequire(import.meta.url).resolve('shardcast/package.json')), 'dist/src/cli/main.js');

export interface LifeOptions {
  readonly data: string;
  readonly shards: number;
  /** Largest file that the process may write, in KiB: beyond that its disk fails. Null for no bound. */
  readonly fileKibMax: number | null;
}

/** How a life ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One life of a broker: from its start until it is ended. */
export class Life {
  /** Resolves when it is over. */
  readonly ended: Promise<End>;
  /** What it wrote last. */
  output = '';
  readonly #child: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'shardcast-chaos-'));

  constructor({ data, shards, fileKibMax }: LifeOptions) {
    const ports = ['--port', '0', '--jsonl-port', '0', '--ports-file', this.#portsFile];
    const args = [main, 'serve', ...ports, '--shards', `${shards}`, '--data', data];
    const limit = fileKibMax === null ? '' : `ulimit -f ${fileKibMax};`;
    this.#child = spawn('bash', ['-c', `${limit} exec "$0" "$@"`, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-4096);
      });
    const sweep = (): void => this.end('SIGKILL');
    process.on('exit', sweep);
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      process.off('exit', sweep);
      rmSync(this.#folder, { recursive: true, force: true });
      return { code, signal };
    });
  }

  /** Resolves with its ports when it listens; with null when it ends before. */
  async listening(): Promise<{ nats: number; jsonl: number } | null> {
    const over = this.ended.then(() => true);
    while (!this.output.includes('"listening"'))
      if (await Promise.race([over, once(this.#child.stdout!, 'data').then(() => false)])) return null;
    const ports = JSON.parse(readFileSync(this.#portsFile, 'utf8')) as Record<'nats' | 'jsonl', string[]>;
    const portOf = (urls: readonly string[]) => Number(new URL(urls[0] as string).port);
    return { nats: portOf(ports.nats), jsonl: portOf(ports.jsonl) };
  }

  end(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get #portsFile(): string {
    return join(this.#folder, 'ports.json');
  }
}
