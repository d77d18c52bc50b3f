import { type Codec, fromText, type TextCodec } from './codecs.js';
import { BrokerError, DecodeError, EncodeError, ValidationError } from './errors.js';

/** What this package uses of Standard Schema v1 (standardschema.dev): zod, valibot, arktype and others are such. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** When a topic's schema is applied. */
export type Validate = 'publish' | 'receive' | 'both';

/** What values are made of. */
export interface PayloadSource {
  readonly subject: string;
  /** The payload as text in UTF-8. */
  readonly payloadText: string;
  /** A copy of the payload, the caller's own. */
  copyPayload(): Uint8Array;
}

/** How a topic's values become bytes and back, and what is allowed for one. */
export class TopicValues<T> {
  readonly #codec: TextCodec<T>;
  readonly #schema: StandardSchema<T> | null;
  readonly #onPublish: boolean;
  readonly #onReceive: boolean;

  constructor(codec: Codec<T>, schema: StandardSchema<T> | undefined, validate: Validate) {
    this.#codec = codec;
    this.#schema = schema ?? null;
    this.#onPublish = this.#schema !== null && validate !== 'receive';
    this.#onReceive = this.#schema !== null && validate !== 'publish';
  }

  /** @throws ValidationError, EncodeError, ArgumentError for a kind of value that the codec does not take */
  encode(subject: string, value: T): Uint8Array {
    const bytes = this.#encoded(subject, this.#onPublish ? this.#checked(subject, value) : value);
    if (!(bytes instanceof Uint8Array)) throw new EncodeError(subject, 'the codec gave no Uint8Array');
    return bytes;
  }

  /** @throws DecodeError, ValidationError */
  decode(source: PayloadSource): T {
    const value = this.#decoded(source);
    return this.#onReceive ? this.#checked(source.subject, value) : value;
  }

  #encoded(subject: string, value: T): Uint8Array {
    try {
      return this.#codec.encode(value);
    } catch (error) {
      throw error instanceof BrokerError ? error : new EncodeError(subject, error);
    }
  }

  #decoded(source: PayloadSource): T {
    const parse = this.#codec[fromText];
    try {
      return parse === undefined ? this.#codec.decode(source.copyPayload()) : parse(source.payloadText);
    } catch (error) {
      throw new DecodeError(source.subject, error);
    }
  }

  #checked(subject: string, value: unknown): T {
    const result = this.#validated(subject, value);
    if (result instanceof Promise)
      throw new ValidationError(subject, [{ message: 'the schema is asynchronous, which a topic cannot wait for' }]);
    if (result.issues !== undefined) throw new ValidationError(subject, result.issues);
    return result.value;
  }

  /** A schema should not throw; one that does has not accepted the value. */
  #validated(subject: string, value: unknown): SchemaResult<T> | Promise<SchemaResult<T>> {
    try {
      return this.#schema!['~standard'].validate(value);
    } catch (error) {
      throw new ValidationError(subject, [{ message: error instanceof Error ? error.message : String(error) }], error);
    }
  }
}
