/** How values become bytes and back. Both directions are synchronous and may throw. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  /** @param bytes the decoder's own: it may keep and change them */
  decode(bytes: Uint8Array): T;
}

/** Bytes as they are. */
const bytes: Codec<Uint8Array> = {
  encode: (value) => {
    if (!(value instanceof Uint8Array)) throw new TypeError('the bytes codec takes a Uint8Array');
    return value;
  },
  decode: (encoded) => encoded,
};

/** Text in UTF-8. */
const utf8: Codec<string> = {
  encode: (value) => {
    if (typeof value !== 'string') throw new TypeError('the utf8 codec takes a string');
    return Buffer.from(value);
  },
  decode: (encoded) => Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString(),
};

/** JSON in UTF-8. */
function json<T>(): Codec<T> {
  return jsonCodec as Codec<T>;
}

const jsonCodec: Codec<unknown> = {
  encode: (value) => {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`JSON cannot hold a value of type ${typeof value}`);
    return Buffer.from(text);
  },
  decode: (encoded) => JSON.parse(utf8.decode(encoded)) as unknown,
};

export const codecs = { bytes, utf8, json } as const;
