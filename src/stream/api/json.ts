import { jsonDigitsMax, jsonPartsMax } from '../../base/limits.js';
import { isWellFormed } from '../../protocol/headerBlock.js';

/** A number that is not written as a whole one. */
export class Fraction {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value as JSON has it; whole numbers are exact, however large. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** What is wrong with a text that should be JSON, in the words of nats-server, which are those of Go. */
export class JsonError extends Error {}

/** How deep values may be nested. */
const depthMax = 100;
const space = 0x20;
const quoteCode = 0x22;
const backslash = 0x5c;
const literals: Readonly<Record<string, readonly [text: string, value: null | boolean]>> = {
  t: ['true', true],
  f: ['false', false],
  n: ['null', null],
};
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** A `Map` for each object: keys of clients never become properties, whatever they are called. */
export type ParsedObject = Map<string, Parsed>;
export type Parsed = null | boolean | bigint | Fraction | string | Parsed[] | ParsedObject;

/**
 * Parses a text that is one value or several, one behind the other. Of a key that an object has twice the last value counts.
 *
 * @throws JsonError when it gets to what is wrong
 */
export function parseJson(text: string): Generator<Parsed> {
  return new JsonParser(text, 'stream').values();
}

/**
 * Parses a text that is one value and nothing else.
 *
 * @throws JsonError
 */
export function parseOneJson(text: string): Parsed {
  return new JsonParser(text, 'whole').oneValue();
}

/** Go's two ways of reading JSON have words of their own for what is wrong: a decoder of a stream of values, which tells where it is, and one for a text as a whole. */
type Reading = 'stream' | 'whole';

class JsonParser {
  readonly #text: string;
  readonly #reading: Reading;
  #at = 0;
  #depth = 0;
  /** Values, keys and escapes so far: reading a text takes as long as it has of them. */
  #parts = 0;

  constructor(text: string, reading: Reading) {
    this.#text = text;
    this.#reading = reading;
  }

  *values(): Generator<Parsed> {
    for (this.#skipBlanks(); this.#at < this.#text.length; this.#skipBlanks()) yield this.#value();
  }

  oneValue(): Parsed {
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#unexpected('after top-level value');
    return value;
  }

  #value(): Parsed {
    this.#countPart();
    this.#skipBlanks();
    const next = this.#peek();
    if (next === '{') return this.#nested(() => this.#object());
    if (next === '[') return this.#nested(() => this.#array());
    if (next === '"') return this.#string();
    if (next === '-' || isDigit(next)) return this.#number();
    if (Object.hasOwn(literals, next)) return this.#literal(...(literals[next] as readonly [string, null | boolean]));
    return this.#unexpected('looking for beginning of value');
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > depthMax) throw new JsonError('exceeded max depth');
    const value = parse();
    this.#depth--;
    return value;
  }

