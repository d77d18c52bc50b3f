import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { ListenError } from './listenError.js';
import type {
  FromMonitor,
  MonitorData,
  MonitorSettings,
  MonitorStarted,
  ToMonitor,
  WrongCredentials,
} from './monitorMessages.js';

/** The file that the monitor's thread runs. */
const monitorWorkerUrl = new URL('../../workers/monitor.js', import.meta.url);

/** What the monitor is started with, but for the ways to the shards. */
export type MonitorStart = Omit<MonitorData, 'shards'>;

/** The ends of the ways from the monitor to the shards, by shard: the monitor's, and the shards' own. */
export function makeMonitorPorts(shards: number): { readonly monitor: MessagePort[]; readonly shards: MessagePort[] } {
  const channels = Array.from({ length: shards }, () => new MessageChannel());
  return { monitor: channels.map(({ port1 }) => port1), shards: channels.map(({ port2 }) => port2) };
}

/** The monitor's thread as the main thread sees it. */
export class Monitor {
  /** Resolves with what went wrong when the thread ended without having been told to. */
  readonly failed: Promise<Error>;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #ports: readonly MessagePort[];
  #isListening = false;
  #isEnding = false;

  /** Starts the thread, which waits for `listen`. @param ports made by `makeMonitorPorts` */
  constructor(ports: readonly MessagePort[], onWrongCredentials: (event: WrongCredentials) => void) {
    this.#ports = ports;
    this.#worker = new Worker(monitorWorkerUrl, { name: 'monitor' });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.on('message', (message: FromMonitor) => {
      if (message.type === 'wrongCredentials') onWrongCredentials(message);
    });
    this.failed = new Promise((resolve) => {
      this.#worker.once('error', (error) => resolve(error as Error));
      this.#worker.once('exit', (code) => {
        if (!this.#isEnding) resolve(new Error(`the monitor ended by itself with code ${code}`));
      });
    });
  }

  /** Has it begin; resolves with the port, or with 0 where it does not listen. @throws ListenError */
  async listen(start: MonitorStart): Promise<number> {
    const { host, port } = start;
    this.#isListening = true;
    this.#worker.postMessage({ ...start, shards: this.#ports }, [...this.#ports]);
    const answer = await new Promise<MonitorStarted>((resolve) => this.#worker.once('message', resolve));
    if (answer.type === 'listening') return answer.port;
    throw new ListenError(host, port ?? 0, Object.assign(new Error(answer.message), { code: answer.code }));
  }

  /** Tells it what has changed. */
  update(settings: MonitorSettings): void {
    if (this.#isListening) this.#post({ type: 'settings', settings });
  }

  /** Lets the thread end, and ends it if it does not. */
  async end(): Promise<void> {
    this.#isEnding = true;
    // one that was told nothing yet waits for ever
    if (this.#isListening) this.#post({ type: 'exit' });
    const late = setTimeout(() => this.#worker.terminate(), this.#isListening ? 1_000 : 0);
    await this.#exited;
    clearTimeout(late);
  }

  #post(message: ToMonitor): void {
    this.#worker.postMessage(message);
  }
}
