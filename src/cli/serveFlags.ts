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

/**
 * Reads the arguments of `serve` where they are plain: each flag written out, with its value behind it. Null for all else, mistakes and help among
 * it: that is for commander, which says the same of what is plain, and takes longer to load than all of this.
 */
export function readPlainFlags(args: readonly string[]): ServeFlags | null {
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
