import { checkRules } from './option-rules.js';
import { OPTION_NAMES, OPTIONS, type OptionName, optionKind } from './option-table.js';
import { OptionsError } from './options-error.js';
import { suggest } from './suggest.js';

export type Order = 'topic' | 'publisher';
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Everything a broker can be told, resolved: every field has a value that is allowed. `option-table.ts` explains each. */
export interface BrokerOptions {
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  /** null means no such door; 0 any free port. */
  readonly jsonlPort: number | null;
  readonly wsPort: number | null;
  readonly wsCompression: boolean;
  /** Web pages that may connect; empty means all. */
  readonly wsOrigins: readonly string[];
  readonly clientAdvertise: string | null;
  readonly serverName: string;
  readonly portsFile: string | null;

  readonly shards: number;
  readonly order: Order;
  readonly pin: boolean;
  readonly strict: boolean;
  readonly refuse: readonly string[];
  readonly topics: readonly string[];
  /** Subjects and patterns whose last message is kept for subscribers to come. */
  readonly lastValue: readonly string[];
  /** Last messages that each shard keeps. */
  readonly lastValueMax: number;
  readonly lastValueMaxBytes: number;
  readonly data: string | null;

  readonly user: string | null;
  readonly pass: string | null;
  readonly token: string | null;
  readonly noAuth: boolean;

  readonly maxControlLineBytes: number;
  readonly maxPayloadBytes: number;
  readonly maxPendingBytes: number;
  readonly topicBufferBytes: number;
  readonly maxConnections: number;
  /** Per connection; 0 means no limit. */
  readonly maxSubscriptions: number;
  readonly memoryMaxBytes: number;
  /** 0 means automatic. */
  readonly laneBytes: number;

  readonly authTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly pingMax: number;
  readonly writeDeadlineMs: number;
  readonly lossWindowMs: number;
  readonly lingerUs: number;
  readonly lameDuckDurationMs: number;
  readonly lameDuckGraceMs: number;
  readonly drainTimeoutMs: number;

  readonly logLevel: LogLevel;
  readonly pretty: boolean;
}

/** Where the values of options came from, to be named in an error: `--port`, `SHARDCAST_PORT` or `file.yaml:3: port`. */
export type OptionSources = { readonly [K in OptionName]?: string };

/**
 * Fills in the defaults and validates every option alone and together with the others.
 *
 * @param given values as `BrokerOptions` describes them; a field that is missing or undefined gets its default
 * @param sources named in errors; the field's own name where there is none
 * @throws OptionsError for a value that is not allowed or an option that does not exist
 */
export function resolveOptions(
  given: { readonly [K in OptionName]?: BrokerOptions[K] | undefined } = {},
  sources: OptionSources = {},
): BrokerOptions {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(OPTIONS, name)) throw unknownOption(name);
  }
  const resolved: Partial<Record<OptionName, unknown>> = {};
  for (const name of OPTION_NAMES) {
    const value = given[name] === undefined ? OPTIONS[name].fallback() : optionKind(name).check(given[name]);
    if (value === undefined) throw notAllowed(name, String(given[name]), sources[name] ?? name);
    resolved[name] = value;
  }
  const options = Object.freeze(resolved) as BrokerOptions;
  checkRules(options, sources);
  return options;
}

/** The error for a value that an option does not allow. A secret is never shown. */
export function notAllowed(name: OptionName, shown: string, source: string): OptionsError {
  const what = OPTIONS[name].secret ? 'this value' : JSON.stringify(shown);
  return new OptionsError(`${source}: ${what} is not allowed; it must be ${OPTIONS[name].kind.allowed}`);
}

/** Which options differ: those that can change while the broker runs, and those that need a restart. */
export interface OptionsDiff {
  readonly changed: readonly OptionName[];
  readonly refused: readonly OptionName[];
}

/** Compares two sets of resolved options, field by field in the table's order. */
export function diffOptions(before: BrokerOptions, after: BrokerOptions): OptionsDiff {
  const differing = OPTION_NAMES.filter((name) => !isSame(before[name], after[name]));
  return {
    changed: differing.filter((name) => OPTIONS[name].reloadable),
    refused: differing.filter((name) => !OPTIONS[name].reloadable),
  };
}

/**
 * What a running broker's options become when it is asked to take new ones: the reloadable fields are taken, the others
 * stay. The mixture is validated again: a file that moves `host` to loopback and drops the password must not leave the
 * socket that is still open to the network without one.
 *
 * @throws OptionsError when the mixture is not allowed
 */
export function reloadOptions(
  running: BrokerOptions,
  wanted: BrokerOptions,
): OptionsDiff & { readonly options: BrokerOptions } {
  const diff = diffOptions(running, wanted);
  const taken = Object.fromEntries(diff.changed.map((name) => [name, wanted[name]]));
  return { ...diff, options: resolveOptions({ ...running, ...taken }) };
}

function unknownOption(name: string): OptionsError {
  const near = suggest(name, OPTION_NAMES);
  return new OptionsError(`there is no option ${JSON.stringify(name)}${near ? `; did you mean "${near}"?` : ''}`);
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => item === b[index]);
  return a === b;
}
