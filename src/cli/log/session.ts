import { inspectData, readConsumers, type StoredConsumer } from '../../broker/dataInspection.js';
import type { Inspection } from '../../log/inspection.js';
import { CliError, EXIT } from '../exit.js';
import { Output } from '../output.js';
import { ReadingProgress } from './readingProgress.js';

/** What all commands of `log` take. */
export interface LogOptions {
  readonly journalDir?: string;
  readonly json?: boolean;
}

/**
 * Reads a data directory, and works with what it has. The process ends with 1 when something is damaged.
 *
 * @throws CliError when it cannot be read
 */
export async function withInspection(
  directory: string,
  options: LogOptions,
  work: (inspection: Inspection, output: Output, consumers: readonly StoredConsumer[]) => Promise<void> | void,
): Promise<void> {
  const inspection = orUnreadable(() => inspectData(directory, options.journalDir ?? null));
  const output = new Output();
  try {
    const progress = new ReadingProgress('checked', inspection.filesBytes);
    orUnreadable(() => inspection.read((bytes) => progress.show(bytes)));
    progress.done();
    await work(
      inspection,
      output,
      orUnreadable(() => readConsumers(inspection)),
    );
    if (inspection.findings.length > 0) process.exitCode = EXIT.failure;
  } finally {
    await inspection.close();
    await output.end();
  }
}

/** Makes what keeps a directory from being read, or written, an error that is told in one line: what is our own mistake is told in full. @throws CliError */
export function orUnreadable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (Object.getPrototypeOf(error) !== Error.prototype) throw error;
    throw new CliError((error as Error).message, EXIT.usage, { cause: error });
  }
}
