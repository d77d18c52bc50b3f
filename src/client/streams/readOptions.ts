import { checkNames, type Names } from '../checks.js';
import { ArgumentError } from '../errors.js';
import { internalSubject } from '../subjects.js';

/** What of a stream is read. */
export interface ReadOptions {
  /** A sequence, a time, or `last`: the last message that there is; from the first on when left out. */
  readonly from?: number | Date | 'last' | undefined;
  /** A subject or a pattern: only messages of that. */
  readonly subject?: string | undefined;
  /** Gives up when aborted. */
  readonly signal?: AbortSignal | undefined;
}

const readOptionNames: Names<ReadOptions> = { from: true, subject: true, signal: true };

/** @throws ArgumentError, SubjectError */
export function checkReading(options: ReadOptions): void {
  checkNames(options, readOptionNames);
  const { from, subject } = options;
  if (from !== undefined && from !== 'last' && !isInstant(from) && !isSequence(from))
    throw new ArgumentError("from must be a sequence from 1 on, a Date or 'last'");
  if (subject !== undefined) internalSubject(subject);
}

export function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** Dates of other realms will do. */
function isInstant(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]' && !Number.isNaN((value as Date).getTime());
}
