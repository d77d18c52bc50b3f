import { isatty } from 'node:tty';
import type { DestinationStream } from 'pino';
import { whenNeeded } from '../base/whenNeeded.js';
import type { LogLevel } from '../options/brokerOptions.js';
import type { LevelledLogger } from './logger.js';

const pino = whenNeeded<typeof import('pino')>('pino');
const pretty = whenNeeded<typeof import('pino-pretty')>('pino-pretty');

const STDOUT = 1;

/**
 * A logger to standard output: one JSON object a line, or with `pretty` lines for people (in colour on a terminal).
 * It writes synchronously: the broker logs little, and the fatal line before an exit must not be lost.
 */
function createLogger(options: { readonly logLevel: LogLevel; readonly pretty: boolean }): LevelledLogger {
  const stdout = pino().destination({ dest: STDOUT, sync: true });
  // A reader of the log that went away must not take the broker with it.
  stdout.on('error', () => {});
  return pino().pino(
    { level: options.logLevel, base: { pid: process.pid }, timestamp: pino().stdTimeFunctions.isoTime },
    options.pretty ? prettyStream(stdout) : stdout,
  );
}

function prettyStream(stdout: DestinationStream & NodeJS.EventEmitter): DestinationStream {
  return pretty()({
    destination: stdout as never,
    sync: true,
    colorize: isatty(STDOUT) && !process.env.NO_COLOR,
    ignore: 'pid',
    translateTime: 'SYS:HH:MM:ss.l',
  });
}

/** A logger that is made at the first call, and begins with warnings: loading pino takes longer than opening ports. */
export function logWhenNeeded(
  options: { readonly logLevel: LogLevel; readonly pretty: boolean },
  warnings: readonly string[] = [],
): () => LevelledLogger {
  let log: LevelledLogger | null = null;
  return () => {
    if (log !== null) return log;
    log = createLogger(options);
    for (const warning of warnings) log.warn(warning);
    return log;
  };
}
