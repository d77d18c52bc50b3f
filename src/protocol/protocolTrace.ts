import { latin1String } from '../base/bytes.js';
import { tracedLineMax, tracedPayloadMax } from '../base/limits.js';
import { lf } from './ascii.js';

const redacted = '[REDACTED]';
/** Fields of CONNECT and of AUTH on JSON lines that no log has, in whatever case a client writes them. */
const secrets: ReadonlySet<string> = new Set(['pass', 'password', 'auth_token', 'nkey', 'jwt', 'sig', 'token']);
/** Operations that have a payload, and all others that are told. INFO is not. */
const withPayload: ReadonlySet<string> = new Set(['PUB', 'HPUB', 'MSG', 'HMSG']);
const plain: ReadonlySet<string> = new Set(['SUB', 'UNSUB', 'CONNECT', 'PING', 'PONG', '+OK', '-ERR']);

/**
 * Tells what a stream of bytes says, an operation at a time, in nats-server's words. It reads whatever may come: what it does not
 * understand it leaves out. Of a payload it keeps no more than it tells.
 */
export class ProtocolTrace {
  /** Of the line that has begun, one character a byte; and how long the rest of a payload is, with its line end. */
  #line = '';
  #left = 0;
  #payload = Buffer.alloc(0);
  #payloadBytes = 0;
  readonly #isJson: boolean;
  readonly #payloadMax: number;
  readonly #tell: (text: string) => void;

  /** @param payloadMax what is told of a payload at most, in bytes; 0 for as much as ever */
  constructor(isJson: boolean, payloadMax: number, tell: (text: string) => void) {
    this.#isJson = isJson;
    this.#payloadMax = payloadMax > 0 ? Math.min(payloadMax, tracedPayloadMax) : tracedPayloadMax;
    this.#tell = tell;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) at = this.#left > 0 ? this.#readPayload(bytes, at, end) : this.#readLine(bytes, at, end);
  }

  #readLine(bytes: Uint8Array, start: number, end: number): number {
    const found = bytes.subarray(start, end).indexOf(lf);
    const lineEnd = found < 0 ? end : start + found;
    const room = tracedLineMax - this.#line.length;
    this.#line += latin1String(bytes, start, Math.min(lineEnd, start + Math.max(0, room)));
    if (found < 0) return end;
    const line = this.#line.replace(/\r$/, '');
    this.#line = '';
    if (this.#isJson) this.#tell(`[${withoutControls(redactedJson(line, this.#payloadMax))}]`);
    else this.#tellOperation(line);
    return lineEnd + 1;
  }

  #tellOperation(line: string): void {
    const [, word = '', rest = ''] = /^[ \t]*([^ \t]*)[ \t]*(.*)$/s.exec(line) ?? [];
    const name = word.toUpperCase();
    if (withPayload.has(name)) {
      this.#tell(`[${name} ${withoutControls(rest)}]`);
      this.#payloadBytes = Number(/(\d{1,9})[ \t]*$/.exec(rest)?.[1] ?? 0);
      this.#left = this.#payloadBytes + 2;
      this.#payload = Buffer.alloc(0);
    } else if (name === 'CONNECT') this.#tell(`[CONNECT ${withoutControls(redactedJson(rest))}]`);
    else if (name === '+OK') this.#tell('[OK]');
    else if (name === '-ERR') this.#tell(`[-ERR ${withoutControls(rest.replace(/^'(.*)'$/s, '$1'))}]`);
    else if (plain.has(name)) this.#tell(`[${[name, withoutControls(rest)].filter((text) => text !== '').join(' ')}]`);
  }

  #readPayload(bytes: Uint8Array, start: number, end: number): number {
    const taken = Math.min(this.#left, end - start);
    const room = Math.min(this.#payloadBytes, this.#payloadMax) - this.#payload.length;
    if (room > 0) this.#payload = Buffer.concat([this.#payload, bytes.subarray(start, start + Math.min(room, taken))]);
    this.#left -= taken;
    if (this.#left === 0 && this.#payloadBytes > 0) {
      const isCut = this.#payload.length < this.#payloadBytes;
      this.#tell(`MSG_PAYLOAD: ["${quoted(this.#payload)}${isCut ? '...' : ''}"]`);
    }
    if (this.#left === 0) this.#payload = Buffer.alloc(0);
    return start + taken;
  }
}

/** An object of JSON without what is secret; what is none is not shown at all. @param json one character a byte; @param payloadMax characters of a payload */
function redactedJson(json: string, payloadMax = Number.POSITIVE_INFINITY): string {
  try {
    const hide = (key: string, value: unknown): unknown => {
      if (secrets.has(key.toLowerCase()) && value !== null) return redacted;
      const isCut = key === 'payload' && typeof value === 'string' && value.length > payloadMax;
      return isCut ? `${value.slice(0, payloadMax)}...` : value;
    };
    return Buffer.from(JSON.stringify(JSON.parse(Buffer.from(json, 'latin1').toString()), hide)).toString('latin1');
  } catch {
    return '...';
  }
}

/** A text, one character a byte, as people read it: on one line, whatever a client has written. */
export function withoutControls(text: string): string {
  return Buffer.from(text, 'latin1')
    .toString()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/gu, hexadecimal);
}

const named: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Bytes as Go quotes them. */
export function quoted(bytes: Uint8Array): string {
  let text = '';
  const decoded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < decoded.length; ) {
    const length = lengthOfCharacter(decoded, at);
    if (length === 0) {
      text += `\\x${decoded[at]!.toString(16).padStart(2, '0')}`;
      at++;
      continue;
    }
    const character = decoded.toString('utf8', at, at + length);
    text += named[character] ?? (/[\p{C}\p{Zl}\p{Zp}]/u.test(character) ? hexadecimal(character) : character);
    at += length;
  }
  return text;
}

/** How many bytes the character takes that begins there; 0 where none does. */
function lengthOfCharacter(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length < 2) return length;
  if (at + length > bytes.length) return 0;
  const text = bytes.toString('utf8', at, at + length);
  return [...text].length === 1 && text !== '\ufffd' ? length : 0;
}

function hexadecimal(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
