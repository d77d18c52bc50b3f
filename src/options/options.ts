import { suggest } from '../base/suggest.js';
import type { BrokerOptions } from './brokerOptions.js';
import { checkRules } from './optionRules.js';
import { OptionsError } from './optionsError.js';
import { OPTION_NAMES, OPTIONS, type OptionName, optionKind } from './optionTable.js';
import { notAllowed, type OptionWords, programWords } from './optionWords.js';

/** Some of the options; what is missing or undefined is not said. */
export type SomeOptions = { readonly [K in OptionName]?: BrokerOptions[K] | undefined };

/**
 * Fills in the defaults and validates every option alone and together with the others.
 *
 * @param given values as `BrokerOptions` describes them; a field that is missing or undefined gets its default
 * @param words how errors speak of the options: as a program wrote them where nothing else is said
 * @throws OptionsError for a value that is not allowed or an option that does not exist
 */
export function resolveOptions(given: SomeOptions = {}, words: OptionWords = programWords): BrokerOptions {
  checkOptionNames(given);
  const resolved: Partial<Record<OptionName, unknown>> = {};
  for (const name of OPTION_NAMES) {
    const value = given[name] === undefined ? OPTIONS[name].fallback() : optionKind(name).check(given[name]);
    if (value === undefined) throw notAllowed(name, given[name], words);
    resolved[name] = value;
  }
  const options = Object.freeze(resolved) as BrokerOptions;
  checkRules(options, words);
  return options;
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
 * What a running broker's options become when it is asked to take new ones: of the fields that are given the reloadable
 * ones are taken, all others stay. The mixture is validated again: a file that moves `host` to loopback and drops the password must not leave the
 * socket that is still open to the network without one.
 *
 * @throws OptionsError for an option that does not exist, and when a value or the mixture is not allowed
 */
export function reloadOptions(
  running: BrokerOptions,
  given: SomeOptions,
  words?: OptionWords,
): OptionsDiff & { readonly options: BrokerOptions } {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new OptionsError('options to reload must be an object');
  checkOptionNames(given);
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const wanted = resolveOptions({ ...running, ...named }, words);
  const diff = diffOptions(running, wanted);
  const taken = Object.fromEntries(diff.changed.map((name) => [name, wanted[name]]));
  return { ...diff, options: resolveOptions({ ...running, ...taken }, words) };
}

/**
 * @param others names that are allowed besides, where the object has more than options of the broker
 * @throws OptionsError for an option that does not exist
 */
export function checkOptionNames(given: object, others: readonly string[] = []): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(OPTIONS, name) || others.includes(name)) continue;
    const near = suggest(name, [...OPTION_NAMES, ...others]);
    throw new OptionsError(`there is no option ${JSON.stringify(name)}${near ? `; did you mean "${near}"?` : ''}`);
  }
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => item === b[index]);
  return a === b;
}
