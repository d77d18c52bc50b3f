import { readFileSync } from 'node:fs';
import { usageError } from './exit.js';

/**
 * What a file of `--config` says.
 *
 * @throws CliError (usage)
 */
export function readConfig<T extends object>(file: string | undefined): Partial<T> {
  if (file === undefined) return {};
  try {
    const config: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as Partial<T>;
  } catch (error) {
    throw usageError(`--config ${file}: ${(error as Error).message}`);
  }
  throw usageError(`--config ${file}: a JSON object is expected`);
}
