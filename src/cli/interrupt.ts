const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Calls `stop` on the first SIGINT or SIGTERM; the second ends the process at once. */
export function onInterrupt(stop: () => void): void {
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(EXIT_CODES[signal]);
      isStopping = true;
      stop();
    });
  }
}
