import { parseTime } from '../times.js';
import { goTimeError } from './goTime.js';
import { Fraction, type Parsed, type ParsedObject, writeJson } from './json.js';

/**
 * Takes values out of what was parsed, as Go's decoder would: the first that does not fit is remembered, and the rest is read all the
 * same, so that every error has nats-server's own words.
 */
export class Decoding {
  error: string | null = null;
  /** Name of the structure in errors. */
  readonly #root: string;
  readonly strict: boolean;

  /** @param strict whether an unknown key is an error, and values may follow each other */
  constructor(root: string, strict = true) {
    this.#root = root;
    this.strict = strict;
  }

  note(error: string): void {
    this.error ??= error;
  }

  /** A value that is none of those that a field may have. */
  noteUnknown(value: Parsed): void {
    this.note(`can not unmarshal ${JSON.stringify(writeJson(value))}`);
  }

  /** Calls back for each field of an object that is no null; what is not known is an error. */
  object(value: Parsed, path: string, goType: string, fields: Readonly<Record<string, (value: Parsed) => void>>): void {
    if (value === null) return;
    if (!(value instanceof Map)) {
      this.#mismatch(value, path, goType);
      return;
    }
    for (const [key, field] of value as ParsedObject) {
      // keys are found whatever their case
      const name = Object.hasOwn(fields, key) ? key : key.toLowerCase();
      if (Object.hasOwn(fields, name)) fields[name]?.(field);
      else if (this.strict) this.note(`json: unknown field ${JSON.stringify(key)}`);
    }
  }

  text(value: Parsed, path: string): string {
    if (typeof value === 'string') return value;
    return this.#mismatch(value, path, 'string', '');
  }

  /** A text that Go decodes by itself: it has lost what field it stands in, and a null is ''. */
  loneText(value: Parsed): string {
    if (typeof value === 'string') return value;
    if (value === null) return '';
    this.note(`json: cannot unmarshal ${kindOf(value)} into Go value of type string`);
    return '';
  }

  flag(value: Parsed, path: string): boolean {
    if (typeof value === 'boolean') return value;
    return this.#mismatch(value, path, 'bool', false);
  }

  whole(value: Parsed, path: string, goType: keyof typeof ranges): bigint {
    const whole = wholeOf(value, goType);
    if (whole === null) return this.#mismatch(value, path, goType, 0n);
    const [min, max] = ranges[goType];
    if (whole !== undefined && whole >= min && whole <= max) return whole;
    const number = writeJson(value);
    this.note(`json: cannot unmarshal number ${number} into Go struct field ${this.#root}.${path} of type ${goType}`);
    return 0n;
  }

  /** Microseconds since 1970. */
  time(value: Parsed, path: string): number {
    if (typeof value !== 'string') return this.#mismatch(value, path, 'time.Time', 0);
    const timeUs = parseTime(value);
    if (timeUs === null) this.note(goTimeError(value) ?? `parsing time ${JSON.stringify(value)}: not a time`);
    return timeUs ?? 0;
  }

  texts(value: Parsed, path: string): string[] {
    if (Array.isArray(value)) return value.map((each, i) => this.#element(each, `${path}.${i}`));
    return this.#mismatch(value, path, '[]string', []);
  }

  #element(value: Parsed, path: string): string {
    if (typeof value === 'string') return value;
    this.#noteElement(value, path, 'string');
    return '';
  }

  /** Go names elements in another way. */
  #noteElement(value: Parsed, path: string, goType: string): void {
    if (value !== null)
      this.note(`json: cannot unmarshal ${kindOf(value)} into ${this.#root}.${path} of type ${goType}`);
  }

  wholes(value: Parsed, path: string, goType: keyof typeof ranges): bigint[] {
    if (!Array.isArray(value)) return this.#mismatch(value, path, `[]${goType}`, []);
    return value.map((each, i) => {
      if (typeof each === 'bigint' || each instanceof Fraction) return this.whole(each, `${path}.${i}`, goType);
      this.#noteElement(each, `${path}.${i}`, goType);
      return 0n;
    });
  }

  textMap(value: Parsed, path: string): Map<string, string> {
    if (!(value instanceof Map)) return this.#mismatch(value, path, 'map[string]string', new Map());
    return new Map([...value].map(([key, each]) => [key, this.text(each, `${path}.${key}`)]));
  }

  /** One of some words. */
  choice<T extends string>(value: Parsed, words: readonly T[], fallback: T): T {
    const found = words.find((word) => word === value);
    if (found === undefined) this.noteUnknown(value);
    return found ?? fallback;
  }

  #mismatch(value: Parsed, path: string, goType: string): void;
  #mismatch<T>(value: Parsed, path: string, goType: string, fallback: T): T;
  #mismatch<T>(value: Parsed, path: string, goType: string, fallback?: T): T | undefined {
    // a null leaves a field as it is
    if (value === null) return fallback;
    const field =
      path === '' ? `Go value of type server.${goType}` : `Go struct field ${this.#root}.${path} of type ${goType}`;
    this.note(`json: cannot unmarshal ${kindOf(value)} into ${field}`);
    return fallback;
  }
}

const ranges = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  'time.Duration': [-(2n ** 63n), 2n ** 63n - 1n],
} as const satisfies Record<string, readonly [bigint, bigint]>;

/** A number as a whole one; undefined when it is written as none, null for what is no number. Of zeros an unsigned one has no sign. */
function wholeOf(value: Parsed, goType: keyof typeof ranges): bigint | undefined | null {
  if (typeof value === 'bigint') return value;
  if (!(value instanceof Fraction)) return null;
  return value.text === '-0' && goType !== 'uint64' ? 0n : undefined;
}

function kindOf(value: Parsed): string {
  if (typeof value === 'bigint' || value instanceof Fraction) return 'number';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? 'array' : 'object';
}
