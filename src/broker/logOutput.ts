import { constants, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isMainThread } from 'node:worker_threads';
import type pino from 'pino';
import { logLastMs, logRetryMs, logUnwrittenBytesMax } from '../base/limits.js';

export type LogStream = ReturnType<typeof pino.destination>;

const STDOUT = 1;

let output: LogStream | null = null;

/**
 * Standard output, as logs are written to: at once, but never waited for. What its reader does not take is kept, so much of it, and written when
 * that one goes on; `onLost` hears how many lines were lost meanwhile. One for all brokers of a process.
 */
export function standardOutput(open: typeof pino.destination, onLost: (lines: number) => void): LogStream {
  output ??= neverWaiting(open, onLost);
  return output;
}

function neverWaiting(open: typeof pino.destination, onLost: (lines: number) => void): LogStream {
  const fd = descriptor();
  const stream = open({ dest: fd, sync: true, maxLength: logUnwrittenBytesMax, retryEAGAIN: () => false });
  let isStuck = false;
  let lost = 0;
  const tryAgain = (): void => {
    isStuck = false;
    stream.write('');
  };
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EAGAIN' || isStuck) return;
    isStuck = true;
    setTimeout(tryAgain, logRetryMs).unref();
  });
  stream.on('drop', () => {
    lost++;
  });
  stream.on('drain', () => {
    if (lost === 0) return;
    const lines = lost;
    lost = 0;
    onLost(lines);
  });
  process.once('exit', () => {
    const endMs = performance.now() + logLastMs;
    while (isStuck && performance.now() < endMs) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, logRetryMs / 10);
      tryAgain();
    }
  });
  return stream;
}

/** Of standard output, one that does not block. */
function descriptor(): number {
  if (!isMainThread) return STDOUT;
  if (!isatty(STDOUT)) {
    // made with its first use, which has pipes and sockets not block
    void process.stdout.writable;
    return STDOUT;
  }
  try {
    return openSync(`/proc/self/fd/${STDOUT}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // a terminal of somebody else's may be stopped, and then holds up the main thread
    return STDOUT;
  }
}
