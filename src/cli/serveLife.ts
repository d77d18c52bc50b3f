import type { LevelledLogger, Logger } from '../broker/logger.js';
import type { BrokerServer } from '../broker/server.js';
import { type ConfigSources, loadOptions } from '../options/config.js';
import { fileName } from '../options/optionTable.js';
import { textWords } from '../options/optionWords.js';
import { EXIT } from './exit.js';
import { isSecondStop, isStop, SERVE_SIGNALS, type ServeSignal } from './serveSignals.js';

/** A running broker and what the signals make of it. */
export class ServeLife {
  /** Resolves once the broker has ended, with the code to end the process with. */
  readonly ended: Promise<number>;

  readonly #broker: BrokerServer;
  readonly #sources: ConfigSources;
  readonly #log: Logger;
  readonly #end: (exitCode: number) => void;
  /** When the stop began, by `performance.now()`. */
  #stopMs: number | null = null;
  #isLameDuck = false;

  constructor(broker: BrokerServer, sources: ConfigSources, log: Logger) {
    this.#broker = broker;
    this.#sources = sources;
    this.#log = log;
    let end: (exitCode: number) => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#end = end;
    this.ended.then((exitCode) => {
      if (exitCode === EXIT.ok) log.info('stopped');
    });
    broker.failed.then(({ cause }) => this.#onFailure(cause));
  }

  onSignal(signal: ServeSignal, atMs: number): void {
    if (isStop(signal)) this.#stop(signal, atMs);
    else if (signal === 'SIGHUP') this.#reload();
    else if (signal === 'SIGUSR2') this.#lameDuck();
    else this.#reopenLog();
  }

  #reopenLog(): void {
    const { reopen } = this.#log as Partial<LevelledLogger>;
    if (reopen) reopen();
    this.#log.info({ signal: 'SIGUSR1' }, reopen ? 'the log file was reopened' : 'there is no log file to reopen');
  }

  /** Ends a lame duck before its time, unless it is SIGTERM: Kubernetes sends it behind a preStop hook, which was the duck. */
  #stop(signal: ServeSignal, atMs: number): void {
    if (this.#stopMs !== null) {
      if (isSecondStop(this.#stopMs, atMs)) this.#end(SERVE_SIGNALS[signal]);
      return;
    }
    if (signal === 'SIGTERM' && this.#isLameDuck) {
      this.#log.info({ signal }, 'lame duck: it goes on, and stops at its end');
      return;
    }
    this.#stopMs = atMs;
    this.#log.info({ signal }, 'stopping');
    this.#endAfter(this.#broker.stop());
  }

  #lameDuck(): void {
    if (this.#stopMs !== null || this.#isLameDuck) return;
    this.#isLameDuck = true;
    this.#log.info({ signal: 'SIGUSR2' }, 'lame duck: closing connections gently, then stopping');
    this.#endAfter(this.#broker.lameDuck());
  }

  #endAfter(done: Promise<void>): void {
    done.then(
      () => this.#end(EXIT.ok),
      (error) => this.#onFailure(error),
    );
  }

  #onFailure(error: unknown): void {
    this.#log.fatal({ err: error }, 'the broker failed');
    this.#end(EXIT.failure);
  }

  /** What cannot be read, or is not allowed, changes nothing. */
  #reload(): void {
    if (this.#stopMs !== null) {
      this.#log.info('not reloaded: the broker is stopping');
      return;
    }
    try {
      const { options, warnings } = loadOptions(this.#sources);
      for (const warning of warnings) this.#log.warn(warning);
      const { changed, refused } = this.#broker.reload(options, textWords({}));
      this.#log.info({ changed: changed.map(fileName) }, changed.length > 0 ? 'reloaded' : 'reloaded: no changes');
      if (refused.length > 0) this.#log.warn({ refused: refused.map(fileName) }, 'these options need a restart');
    } catch (error) {
      this.#log.error(`not reloaded, the options stay as they are: ${(error as Error).message}`);
    }
  }
}
