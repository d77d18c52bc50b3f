import { type Command, CommanderError, InvalidArgumentError } from 'commander';

/** A finite number above zero. */
export function positiveNumber(text: string): number {
  const number = Number(text);
  if (!(number > 0 && Number.isFinite(number))) throw new InvalidArgumentError('It must be a number above zero.');
  return number;
}

export function positiveInteger(text: string): number {
  const number = positiveNumber(text);
  if (!Number.isInteger(number)) throw new InvalidArgumentError('It must be a whole number above zero.');
  return number;
}

/** Whole numbers above zero with commas between them, as `1,2,4`. */
export function positiveIntegers(text: string): number[] {
  return text.split(',').map(positiveInteger);
}

/** For an option that may be repeated. */
export function collected(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

/** Runs a command; what is wrong is told in a line on standard error, with 2 as the exit code. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.exitOverride().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) console.error(`${command.name()}: ${errorText(error)}`);
    else if (error.exitCode === 0) return;
    process.exit(2);
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
