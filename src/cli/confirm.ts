import { createInterface } from 'node:readline';
import { CliError, usageError } from './exit.js';

/**
 * Asks somebody at a terminal whether to go on.
 *
 * @param isForced whether that was said already
 * @throws CliError when the answer is not yes, or nobody can be asked
 */
export async function confirm(question: string, isForced: boolean): Promise<void> {
  if (isForced) return;
  if (!process.stdin.isTTY) throw usageError(`${question} Nobody can be asked here: --force says yes`);
  if (!/^y(es)?$/i.test(await ask(`${question} (y/N) `))) throw new CliError('nothing was changed');
}

/** What is typed; nothing at the end of the input. */
function ask(question: string): Promise<string> {
  // not as a terminal of its own: Ctrl-C ends the process as it does elsewhere
  const lines = createInterface({ input: process.stdin, terminal: false });
  process.stderr.write(question);
  return new Promise((resolve) => {
    lines.once('line', resolve);
    lines.once('close', () => resolve(''));
  }).then((answer) => {
    lines.close();
    return answer as string;
  });
}
