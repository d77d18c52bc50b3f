import { inOneLine } from '../base/inOneLine.js';
import { OptionsError } from './optionsError.js';
import { OPTIONS, type OptionName, optionKind } from './optionTable.js';

/** Where the values of options came from, to be named in an error: `--port`, `SHARDCAST_PORT` or `file.yaml:3: port`. */
export type OptionSources = { readonly [K in OptionName]?: string };

/** How errors speak of options: as whoever gave them wrote them. */
export interface OptionWords {
  /** What an option is called. */
  name(option: OptionName): string;
  /** A value that is of the right kind. */
  value(option: OptionName, value: unknown): string;
  /** Ends the sentence "it must be ...". */
  allowed(option: OptionName): string;
  /** How a switch is turned on. */
  on(option: OptionName): string;
}

/** For options that stand in a program: names of fields, plain numbers. */
export const programWords: OptionWords = {
  name: (option) => option,
  value: (_, value) => inOneLine(value),
  allowed: (option) => optionKind(option).allowedValue,
  on: (option) => `${option}: true`,
};

/** For options that were given as text; one without a source has its default, and is called as it could be given. */
export function textWords(sources: OptionSources): OptionWords {
  const flag = (option: OptionName): string => `--${OPTIONS[option].flag}`;
  return {
    name: (option) => sources[option] ?? flag(option),
    value: (option, value) => optionKind(option).format(value as never),
    allowed: (option) => optionKind(option).allowed,
    on: flag,
  };
}

/** The error for a value that an option does not allow. A secret is never shown. */
export function notAllowed(option: OptionName, given: unknown, words: OptionWords): OptionsError {
  const what = OPTIONS[option].secret ? 'this value' : inOneLine(given);
  return new OptionsError(`${words.name(option)}: ${what} is not allowed; it must be ${words.allowed(option)}`);
}
