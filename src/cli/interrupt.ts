import { onLeftByNpx } from './parent.js';
import { isSecondStop } from './serveSignals.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Calls `stop`, with the code of a process that was ended by the signal, on the first SIGINT or SIGTERM; one that comes a second or
 * more after it ends the process at once.
 */
export function onInterrupt(stop: (exitCode: number) => void): void {
  let firstMs: number | null = null;
  const onSignal = (signal: keyof typeof EXIT_CODES): void => {
    const atMs = performance.now();
    if (firstMs === null) {
      firstMs = atMs;
      stop(EXIT_CODES[signal]);
    } else if (isSecondStop(firstMs, atMs)) process.exit(EXIT_CODES[signal]);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => onSignal(signal));
  onLeftByNpx(() => onSignal('SIGTERM'));
}

/** An interrupt of a command that takes payloads from somewhere: what it has taken is carried out, the rest is not. */
export class Interrupt {
  /** The code to end with, once there was one. */
  #exitCode: number | null = null;
  #left = false;

  constructor() {
    onInterrupt((exitCode) => {
      this.#exitCode = exitCode;
      // nothing more is wanted of it, and it may never end by itself
      process.stdin.destroy();
    });
  }

  /** The payloads that come before an interrupt. */
  async *guard(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const payload of source) {
        this.#left = this.#exitCode !== null;
        if (this.#left) return;
        yield payload;
      }
    } catch (error) {
      // the end of a standard input that was destroyed
      if (this.#exitCode === null) throw error;
      this.#left = true;
    }
  }

  /** Has the process end with the signal's code when something was left undone. */
  endEarly(): void {
    if (this.#left && this.#exitCode !== null) process.exitCode = this.#exitCode;
  }
}
