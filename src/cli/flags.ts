import { type Command, InvalidArgumentError, Option } from 'commander';
import { isSubject } from '../options/optionTexts.js';
import { parseBytes } from '../options/units.js';
import { isInstant, nsPerMs } from '../protocol/streamApi/storedReading.js';
import { parseTime } from './clientOptions.js';

// Kinds of flags that configurations of streams and consumers share.

export function addChoice(command: Command, flags: string, what: string, choices: readonly string[]): void {
  command.addOption(new Option(flags, what).choices(choices));
}

/** One flag to set it, one to take it back: neither has a default, so that it is known what was given. */
export function addSwitch(command: Command, name: string, what: string): void {
  command.addOption(new Option(`--${name}`, what)).addOption(new Option(`--no-${name}`).hideHelp());
}

/** Also takes -1. */
export function limit(parse: (text: string) => number): (text: string) => number {
  return (text) => (text === '-1' ? -1 : parse(text));
}

export function parseSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== null && bytes > 0) return bytes;
  throw new InvalidArgumentError('It must be a size such as 4096, 64MB or 1GiB.');
}

/** A duration in nanoseconds. */
export function parseAge(text: string): number {
  return text === '0' ? 0 : parseTime(text) * nsPerMs;
}

export function parseSubjects(text: string): readonly string[] {
  const subjects = text.split(',').map((part) => part.trim());
  if (subjects.every(isSubject)) return subjects;
  throw new InvalidArgumentError('They must be subjects such as orders.new, orders.* or orders.>.');
}

export function parseMetadata(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at > 0) return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) };
  throw new InvalidArgumentError('It must be KEY=VALUE.');
}

/** RFC 3339, as servers read it. */
export function parseInstant(text: string): string {
  if (isInstant(text)) return text;
  throw new InvalidArgumentError('It must be a time such as 2026-01-31T12:00:00Z.');
}
