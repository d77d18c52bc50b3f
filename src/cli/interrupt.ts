import { onLeftByNpx } from './parent.js';
import { isSecondStop } from './serve-signals.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Calls `stop` on the first SIGINT or SIGTERM; one that comes a second or more after it ends the process at once. */
export function onInterrupt(stop: () => void): void {
  let firstMs: number | null = null;
  const onSignal = (signal: keyof typeof EXIT_CODES): void => {
    const atMs = performance.now();
    if (firstMs === null) {
      firstMs = atMs;
      stop();
    } else if (isSecondStop(firstMs, atMs)) process.exit(EXIT_CODES[signal]);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => onSignal(signal));
  onLeftByNpx(() => onSignal('SIGTERM'));
}
