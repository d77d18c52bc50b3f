/** What the process ends with. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** An error the user is told in one line, and the code to end with. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** A wrong flag or argument. */
export function usageError(message: string): CliError {
  return new CliError(message, EXIT.usage);
}
