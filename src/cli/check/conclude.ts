import { CliError, EXIT, usageError } from '../exit.js';
import { Output } from '../output.js';
import { judge, type Levels, lineOf, type Measure, STATES, type Verdict } from './verdict.js';

/** Measures, prints what is to be thought of it, and sets the code to end with. What cannot be measured is critical. */
export async function conclude(about: string, measure: () => Promise<readonly Measure[]>): Promise<void> {
  let verdict: Verdict;
  try {
    verdict = judge(await measure());
  } catch (error) {
    verdict = failure(error);
  }
  const output = new Output();
  output.push(lineOf(about, verdict));
  process.exitCode = STATES[verdict.state];
  await output.end();
}

/** @throws CliError when a warning would come later than what is critical */
export function levelsOf(warning: number | undefined, critical: number | undefined): Levels {
  if (warning !== undefined && critical !== undefined && warning > critical)
    throw usageError('--warn must not be more than --critical');
  return { ...(warning === undefined ? {} : { warning }), ...(critical === undefined ? {} : { critical }) };
}

/** A wrong flag, or a fault of ours, says nothing about the server. */
function failure(error: unknown): Verdict {
  const isServers = error instanceof CliError && error.exitCode !== EXIT.usage;
  const text = error instanceof Error ? error.message : String(error);
  return { state: isServers ? 'CRITICAL' : 'UNKNOWN', text, measures: [] };
}
