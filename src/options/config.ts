import { suggest } from '../base/suggest.js';
import type { BrokerOptions } from './brokerOptions.js';
import { readConfigFile, type Setting } from './configFile.js';
import { resolveOptions } from './options.js';
import { OptionsError } from './optionsError.js';
import { environmentName, OPTION_NAMES, OPTIONS, type OptionName, optionKind } from './optionTable.js';
import { notAllowed, textWords } from './optionWords.js';

/** Variables that begin like ours but are not options of the broker. */
const OTHER_VARIABLES = ['SHARDCAST_CONFIG', 'SHARDCAST_URL'];

/** Where options come from. */
export interface ConfigSources {
  /** What was given on the command line, as text. */
  readonly flags: { readonly [K in OptionName]?: readonly string[] };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** JSON or YAML; relative paths in it are relative to the working directory, as in nats-server. */
  readonly configFile: string | null;
}

export interface LoadedOptions {
  readonly options: BrokerOptions;
  /** What is probably a mistake, yet no reason to refuse: a line each. */
  readonly warnings: readonly string[];
}

/**
 * Gathers the options: a flag wins over the environment, that over the file, that over the default. A value that is
 * not allowed is an error even where another wins over it. May be called again to reload.
 *
 * @throws OptionsError naming the flag, the variable, or the file and line
 */
export function loadOptions(sources: ConfigSources): LoadedOptions {
  const settings = [
    ...(sources.configFile === null ? [] : readConfigFile(sources.configFile)),
    ...environmentSettings(sources.env),
    ...flagSettings(sources.flags),
  ];
  const values: Partial<Record<OptionName, unknown>> = {};
  const origins: Partial<Record<OptionName, string>> = {};
  for (const setting of settings) {
    values[setting.name] = settingValue(setting);
    origins[setting.name] = setting.source;
  }
  return {
    options: resolveOptions(values as Partial<BrokerOptions>, textWords(origins)),
    warnings: misspeltVariables(sources.env),
  };
}

/** An empty variable counts as one that is not set: compose files and CI systems cannot leave one out. */
function environmentSettings(env: ConfigSources['env']): Setting[] {
  return OPTION_NAMES.flatMap((name) => {
    const text = env[environmentName(name)];
    return text ? [{ name, texts: [text], source: environmentName(name) }] : [];
  });
}

function flagSettings(flags: ConfigSources['flags']): Setting[] {
  return OPTION_NAMES.flatMap((name) => {
    const texts = flags[name];
    return texts ? [{ name, texts, source: `--${OPTIONS[name].flag}` }] : [];
  });
}

function settingValue({ name, texts, source }: Setting): unknown {
  const kind = optionKind(name);
  if (texts === null) {
    if (kind.check(null) === null) return null;
    throw new OptionsError(`${source}: a value is missing; it must be ${kind.allowed}`);
  }
  const parsed = texts.map((text) => {
    const value = kind.parse(text);
    if (value === undefined) throw notAllowed(name, text, textWords({ [name]: source }));
    return value;
  });
  if (kind.many) return parsed.flat();
  if (parsed.length !== 1) throw new OptionsError(`${source}: one value is expected, not ${parsed.length}`);
  return parsed[0];
}

/** Only near misses: Kubernetes sets variables of its own for a service that is named like us. */
function misspeltVariables(env: ConfigSources['env']): string[] {
  const known = [...OPTION_NAMES.map(environmentName), ...OTHER_VARIABLES];
  return Object.keys(env).flatMap((variable) => {
    if (!variable.startsWith('SHARDCAST_') || known.includes(variable)) return [];
    const near = suggest(
      variable.slice('SHARDCAST_'.length),
      known.map((name) => name.slice('SHARDCAST_'.length)),
    );
    return near ? [`no option reads ${variable}; did you mean SHARDCAST_${near}?`] : [];
  });
}
