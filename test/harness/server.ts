import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { readExposition, type ScrapedSample } from './exposition.js';
import { describeProcess, orHang } from './hang.js';
import { isOracle } from './target.js';

/** Options that both servers read from a JSON file, under NATS's own names. */
export interface BrokerConfig {
  readonly authorization?: {
    readonly user?: string;
    readonly password?: string;
    readonly token?: string;
    readonly timeout?: number;
    /** nats-server's alone. */
    readonly users?: readonly { user: string; password: string }[];
  };
  /** nats-server's alone: who is of which account. */
  readonly accounts?: Readonly<Record<string, { readonly users: readonly { user: string; password: string }[] }>>;
  /** nats-server's alone: the broker has streams without being told. */
  readonly jetstream?: { readonly store_dir: string; readonly domain?: string };
  readonly server_name?: string;
  /** -1 is any free one. */
  readonly http_port?: number;
  readonly debug?: boolean;
  readonly trace?: boolean;
  readonly max_traced_msg_len?: number;
  readonly max_connections?: number;
  readonly max_control_line?: number;
  readonly max_payload?: number;
  readonly max_pending?: number;
  readonly max_subscriptions?: number;
  readonly ping_interval?: string;
  readonly ping_max?: number;
  readonly write_deadline?: string;
  readonly lame_duck_duration?: string;
  readonly lame_duck_grace_period?: string;
}

/** What a monitoring port answers. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into it as they please
export type Monitored = any;

export interface BrokerOptions {
  /** 1 unless said: with more, the order between topics is promised only with `order: 'publisher'`. */
  readonly shards?: number;
  readonly order?: 'topic' | 'publisher';
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly config?: BrokerConfig;
  /** Further flags of `shardcast serve`; nats-server does not get them. */
  readonly args?: readonly string[];
  /** Limits the addresses the process may use (`ulimit -v`), in KiB. */
  readonly addressKib?: number;
  /** Limits the descriptors the process may have (`ulimit -n`). */
  readonly descriptorsMax?: number;
  /** nats-server in place of the broker, for tests that compare the two in one run. */
  readonly oracle?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const mainFile = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const running = new Set<Broker>();

/** A broker under test: a child process with a directory of its own, stopped and swept away after the test file. */
export class Broker {
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #log: Log;
  readonly #directory: string;

