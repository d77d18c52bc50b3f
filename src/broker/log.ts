import { isatty } from 'node:tty';
import type { DestinationStream } from 'pino';
import { logUnwrittenBytesMax } from '../base/limits.js';
import { whenNeeded } from '../base/whenNeeded.js';
import type { BrokerOptions, LogLevel } from '../options/brokerOptions.js';
import type { LevelledLogger } from './logger.js';

const pino = whenNeeded<typeof import('pino')>('pino');
const pretty = whenNeeded<typeof import('pino-pretty')>('pino-pretty');

const STDOUT = 1;

export type LogOptions = Pick<BrokerOptions, 'logLevel' | 'debug' | 'pretty' | 'logFile'>;

/** The level that options ask for. */
export function levelOf({ logLevel, debug }: Pick<LogOptions, 'logLevel' | 'debug'>): LogLevel {
  return debug && logLevel !== 'trace' ? 'debug' : logLevel;
}

/**
 * A logger to standard output or a file: one JSON object a line, or with `pretty` lines for people (in colour on a terminal).
 * It writes synchronously: the broker logs little, and the fatal line before an exit must not be lost.
 */
function createLogger(options: LogOptions): LevelledLogger {
  const { logFile } = options;
  // A reader of the log that went away, or a disk that is full, must not take the broker with it, nor its memory.
  const destination = pino().destination({ dest: logFile ?? STDOUT, sync: true, maxLength: logUnwrittenBytesMax });
  destination.on('error', () => {});
  const log = pino().pino(
    { level: levelOf(options), base: { pid: process.pid }, timestamp: pino().stdTimeFunctions.isoTime },
    options.pretty ? prettyStream(destination, logFile === null) : destination,
  );
  const traces = log.child({}, { level: 'trace' });
  return Object.assign(log, {
    protocol: (line: string) => traces.trace(line),
    reopen: logFile === null ? null : () => destination.reopen(),
  });
}

function prettyStream(destination: DestinationStream & NodeJS.EventEmitter, isStdout: boolean): DestinationStream {
  return pretty()({
    destination: destination as never,
    sync: true,
    colorize: isStdout && isatty(STDOUT) && !process.env.NO_COLOR,
    ignore: 'pid',
    translateTime: 'SYS:HH:MM:ss.l',
  });
}

/** A logger that is made at the first call, and begins with warnings: loading pino takes longer than opening ports. */
export function logWhenNeeded(options: LogOptions, warnings: readonly string[] = []): () => LevelledLogger {
  let log: LevelledLogger | null = null;
  return () => {
    if (log !== null) return log;
    log = createLogger(options);
    for (const warning of warnings) log.warn(warning);
    return log;
  };
}
