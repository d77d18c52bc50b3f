import { assert } from '../base/assert.js';

// What names a publish of whose fate its publisher is told. Never 0; no door lets a client say one.
//
//   | endpoint | kind | number of the publish there |
//
const counterBits = 19;
export const syncCounterMax = 2 ** counterBits - 1;
const kindShift = counterBits;
const kindMask = 7;
const endpointShift = counterBits + 3;

/**
 * Whom the publish waits for: all who take it; nothing but to be in order and, where a stream takes it, stored. Or it is traced: who takes
 * it is told by name, be it that they only would; of what has a span alone a few are told by name, and how many more there are. What is traced
 * or has a span may be waited for as well.
 */
export const tokenKind = {
  taken: 0,
  stored: 1,
  traced: 2,
  onlyTraced: 3,
  spanned: 4,
  awaitedTraced: 5,
  awaitedOnlyTraced: 6,
  awaitedSpanned: 7,
} as const;
const awaited = tokenKind.awaitedTraced - tokenKind.traced;
export type TokenKind = (typeof tokenKind)[keyof typeof tokenKind];

export function tokenOf(kind: TokenKind, endpoint: number, counter: number): number {
  assert(
    endpoint < 2 ** (31 - endpointShift) && counter >= 1 && counter <= syncCounterMax,
    'a token fits into 31 bits',
  );
  return (endpoint << endpointShift) | (kind << kindShift) | counter;
}

/** The kind of what is told as `kind` says, and whose publisher waits for all who take it, too. */
export function awaitedKind(kind: TokenKind): TokenKind {
  return (kind + awaited) as TokenKind;
}

export function storeTokenOf(endpoint: number, counter: number): number {
  return tokenOf(tokenKind.stored, endpoint, counter);
}

export function isStoreToken(token: number): boolean {
  return kindOf(token) === tokenKind.stored;
}

/** Whether it names a message that is traced. 0 does not. */
export function isTraceToken(token: number): boolean {
  return kindOf(token) >= tokenKind.traced;
}

/** Whether that message is for nobody: who would have got it is told, and that is all. */
export function isTraceOnly(token: number): boolean {
  return told(token) === tokenKind.onlyTraced;
}

/** Whether what is told of that message becomes a span, and nothing else. */
export function isSpanToken(token: number): boolean {
  return told(token) === tokenKind.spanned;
}

/** Whether its publisher waits until whoever takes it is done with it. */
export function isAwaited(token: number): boolean {
  const kind = kindOf(token);
  return kind === tokenKind.taken || kind >= tokenKind.awaitedTraced;
}

/** Whether its publisher waits for nothing, not even that it is stored. */
export function isForNobody(token: number): boolean {
  return kindOf(token) === tokenKind.spanned;
}

/** The endpoint that published. */
export function syncEndpointOf(token: number): number {
  return token >>> endpointShift;
}

function told(token: number): number {
  const kind = kindOf(token);
  return kind >= tokenKind.awaitedTraced ? kind - awaited : kind;
}

function kindOf(token: number): number {
  return (token >>> kindShift) & kindMask;
}
