import type { ParserLimits } from '../../src/protocol/publishRuns.js';

/** One operation of a client, by value. Texts are latin1: one character a byte. */
export type Operation =
  | {
      kind: 'publish';
      subject: string;
      reply: string;
      headers: string;
      payload: string;
      hpub: boolean;
      tainted: boolean;
    }
  | { kind: 'subscribe'; subject: string; queue: string; sid: string; tainted: boolean }
  | { kind: 'unsubscribe'; sid: string; max: number }
  | { kind: 'connect'; json: string }
  | { kind: 'ping' }
  | { kind: 'pong' }
  | { kind: 'ignored' }
  | { kind: 'clientError' };

/** Everything that a stream says: its operations, then the error that ended it, or where what is left begins. */
export interface Reading {
  operations: Operation[];
  error: string | null;
  rest: number;
  /** Bytes that the whole operation at `rest` takes, when its line says so, else 0. */
  needed: number;
}

type Step = { operation: Operation; next: number } | { error: string } | { needed: number };

const unknown = { error: 'Unknown Protocol Operation' };
const parserError = { error: 'Parser Error' };
const controlLine = { error: 'maximum control line exceeded' };
const payloadError = { error: 'Maximum Payload Violation' };

const withArguments = ['pub', 'hpub', 'sub', 'unsub'];
const withText = ['connect', 'info', '-err'];
const bare = ['ping', 'pong', '+ok'];

/**
 * The protocol read the slow and obvious way, with strings, from a whole stream: what `Parser` is held against. It knows
 * nothing of positions, views, or of what a connection said before.
 */
export function readStream(text: string, limits: ParserLimits): Reading {
  const operations: Operation[] = [];
  let rest = 0;
  for (;;) {
    const step = readOperation(text.slice(rest), limits);
    if ('error' in step) return { operations, error: step.error, rest, needed: 0 };
    if ('needed' in step) return { operations, error: null, rest, needed: step.needed };
    operations.push(step.operation);
    rest += step.next;
  }
}

function readOperation(text: string, limits: ParserLimits): Step {
  const lower = text.slice(0, 8).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const word = [...withArguments, ...withText, ...bare].find((name) => lower.startsWith(name));
  if (word === undefined) {
    const begun = [...withArguments, ...withText, ...bare].some((name) => name.startsWith(lower));
    return begun ? { needed: 0 } : unknown;
  }
  if (bare.includes(word)) return readText(text, word, word.length, limits);
  if (text.length === word.length) return { needed: 0 };
  if (!/[ \t]/.test(text[word.length]!)) return unknown;
  return withText.includes(word) ? readText(text, word, word.length + 1, limits) : readArguments(text, word, limits);
}

/** An operation whose line is looked at as a whole, or not at all. Its line end may be a part of what is bounded. */
function readText(text: string, word: string, start: number, limits: ParserLimits): Step {
  const bound = start + limits.maxControlLineBytes + 2;
  const end = text.slice(0, bound).indexOf('\n', start);
  if (end < 0) return text.length >= bound ? controlLine : { needed: 0 };
  const next = end + 1;
  if (word === 'connect') return { operation: { kind: 'connect', json: text.slice(start, end) }, next };
  if (word === '-err') return { operation: { kind: 'clientError' }, next };
  if (word === 'ping' || word === 'pong') return { operation: { kind: word }, next };
  return { operation: { kind: 'ignored' }, next };
}

function readArguments(text: string, word: string, limits: ParserLimits): Step {
  const start = word.length + 1;
  const bound = start + limits.maxControlLineBytes + 2;
  const window = text.slice(start, bound);
  const end = window.indexOf('\n');
  // an argument that has not ended yet does not count yet
  const line =
    end >= 0
      ? window.slice(0, end).replace(/\r$/, '')
      : window.replace(/(\r|[^ \t]+)$/, (last) => (last === '\r' ? '' : last.endsWith('\r') ? last.slice(0, -1) : ''));
  const words = line.split(/[ \t]+/).filter((part) => part !== '');
  if (words.length > 5) return parserError;
  if (end < 0) return text.length >= bound ? controlLine : { needed: 0 };
  if (line.length > limits.maxControlLineBytes) return controlLine;
  const next = start + end + 1;
  const tainted = words.some((part) => /[\x00-\x1f\x7f]/.test(part));
  switch (word) {
    case 'sub':
      if (words.length < 2 || words.length > 3) return parserError;
      return {
        operation: {
          kind: 'subscribe',
          subject: words[0]!,
          queue: words.length === 3 ? words[1]! : '',
          sid: words.at(-1)!,
          tainted,
        },
        next,
      };
    case 'unsub':
      if (words.length < 1 || words.length > 2) return parserError;
      return { operation: { kind: 'unsubscribe', sid: words[0]!, max: Math.max(0, toNumber(words[1] ?? '0')) }, next };
    default:
      return readPublish(text, word === 'hpub', words, tainted, next, limits);
  }
}

function readPublish(
  text: string,
  hpub: boolean,
  words: string[],
  tainted: boolean,
  start: number,
  limits: ParserLimits,
): Step {
  const sizes = words.splice(hpub ? -2 : -1).map(toNumber);
  if (words.length < 1 || words.length > 2) return parserError;
  const size = sizes.at(-1)!;
  const headerSize = hpub ? sizes[0]! : 0;
  if (size < 0 || headerSize < 0 || headerSize > size) return parserError;
  if (size > limits.maxPayloadBytes) return payloadError;
  const end = start + size;
  const behind = text.slice(end, end + 2);
  if (!'\r\n'.startsWith(behind)) return unknown;
  if (behind.length < 2) return { needed: end + 2 };
  return {
    operation: {
      kind: 'publish',
      subject: words[0]!,
      reply: words[1] ?? '',
      headers: text.slice(start, start + headerSize),
      payload: text.slice(start + headerSize, end),
      hpub,
      tainted,
    },
    next: end + 2,
  };
}

/** A decimal number of at most nine digits besides leading zeros, or -1. */
function toNumber(text: string): number {
  return /^0*\d{1,9}$/.test(text) ? Number(text) : -1;
}
