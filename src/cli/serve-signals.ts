/** The signals a broker obeys, and the code to end with when one has to end it at once: 128 and its number. */
export const SERVE_SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGUSR2: 140, SIGHUP: 129 } as const;

export type ServeSignal = keyof typeof SERVE_SIGNALS;

/**
 * Catches the signals from its making on, and keeps those that come before the broker is up: a stop during the start
 * must neither kill a half-started broker nor be lost.
 */
export class ServeSignals {
  readonly #early: ServeSignal[] = [];
  #deliver: ((signal: ServeSignal) => void) | null = null;
  #isStopping = false;

  constructor() {
    for (const signal of Object.keys(SERVE_SIGNALS) as ServeSignal[]) {
      process.on(signal, () => this.#onSignal(signal));
    }
  }

  /** Hands over the signals so far, and every later one as it comes. */
  deliverTo(deliver: (signal: ServeSignal) => void): void {
    this.#deliver = deliver;
    for (const signal of this.#early.splice(0)) deliver(signal);
  }

  #onSignal(signal: ServeSignal): void {
    if (signal === 'SIGINT' || signal === 'SIGTERM') {
      if (this.#isStopping) process.exit(SERVE_SIGNALS[signal]);
      this.#isStopping = true;
    }
    if (this.#deliver) this.#deliver(signal);
    else this.#early.push(signal);
  }
}
