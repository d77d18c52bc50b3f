import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from './units.js';

/** How the value of an option is written as text, and which values are allowed. */
export interface OptionKind<T> {
  /** What stands for the value in the help text; null for a switch, which takes none. */
  readonly placeholder: string | null;
  /** Ends the sentence "it must be ...", of a text. */
  readonly allowed: string;
  /** The same of a value in a program. */
  readonly allowedValue: string;
  /** Whether the option may be given more than once. */
  readonly many: boolean;
  /** The value a text stands for, or undefined when the text is not allowed. */
  parse(text: string): T | undefined;
  /** The value itself, in its normal form, or undefined when it is not allowed. */
  check(value: unknown): T | undefined;
  /** The value as a user would write it. */
  format(value: T): string;
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): OptionKind<number> {
  const check = (value: unknown) => (isWholeWithin(value, min, max) ? value : undefined);
  const allowed = `a whole number from ${min} to ${max}`;
  return {
    placeholder: 'N',
    allowed,
    allowedValue: allowed,
    many: false,
    check,
    parse: (text) => (/^[+-]?\d+$/.test(text.trim()) ? check(Number(text)) : undefined),
    format: String,
  };
}

/** A TCP port. -1 is nats-server's way, and 0 the system's, to say any free one; both become 0. */
export function port(): OptionKind<number> {
  const number = whole(-1, 65_535);
  const allowed = 'a port from 1 to 65535, or 0 or -1 for any free one';
  return {
    ...number,
    placeholder: 'PORT',
    allowed,
    allowedValue: allowed,
    parse: (text) => mapDefined(number.parse(text), anyToZero),
    check: (value) => mapDefined(number.check(value), anyToZero),
  };
}

/** A number of bytes from `min` to `max`. */
export function bytes(min: number, max: number): OptionKind<number> {
  const check = (value: unknown) => (isWholeWithin(value, min, max) ? value : undefined);
  return {
    placeholder: 'SIZE',
    allowed: `a size from ${formatBytes(min)} to ${formatBytes(max)}, such as 65536, 64KB or 1MiB`,
    allowedValue: `a whole number of bytes from ${min} to ${max}`,
    many: false,
    check,
    parse: (text) => check(parseBytes(text)),
    format: formatBytes,
  };
}

/** A ring's size in bytes: a power of two, so that a position becomes an index by one mask; 0 leaves the choice to us. */
export function ringBytes(min: number, max: number): OptionKind<number> {
  const check = (value: unknown) =>
    value === 0 || (isWholeWithin(value, min, max) && Number.isInteger(Math.log2(value)))
      ? (value as number)
      : undefined;
  return {
    placeholder: 'SIZE',
    allowed: `a power of two from ${formatBytes(min)} to ${formatBytes(max)}, or 0 for automatic`,
    allowedValue: `a power of two from ${min} to ${max}, in bytes, or 0 for automatic`,
    many: false,
    check,
    parse: (text) => check(parseBytes(text)),
    format: (value) => (value === 0 ? 'automatic' : formatBytes(value)),
  };
}

/** A duration from `minMs` to `maxMs`, in milliseconds as a value. */
export function duration(minMs: number, maxMs: number): OptionKind<number> {
  const check = (value: unknown) => (isWholeWithin(value, minMs, maxMs) ? value : undefined);
  return {
    placeholder: 'TIME',
    allowed: `a time from ${formatDurationMs(minMs)} to ${formatDurationMs(maxMs)}, such as 500ms, 2s or 2 (seconds)`,
    allowedValue: `a whole number of milliseconds from ${minMs} to ${maxMs}`,
    many: false,
    check,
    parse: (text) => check(parseDurationMs(text)),
    format: formatDurationMs,
  };
}

/** One of a few words. */
export function choice<const T extends string>(...values: readonly T[]): OptionKind<T> {
  const check = (value: unknown) => values.find((known) => known === value);
  return {
    placeholder: values.length <= 3 ? values.join('|') : 'WORD',
    allowed: `one of ${values.join(', ')}`,
    allowedValue: `one of ${values.map((value) => `'${value}'`).join(', ')}`,
    many: false,
    check,
    parse: (text) => check(text.trim().toLowerCase()),
    format: (value) => value,
  };
}

/** Yes or no. */
export function yesOrNo(): OptionKind<boolean> {
  return {
    placeholder: null,
    allowed: 'true or false',
    allowedValue: 'true or false',
    many: false,
    check: (value) => (typeof value === 'boolean' ? value : undefined),
    parse: (text) => {
      if (/^(true|yes|on|1)$/i.test(text.trim())) return true;
      return /^(false|no|off|0)$/i.test(text.trim()) ? false : undefined;
    },
    format: String,
  };
}

/** A text for which `accepts` holds. */
export function text(
  placeholder: string,
  allowed: string,
  accepts: (value: string) => boolean = (value) => value.length > 0,
): OptionKind<string> {
  const check = (value: unknown) => (typeof value === 'string' && accepts(value) ? value : undefined);
  return { placeholder, allowed, allowedValue: allowed, many: false, check, parse: check, format: (value) => value };
}

/** An option that may also be null, which no text can say: leaving it out does. */
export function optional<T>(kind: OptionKind<T>): OptionKind<T | null> {
  return {
    ...kind,
    allowedValue: `${kind.allowedValue}, or null for none`,
    check: (value) => (value === null ? null : kind.check(value)),
    format: (value) => (value === null ? 'none' : kind.format(value)),
  };
}

/** Any number of values; as one text they are separated by commas. */
export function list<T>(kind: OptionKind<T>): OptionKind<readonly T[]> {
  return {
    placeholder: kind.placeholder,
    allowed: `${kind.allowed} (any number of them)`,
    allowedValue: `an array, of which each is ${kind.allowedValue}`,
    many: true,
    check: (value) => (Array.isArray(value) ? allDefined(value.map((item) => kind.check(item))) : undefined),
    parse: (value) => allDefined(value.split(',').map((item) => kind.parse(item.trim()))),
    format: (values) => (values.length === 0 ? 'none' : values.map((value) => kind.format(value)).join(',')),
  };
}

function isWholeWithin(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function anyToZero(value: number): number {
  return value === -1 ? 0 : value;
}

function mapDefined<T>(value: T | undefined, change: (value: T) => T): T | undefined {
  return value === undefined ? undefined : change(value);
}

function allDefined<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  return values.includes(undefined) ? undefined : (values as readonly T[]);
}
