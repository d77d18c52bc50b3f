import { OptionsError } from '../options/optionsError.js';
import { CliError, EXIT } from './exit.js';

/** Runs what a command line asks for; resolves with the code to end the process with. What it throws is told on standard error. */
export async function endOf(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    await writeError(describe(error));
    if (error instanceof CliError) return error.exitCode;
    return error instanceof OptionsError ? EXIT.usage : EXIT.failure;
  }
}

/** What went wrong by our own fault is told in full. */
function describe(error: unknown): string {
  if (error instanceof CliError || error instanceof OptionsError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function writeError(message: string): Promise<void> {
  return new Promise((resolve) => {
    process.stderr.once('error', () => resolve());
    process.stderr.write(`shardcast: ${message}\n`, () => resolve());
  });
}
