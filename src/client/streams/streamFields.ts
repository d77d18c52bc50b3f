import { inOneLine } from '../../base/inOneLine.js';
import { ArgumentError } from '../errors.js';

/** What a field of a stream's configuration may be. */
export interface FieldKind {
  /** Ends the sentence "it must be ...". */
  readonly allowed: string;
  allows(value: unknown): boolean;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
/** The API counts nanoseconds with 63 bits. */
const millisecondsMax = 9_000_000_000_000;

export const text: FieldKind = { allowed: 'a text', allows: isText };
export const flag: FieldKind = { allowed: 'true or false', allows: (value) => typeof value === 'boolean' };

export const texts: FieldKind = {
  allowed: 'a list of texts',
  allows: (value) => Array.isArray(value) && value.every(isText),
};

export const textMap: FieldKind = {
  allowed: 'an object of texts',
  allows: (value) => isObject(value) && !Array.isArray(value) && Object.values(value).every(isText),
};

/** A limit; 0 and -1 say that there is none. */
export const limit: FieldKind = {
  allowed: 'a whole number',
  allows: (value) => Number.isSafeInteger(value) && (value as number) >= -1,
};

export const milliseconds: FieldKind = {
  allowed: `a number of milliseconds, up to ${millisecondsMax}`,
  allows: (value) => Number.isFinite(value) && (value as number) >= 0 && (value as number) <= millisecondsMax,
};

export function oneOf(...words: readonly string[]): FieldKind {
  return { allowed: words.join(' or '), allows: (value) => words.includes(value as string) };
}

/** @throws ArgumentError for a field that is not of its kind; what is undefined was left out */
export function checkKinds<C extends object>(config: C, kinds: { readonly [K in keyof Required<C>]: FieldKind }): void {
  for (const [name, { allowed, allows }] of Object.entries<FieldKind>(kinds)) {
    const value = config[name as keyof C];
    if (value !== undefined && !allows(value))
      throw new ArgumentError(`${name}: ${inOneLine(value)} is not allowed; it must be ${allowed}`);
  }
}
