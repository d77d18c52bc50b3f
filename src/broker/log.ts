import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { logUnwrittenBytesMax } from '../base/limits.js';
import { whenNeeded } from '../base/whenNeeded.js';
import type { BrokerOptions, LogLevel } from '../options/brokerOptions.js';
import type { LevelledLogger } from './logger.js';
import { type LogStream, standardOutput } from './logOutput.js';

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
 * It writes synchronously, but waits for nobody who reads it: the broker logs little, and the fatal line before an exit must not be lost.
 */
function createLogger(options: LogOptions): LevelledLogger {
  const { logFile } = options;
  const destination = logFile === null ? standardOutput(pino().destination, warnOfLost) : fileOf(logFile);
  const log = pino().pino(
    { level: levelOf(options), base: { pid: process.pid }, timestamp: pino().stdTimeFunctions.isoTime },
    options.pretty ? prettyStream(destination, logFile === null) : destination,
  );
  function warnOfLost(lines: number): void {
    log.warn({ lines }, 'lines of the log were lost: nobody took them from standard output');
  }
  const traces = log.child({}, { level: 'trace' });
  return Object.assign(log, {
    protocol: (line: string) => traces.trace(line),
    reopen: logFile === null ? null : () => destination.reopen(),
  });
}

/** A disk that is full must not take the broker with it, nor its memory. */
function fileOf(dest: string): LogStream {
  const stream = pino().destination({ dest, sync: true, maxLength: logUnwrittenBytesMax });
  stream.on('error', () => {});
  return stream;
}

function prettyStream(output: LogStream, isStdout: boolean): ReturnType<ReturnType<typeof pretty>> {
  // what the output does not take is kept there, and not in between
  const destination = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      output.write(text);
      done();
    },
  });
  return pretty()({
    destination,
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
