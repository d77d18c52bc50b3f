import type { ConfigSources } from '../options/config.js';
import { OPTION_NAMES, OPTIONS, type OptionName } from '../options/optionTable.js';

/** What `serve` is given on its command line, as text. */
export interface ServeFlags {
  readonly flags: ConfigSources['flags'];
  readonly config: string | null;
}

/** Options by how they are written: `--port`, `-p`. */
const byFlag: ReadonlyMap<string, OptionName> = new Map(
  OPTION_NAMES.flatMap((name) => {
    const { flag, short } = OPTIONS[name];
    return [[`--${flag}`, name] as const, ...(short ? [[`-${short}`, name] as const] : [])];
  }),
);

/** What nats-server calls combinations of its flags. */
const traceFlags: Readonly<Record<string, readonly string[]>> = {
  '-DV': ['--debug', '--trace'],
  '-VV': ['--trace-verbose'],
  '-DVV': ['--debug', '--trace-verbose'],
};

/** A command line without what is short for several flags, or means another thing to `serve` than before a command: `-V`. */
export function spelledOut(args: readonly string[]): readonly string[] {
  if (args[0] === '-V') return ['--version', ...args.slice(1)];
  return args[0] === 'serve' ? args.flatMap((arg) => traceFlags[arg] ?? arg) : args;
}

/**
 * Reads the arguments of `serve` where they are plain: each flag written out, with its value behind it. Null for all else, mistakes and help among
 * it: that is for commander, which says the same of what is plain, and takes longer to load than all of this.
 */
export function readPlainFlags(given: readonly string[]): ServeFlags | null {
  const args = given.flatMap((arg) => traceFlags[arg] ?? arg);
  const flags: { [K in OptionName]?: readonly string[] } = {};
  let config: string | null = null;
  for (let at = 0; at < args.length; at++) {
    const isConfig = args[at] === '--config' || args[at] === '-c';
    const name = byFlag.get(args[at]!);
    if (!isConfig && name === undefined) return null;
    if (name !== undefined && OPTIONS[name].kind.placeholder === null) {
      flags[name] = ['true'];
      continue;
    }
    const value = args[++at];
    if (value === undefined || value.startsWith('-')) return null;
    if (name === undefined) config = value;
    else flags[name] = OPTIONS[name].kind.many ? [...(flags[name] ?? []), value] : [value];
  }
  return { flags, config };
}

/** All that options are read from. */
export function sourcesOf({ flags, config }: ServeFlags): ConfigSources {
  return { flags, env: process.env, configFile: config ?? process.env.SHARDCAST_CONFIG ?? null };
}
