import { readFileSync } from 'node:fs';

/** The version in our package.json, which stands three folders above the compiled file. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version;
}
