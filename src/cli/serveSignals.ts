import { onLeftByNpx } from './parent.js';

/** The signals a broker obeys, and the code to end with when one has to end it at once: 128 and its number. */
export const SERVE_SIGNALS = {
  SIGINT: 130,
  SIGTERM: 143,
  SIGQUIT: 131,
  SIGUSR1: 138,
  SIGUSR2: 140,
  SIGHUP: 129,
} as const;

export type ServeSignal = keyof typeof SERVE_SIGNALS;

/** Told of a signal, and when it came by `performance.now()`. */
export type OnSignal = (signal: ServeSignal, atMs: number) => void;

/** Stop signals so close together are one: a terminal's Ctrl-C reaches the child of npm twice. In milliseconds. */
const oneStopMs = 1_000;

/** Whether a signal asks the broker to drain and stop. */
export function isStop(signal: ServeSignal): boolean {
  return signal === 'SIGINT' || signal === 'SIGTERM' || signal === 'SIGQUIT';
}

/** Whether a stop signal is one more than that which came at `firstMs`: somebody does not want to wait. */
export function isSecondStop(firstMs: number, atMs: number): boolean {
  return atMs - firstMs >= oneStopMs;
}

/**
 * Catches the signals from its making on, and keeps those that come before the broker is up: a stop during the start
 * must neither kill a half-started broker nor be lost, and SIGUSR1 must not open Node's inspector to everybody here.
 */
export class ServeSignals {
  static #ofProcess: ServeSignals | null = null;
  readonly #early: { readonly signal: ServeSignal; readonly atMs: number }[] = [];
  readonly #nowMs: () => number;
  #deliver: OnSignal | null = null;

  constructor(nowMs = () => performance.now()) {
    this.#nowMs = nowMs;
    for (const signal of Object.keys(SERVE_SIGNALS) as ServeSignal[]) {
      process.on(signal, () => this.#onSignal(signal));
    }
    onLeftByNpx(() => this.#onSignal('SIGTERM'));
  }

  /** The process's own: the command line makes it before it loads anything else. */
  static ofProcess(): ServeSignals {
    ServeSignals.#ofProcess ??= new ServeSignals();
    return ServeSignals.#ofProcess;
  }

  /** Hands over the signals so far, and every later one as it comes. */
  deliverTo(deliver: OnSignal): void {
    this.#deliver = deliver;
    for (const { signal, atMs } of this.#early.splice(0)) deliver(signal, atMs);
  }

  #onSignal(signal: ServeSignal): void {
    const atMs = this.#nowMs();
    if (this.#deliver !== null) {
      this.#deliver(signal, atMs);
      return;
    }
    const first = this.#early.find((early) => isStop(early.signal));
    if (first !== undefined && isStop(signal) && isSecondStop(first.atMs, atMs)) process.exit(SERVE_SIGNALS[signal]);
    this.#early.push({ signal, atMs });
  }
}