  private constructor(child: ChildProcess, exited: Promise<Exit>, log: Log, directory: string, port: number) {
    this.#child = child;
    this.#log = log;
    this.#directory = directory;
    this.exited = exited;
    this.pid = child.pid as number;
    this.port = port;
  }

  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const directory = mkdtempSync(join(tmpdir(), 'shardcast-test-'));
    writeFileSync(configFile(directory), configText(options));
    const oracle = options.oracle ?? isOracle;
    const command = oracle ? natsCommand(directory) : shardcastCommand(directory, options);
    const [file, args] = limited(command, options);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = new Log(child);
    const exited = exitOf(child);
    sweepOnExit(child);
    try {
      const failed = exited.then((exit): never => {
        throw new Error(`the broker ended before it listened (${JSON.stringify(exit)}):\n${log.text}`);
      });
      const listening = oracle ? natsPort(log) : shardcastPort(directory);
      const describe = (): string =>
        [describeProcess(child.pid as number), ...readdirSync(directory), log.text].join('\n');
      const port = await orHang('the start of a broker', describe, Promise.race([listening, failed]));
      const broker = new Broker(child, exited, log, directory, port);
      running.add(broker);
      return broker;
    } catch (error) {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** The port of another door, which `args` have opened. */
  doorPort(door: 'jsonl' | 'websocket' | 'monitoring'): number {
    const ports = JSON.parse(readFileSync(join(this.#directory, 'ports.json'), 'utf8')) as Record<string, string[]>;
    return Number(new URL(ports[door]?.[0] as string).port);
  }

  /** The port where it is monitored, when its configuration has one. */
  get monitoringPort(): number {
    const [, theirs] = /Starting http monitor on 127\.0\.0\.1:(\d+)/.exec(this.output) ?? [];
    return theirs === undefined ? this.doorPort('monitoring') : Number(theirs);
  }

  /** What it answers over HTTP, which must be JSON. */
  async monitored(path: string): Promise<Monitored> {
    const response = await fetch(`http://127.0.0.1:${this.monitoringPort}${path}`);
    const text = await response.text();
    if (response.status >= 300) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Monitored;
  }

  /** What it answers to Prometheus. */
  async scraped(): Promise<ScrapedSample[]> {
    const response = await fetch(`http://127.0.0.1:${this.monitoringPort}/metrics`);
    if (response.status !== 200) throw new Error(`/metrics: ${response.status} ${await response.text()}`);
    return readExposition(await response.text());
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** All the broker has written to stdout and stderr so far. */
  get output(): string {
    return this.#log.text;
  }

  /** Resident memory now, in bytes. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Open descriptors now. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Waits until the broker has written something that matches. */
  logged(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#log.find(pattern);
  }

  /** Replaces the configuration file; the broker looks at it again on SIGHUP. */
  rewriteConfig(options: BrokerOptions): void {
    writeFileSync(configFile(this.#directory), configText({ port: this.port, ...options }));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(): Promise<Exit> {
    this.#child.kill('SIGTERM');
    const exit = await this.exited;
    this.#forget();
    return exit;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
    this.#forget();
  }

  #forget(): void {
    running.delete(this);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What a child wrote to stdout and stderr, and a way to wait for a line of it without polling. */
class Log {
  text = '';
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of this.#streams()) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.text += chunk;
      });
    }
  }

  #streams(): Readable[] {
    return [this.#child.stdout as Readable, this.#child.stderr as Readable];
  }

  find(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.text);
        if (match) finish(() => resolve(match));
      };
      const gone = (): void => finish(() => reject(new Error(`ended without logging ${pattern}:\n${this.text}`)));
      const finish = (settle: () => void): void => {
        for (const stream of this.#streams()) stream.off('data', look);
        this.#child.off('close', gone);
        settle();
      };
      for (const stream of this.#streams()) stream.on('data', look);
      this.#child.on('close', gone);
      look();
    });
  }
}

function configFile(directory: string): string {
  return join(directory, 'broker.json');
}

function configText({ config = {}, port = 0, oracle = isOracle }: BrokerOptions): string {
  // Both servers take JSON. nats-server must get its port here; ours gets it as a flag, as the issue states it.
  return JSON.stringify(oracle ? { host: '127.0.0.1', port: port || -1, ...config } : config);
}

function natsCommand(directory: string): [string, string[]] {
  return [process.env.SHARDCAST_NATS_SERVER ?? 'nats-server', ['-c', configFile(directory)]];
}

function shardcastCommand(directory: string, options: BrokerOptions): [string, string[]] {
  const args = [mainFile, 'serve', '--port', String(options.port ?? 0), '--log-level', 'warn'];
  args.push('--ports-file', join(directory, 'ports.json'));
  // A configuration may state it too, and a flag would win over that.
  if (!('shards' in (options.config ?? {}))) args.push('--shards', String(options.shards ?? 1));
  if (options.order !== undefined) args.push('--order', options.order);
  if (options.config !== undefined) args.push('--config', configFile(directory));
  return [process.execPath, [...args, ...(options.args ?? [])]];
}

/** The command as a shell runs it that is limited as the options say. */
function limited(command: [string, string[]], { addressKib, descriptorsMax }: BrokerOptions): [string, string[]] {
  if (addressKib === undefined && descriptorsMax === undefined) return command;
  const [file, args] = command;
  const limits = [addressKib && `-v ${addressKib}`, descriptorsMax && `-n ${descriptorsMax}`].filter(Boolean);
  return ['bash', ['-c', `ulimit ${limits.join(' ')}; exec "$0" "$@"`, file, ...args]];
}

async function natsPort(log: Log): Promise<number> {
  const match = await log.find(/Listening for client connections on 127\.0\.0\.1:(\d+)/);
  await log.find(/Server is ready/);
  return Number(match[1]);
}

/** Waits for a whole ports file: a watch sees it come, and it may be seen half written. */
function shardcastPort(directory: string): Promise<number> {
  return new Promise((resolve) => {
    const look = (): void => {
      const port = readPort(join(directory, 'ports.json'));
      if (port === undefined) return;
      watcher.close();
      resolve(port);
    };
    const watcher = watch(directory, look);
    look();
  });
}

function readPort(file: string): number | undefined {
  try {
    const ports = JSON.parse(readFileSync(file, 'utf8')) as { nats: string[] };
    return Number(new URL(ports.nats[0] as string).port);
  } catch {
    return undefined;
  }
}

/** Its end, once all that it wrote has been read. */
async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal };
}

/** If the test process itself ends early, its brokers must not outlive it. */
function sweepOnExit(child: ChildProcess): void {
  const sweep = (): void => void child.kill('SIGKILL');
  process.on('exit', sweep);
  child.on('exit', () => process.off('exit', sweep));
}

/** One broker for all tests of the enclosing file or describe; it must have survived them all and end well. */
export function useBroker(options: BrokerOptions = {}): { readonly port: number; readonly broker: Broker } {
  let broker: Broker | undefined;
  beforeAll(async () => {
    broker = await Broker.start(options);
  });
  afterAll(async () => {
    const exit = await broker?.stop();
    if (!isOracle && exit?.code !== 0)
      throw new Error(`the broker ended badly (${JSON.stringify(exit)}):\n${broker?.output}`);
  });
  return {
    get port() {
      return (broker as Broker).port;
    },
    get broker() {
      return broker as Broker;
    },
  };
}

afterAll(async () => {
  await Promise.all([...running].map((broker) => broker.kill()));
});
