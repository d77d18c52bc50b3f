import { latin1Bytes } from '../base/bytes.js';
import { del, dollar, dot, greater, space, star, underscore } from './ascii.js';

/**
 * Subjects: tokens separated by dots. A publish subject is literal; a subscription's may hold `*` (one token)
 * and end in `>` (one token or more). Tokens are case-sensitive, never empty, and hold no white space or control bytes.
 */
export type SubjectKind = 'invalid' | 'literal' | 'wildcard';

/** Where a client publishes what it asks for beyond NATS; read by its gateway, never routed. */
export const askSubject = '$SHARDCAST.SUB';

/** Where a client asks who it is; read by its gateway, never routed. */
export const userInfoSubject = '$SYS.REQ.USER.INFO';

/**
 * What the subjects begin with that nobody may name as a reply: what is published there acts on whoever publishes it (its own
 * settings, what it has acknowledged, what the server gave it to answer), and where an answer goes is the requester's choice.
 */
export const reservedReplyPrefixes: readonly string[] = ['$SHARDCAST.', '$JS.ACK.', '_R_.', '_GR_.', '$GR.'];
const reservedReplies = reservedReplyPrefixes.map(latin1Bytes);
const letterI = 0x49;

/** Whether `bytes[start, end)` is a subject that no client may name as a reply. Allocates nothing. */
export function isReservedReply(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start];
  if (first !== dollar && first !== underscore) return false;
  // an inbox, as most replies are
  if (bytes[start + 1] === letterI) return false;
  for (const prefix of reservedReplies) if (beginsWith(bytes, start, end, prefix)) return true;
  return false;
}

function beginsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}

/** What `bytes[start, end)` is as a subject. A `*` or `>` inside a longer token is an ordinary byte, as in NATS. */
export function classifySubject(bytes: Uint8Array, start: number, end: number): SubjectKind {
  if (start === end) return 'invalid';
  let wildcard = false;
  let tokenStart = start;
  for (let i = start; i <= end; i++) {
    const byte = i === end ? dot : bytes[i];
    if (byte <= space || byte === del) return 'invalid';
    if (byte !== dot) continue;
    if (i === tokenStart) return 'invalid';
    if (i === tokenStart + 1) {
      if (bytes[tokenStart] === star) wildcard = true;
      if (bytes[tokenStart] === greater) {
        if (i !== end) return 'invalid';
        wildcard = true;
      }
    }
    tokenStart = i + 1;
  }
  return wildcard ? 'wildcard' : 'literal';
}

/** What `bytes[start, end)` is as a subject that is published to: there a `>` that is not the last token is one like others, as in NATS. */
export function classifyPublished(bytes: Uint8Array, start: number, end: number): SubjectKind {
  const kind = classifySubject(bytes, start, end);
  return kind === 'invalid' && isMadeOfTokens(bytes, start, end) ? 'wildcard' : kind;
}

/** Whether no token is empty, and none holds white space or control bytes. */
function isMadeOfTokens(bytes: Uint8Array, start: number, end: number): boolean {
  let previous = dot;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte <= space || byte === del || (byte === dot && previous === dot)) return false;
    previous = byte;
  }
  return previous !== dot;
}

/** Whether a valid subscription subject has a wildcard in it. */
export function isWildcardSubject(subject: string): boolean {
  return subject === '>' || subject.endsWith('.>') || hasStarToken(subject);
}

/** Whether one of the tokens is `*`. */
export function hasStarToken(subject: string): boolean {
  return subject === '*' || subject.startsWith('*.') || subject.endsWith('.*') || subject.includes('.*.');
}

/**
 * Whether a wildcard in the first token may stand for this first token of a published subject. `$SYS` belongs to the
 * server: only a subscription that names it sees it.
 */
export function firstTokenHidden(token: string): boolean {
  return token === '$SYS';
}

/** Whether a subscription's subject takes a literal subject: the plain model that the subject tree is tested against. */
export function subjectMatches(pattern: string, literal: string): boolean {
  const patterns = pattern.split('.');
  const tokens = literal.split('.');
  if (firstTokenHidden(tokens[0]) && patterns[0] !== tokens[0]) return false;
  for (let i = 0; i < patterns.length; i++) {
    if (patterns[i] === '>') return tokens.length > i;
    if (i >= tokens.length) return false;
    if (patterns[i] !== '*' && patterns[i] !== tokens[i]) return false;
  }
  return patterns.length === tokens.length;
}

/** Whether some literal subject is taken by both of two subscription subjects. */
export function subjectsOverlap(one: string, other: string): boolean {
  const ones = one.split('.');
  const others = other.split('.');
  if (isHiddenFrom(ones[0], others[0]) || isHiddenFrom(others[0], ones[0])) return false;
  for (let i = 0; i < ones.length && i < others.length; i++) {
    if (ones[i] === '>' || others[i] === '>') return true;
    if (ones[i] !== others[i] && ones[i] !== '*' && others[i] !== '*') return false;
  }
  return ones.length === others.length;
}

function isHiddenFrom(token: string, first: string): boolean {
  return firstTokenHidden(token) && first !== token;
}

/** Whether one pattern or subject takes all that another one takes. */
export function subjectIncludes(pattern: string, other: string): boolean {
  const tokens = pattern.split('.');
  const others = other.split('.');
  for (const [i, token] of tokens.entries()) {
    if (i >= others.length) return false;
    if (token === '>') return true;
    if (others[i] === '>' || (token !== '*' && token !== others[i])) return false;
  }
  return tokens.length === others.length;
}
