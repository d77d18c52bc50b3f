import { type Command, InvalidArgumentError, Option } from 'commander';
import { isSubject } from '../options/optionTexts.js';
import { parseDurationMs } from '../options/units.js';
import type { HeaderLine } from './headers.js';

/** How to reach a server: what every client command takes. */
export interface ServerOptions {
  readonly server: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly connectTimeout: number;
}

/** Adds the options of `ServerOptions` to a command. */
export function addServerOptions(command: Command): Command {
  const add = (option: Option) => command.addOption(option.helpGroup('Server:'));
  const fallback = process.env.NATS_URL || 'nats://127.0.0.1:4222';
  add(
    new Option('-s, --server <URL>', 'server, or several with commas between; also NATS_URL')
      .env('SHARDCAST_URL')
      .default(fallback),
  );
  add(new Option('--user <NAME>', 'user').env('SHARDCAST_USER'));
  add(new Option('--pass <SECRET>', 'password').env('SHARDCAST_PASS'));
  add(new Option('--token <SECRET>', 'token').env('SHARDCAST_TOKEN'));
  add(new Option('--connect-timeout <TIME>', 'how long connecting may take').argParser(parseTime).default(5000, '5s'));
  return command;
}

/** The repeatable `--header`. */
export function headerOption(): Option {
  return new Option('-H, --header <NAME:VALUE>', 'add a header; may be repeated').argParser(
    (text: string, earlier: readonly HeaderLine[] = []) => [...earlier, parseHeader(text)],
  );
}

/** Reads a whole number from `min` on, for commander. */
export function wholeFrom(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min}.`);
  };
}

/** Reads a duration in milliseconds, for commander. */
export function parseTime(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== null && ms > 0 && ms < 2 ** 31) return ms;
  throw new InvalidArgumentError('It must be a time such as 500ms, 2s or 2 (seconds).');
}

/** Reads a subject to publish to, for commander: wildcards stand for subjects only when subscribing. */
export function parseSubject(text: string): string {
  if (isSubject(text) && !/(^|\.)[*>](\.|$)/.test(text)) return text;
  throw new InvalidArgumentError('It must be a subject such as orders.new, without wildcards.');
}

/** Reads a subject to subscribe to, for commander. */
export function parsePattern(text: string): string {
  if (isSubject(text)) return text;
  throw new InvalidArgumentError('It must be a subject such as orders.new, orders.* or orders.>.');
}

/** Reads a queue group's name, for commander. */
export function parseQueue(text: string): string {
  if (text !== '' && !/\s/.test(text)) return text;
  throw new InvalidArgumentError('It must be a name without spaces.');
}

function parseHeader(text: string): HeaderLine {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(colon, 0));
  const value = text.slice(colon + 1).trim();
  if (/^[!-9;-~]+$/.test(name) && !/[\r\n]/.test(value)) return { name, value };
  throw new InvalidArgumentError('It must be NAME:VALUE, the name without spaces.');
}
