import { inspect } from 'node:util';

const shownLengthMax = 80;

/** Any value as errors show it: in one line, not too long. A text comes in quotes, and whole. Nothing of the value is called. */
export function inOneLine(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  const text = inspect(value, {
    depth: 1,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 5,
    maxStringLength: 40,
    customInspect: false,
  });
  return text.length <= shownLengthMax ? text : `${text.slice(0, shownLengthMax)}…`;
}
