import { isatty } from 'node:tty';
import { type DestinationStream, destination, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import type { LevelledLogger } from './logger.js';
import type { LogLevel } from './options.js';

const STDOUT = 1;

/**
 * A logger to standard output: one JSON object a line, or with `pretty` lines for people (in colour on a terminal).
 * It writes synchronously: the broker logs little, and the fatal line before an exit must not be lost.
 */
export function createLogger(options: { readonly level: LogLevel; readonly pretty: boolean }): LevelledLogger {
  const stdout = destination({ dest: STDOUT, sync: true });
  // A reader of the log that went away must not take the broker with it.
  stdout.on('error', () => {});
  return pino(
    { level: options.level, base: { pid: process.pid }, timestamp: stdTimeFunctions.isoTime },
    options.pretty ? prettyStream(stdout) : stdout,
  );
}

function prettyStream(stdout: DestinationStream & NodeJS.EventEmitter): DestinationStream {
  return pretty({
    destination: stdout as never,
    sync: true,
    colorize: isatty(STDOUT) && !process.env.NO_COLOR,
    ignore: 'pid',
    translateTime: 'SYS:HH:MM:ss.l',
  });
}
