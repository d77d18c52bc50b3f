import { suggest } from '../base/suggest.js';
import { AbortedError, ArgumentError } from './errors.js';

/** The names of an options object: all of them, so that a new field cannot be forgotten here. */
export type Names<O> = { readonly [K in keyof Required<O>]: true };

/**
 * Checks that an options object has no field that there is not: it would be misspelt, and do nothing.
 *
 * @param names an object with those that there are
 * @param what the options are called in the error
 * @throws ArgumentError for what is no object, or has a name that is not among those
 */
export function checkNames(options: unknown, names: object, what = 'options'): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ArgumentError(`${what} must be an object`);
  for (const name in options)
    if (!Object.hasOwn(names, name)) throw new ArgumentError(unknownName(name, Object.keys(names)));
}

/** The sentence for an option that there is not: which one was meant, or which there are. */
export function unknownName(name: string, known: readonly string[]): string {
  const near = suggest(name, known);
  const instead = near === null ? `there are ${known.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
  return `there is no option ${JSON.stringify(name)}; ${instead}`;
}

/** Signals of other realms (a test runner's, a sandbox's) will do. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function')
    throw new ArgumentError('signal must be an AbortSignal');
}

/** @throws ArgumentError for what is no signal; AbortedError when it has been aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  checkSignal(signal);
  if (signal.aborted) throw new AbortedError(signal.reason);
}

/** @throws ArgumentError */
export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== 'function') throw new ArgumentError(`${what} must be a function`);
}
