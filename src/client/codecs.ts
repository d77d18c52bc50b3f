import { utf8String } from '../base/bytes.js';
import { ArgumentError } from './errors.js';

/** How values become bytes and back. Both directions are synchronous and may throw. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  /** @param bytes the decoder's own: it may keep and change them */
  decode(bytes: Uint8Array): T;
}

/**
 * Of a codec of ours whose values are made of a text: all who get a message share that, as nobody can change it, and nothing is copied.
 *
 * @internal
 */
export const fromText = Symbol('fromText');

/**
 * A codec that may be such.
 *
 * @internal
 */
export type TextCodec<T> = Codec<T> & { readonly [fromText]?: (text: string) => T };

/** Bytes as they are. */
const bytes: Codec<Uint8Array> = {
  encode: (value) => {
    if (!(value instanceof Uint8Array)) throw new ArgumentError('the bytes codec takes a Uint8Array');
    return value;
  },
  decode: (encoded) => encoded,
};

/** Text in UTF-8. */
const utf8: TextCodec<string> = {
  [fromText]: (text) => text,
  encode: (value) => {
    if (typeof value !== 'string') throw new ArgumentError('the utf8 codec takes a string');
    return Buffer.from(value);
  },
  decode: (encoded) => utf8String(encoded, 0, encoded.length),
};

/** JSON in UTF-8: itself a codec of whatever the topic's type is, and, called, one of a type that is named. */
const json: JsonCodec = Object.assign(<T>() => json as Codec<T>, {
  encode: (value: unknown) => {
    const text = JSON.stringify(value);
    if (text === undefined) throw new ArgumentError(`JSON cannot hold a value of type ${typeof value}`);
    return Buffer.from(text);
  },
  decode: (encoded: Uint8Array) => JSON.parse(utf8.decode(encoded)) as never,
  [fromText]: JSON.parse as (text: string) => never,
});

/** `codecs.json` and `codecs.json<Quote>()` are the same codec. */
interface JsonCodec extends Codec<never> {
  <T>(): Codec<T>;
  encode(value: unknown): Uint8Array;
}

/** Bytes as they are, text in UTF-8, and JSON. */
export const codecs: {
  readonly bytes: Codec<Uint8Array>;
  readonly utf8: Codec<string>;
  readonly json: JsonCodec;
} = { bytes, utf8, json };