  #object(): ParsedObject {
    const object: ParsedObject = new Map();
    this.#at++;
    this.#skipBlanks();
    if (this.#takes('}')) return object;
    do {
      this.#skipBlanks();
      if (this.#peek() !== '"') this.#unexpected('looking for beginning of object key string');
      this.#countPart();
      const key = this.#string();
      this.#skipBlanks();
      if (!this.#takes(':')) this.#unexpected('after object key');
      object.set(key, this.#value());
      this.#skipBlanks();
    } while (this.#takes(','));
    if (!this.#takes('}')) this.#unexpected('after object key:value pair');
    return object;
  }

  #array(): Parsed[] {
    const array: Parsed[] = [];
    this.#at++;
    this.#skipBlanks();
    if (this.#takes(']')) return array;
    do {
      array.push(this.#value());
      this.#skipBlanks();
    } while (this.#takes(','));
    if (!this.#takes(']')) this.#unexpected('after array element');
    return array;
  }

  #string(): string {
    let value = '';
    this.#at++;
    for (;;) {
      value += this.#plain();
      const next = this.#peek();
      if (next < ' ') this.#unexpected('in string literal');
      this.#at++;
      if (next === '"') return isWellFormed(value) ? value : Buffer.from(value).toString();
      value += this.#escaped();
    }
  }

  /** Characters of a string that stand for themselves, as one piece: bodies may be long. */
  #plain(): string {
    const start = this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code < space || code === quoteCode || code === backslash) break;
    }
    return this.#text.slice(start, this.#at);
  }

  #escaped(): string {
    this.#countPart();
    const next = this.#peek();
    if (next === 'u') return this.#unicode();
    if (!Object.hasOwn(escapes, next)) this.#unexpected('in string escape code');
    this.#at++;
    return escapes[next] as string;
  }

  #unicode(): string {
    this.#at++;
    const start = this.#at;
    for (; this.#at < start + 4; this.#at++)
      if (!/[0-9a-fA-F]/.test(this.#peek())) this.#unexpected('in \\u hexadecimal character escape');
    return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16));
  }

  #number(): Fraction | bigint {
    const start = this.#at;
    this.#takes('-');
    if (!this.#takes('0')) this.#digits('in numeric literal');
    let whole = true;
    if (this.#takes('.')) {
      whole = false;
      this.#digits('after decimal point in numeric literal');
    }
    if (this.#takes('e') || this.#takes('E')) {
      whole = false;
      if (!this.#takes('+')) this.#takes('-');
      this.#digits('in exponent of numeric literal');
    }
    const text = this.#text.slice(start, this.#at);
    if (text.length > jsonDigitsMax) throw new JsonError(`a number of more than ${jsonDigitsMax} characters`);
    return whole && text !== '-0' ? BigInt(text) : new Fraction(text);
  }

  #digits(where: string): void {
    if (!isDigit(this.#peek())) this.#unexpected(where);
    while (this.#at < this.#text.length && isDigit(this.#text[this.#at] as string)) this.#at++;
  }

  #literal(text: string, value: null | boolean): null | boolean {
    for (const letter of text) {
      if (this.#peek() !== letter) this.#unexpected(`in literal ${text} (expecting '${letter}')`);
      this.#at++;
    }
    return value;
  }

  #countPart(): void {
    if (++this.#parts > jsonPartsMax) throw new JsonError(`more than ${jsonPartsMax} values, keys and escapes`);
  }

  #peek(): string {
    if (this.#at >= this.#text.length) this.#endsEarly();
    return this.#text[this.#at] as string;
  }

  #takes(wanted: string): boolean {
    if (this.#text[this.#at] !== wanted) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #endsEarly(): never {
    throw new JsonError(this.#reading === 'stream' ? 'unexpected EOF' : 'unexpected end of JSON input');
  }

  #unexpected(where: string): never {
    const what = `invalid character ${quoted(this.#peek())} ${where}`;
    if (this.#reading === 'whole') throw new JsonError(what);
    const byteOffset = Buffer.byteLength(this.#text.slice(0, this.#at));
    throw new JsonError(`${what} at offset ${byteOffset + 1}`);
  }
}

/** Of a code that is not a number, too: that is what stands behind the end of a text. */
function isBlank(code: number): boolean {
  return code === space || code === 0x09 || code === 0x0a || code === 0x0d;
}

function isDigit(letter: string): boolean {
  return letter >= '0' && letter <= '9';
}

/** A character as Go shows it. */
function quoted(letter: string): string {
  if (letter === "'") return `'\\''`;
  if (letter === '"') return `'"'`;
  const text = JSON.stringify(letter).slice(1, -1);
  return `'${text}'`;
}

/** Text without anything that is escaped in JSON: nearly all that there is. */
const standsForItself = /^[ !#-[\]-~]*$/;

/** Writes a value, or what was parsed; fields that are undefined are left out. */
export function writeJson(value: Json | Parsed): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Map) return writeParsed(value);
  if (value instanceof Fraction) return value.text;
  return Array.isArray(value) ? writeArray(value) : writeObject(value as JsonObject);
}

function writeArray(values: readonly (Json | Parsed)[]): string {
  let text = '';
  for (const value of values) text += `${text === '' ? '' : ','}${writeJson(value)}`;
  return `[${text}]`;
}

function writeParsed(object: ParsedObject): string {
  let text = '';
  for (const [key, value] of object) text += writeField(text, key, value);
  return `{${text}}`;
}

function writeObject(object: JsonObject): string {
  let text = '';
  for (const key in object) {
    const value = object[key];
    if (value !== undefined) text += writeField(text, key, value);
  }
  return `{${text}}`;
}

function writeField(before: string, key: string, value: Json | Parsed): string {
  return `${before === '' ? '' : ','}${quote(key)}:${writeJson(value)}`;
}

function quote(text: string): string {
  return standsForItself.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** An object of fields whose names clients chose: maps of the answers, such as metadata. */
export function writeMap(map: ReadonlyMap<string, Json>): JsonObject {
  // without a prototype, and defined rather than set: a client may call a key `__proto__`
  const object = Object.create(null) as Record<string, Json>;
  for (const [key, value] of map) Object.defineProperty(object, key, { value, enumerable: true });
  return object;
}
