import { type Codec, codecs } from './codecs.js';
import type { ClientEndpoint } from './endpoint.js';
import { ArgumentError } from './errors.js';
import { type StandardSchema, TopicValues, type Validate } from './schema.js';
import { Topic } from './topicHandle.js';

/** How a topic's values look. */
export interface TopicOptions<T> {
  /** How values become bytes and back; JSON by default. */
  readonly codec?: Codec<T> | undefined;
  /** A Standard Schema (zod, valibot, …) that values have to meet. It must be synchronous. */
  readonly schema?: StandardSchema<T> | undefined;
  /** When the schema is applied: on `publish`, on `receive` (when `value` is read), or `both` (default). */
  readonly validate?: Validate | undefined;
}

/** The broker as one thread of the user's process sees it. */
export class BrokerClient {
  readonly #endpoint: ClientEndpoint;

  constructor(endpoint: ClientEndpoint) {
    this.#endpoint = endpoint;
  }

  /**
   * A topic, or all topics of a pattern.
   *
   * @throws SubjectError, ArgumentError
   */
  topic<T>(subject: string, options: TopicOptions<T> = {}): Topic<T> {
    return new Topic(this.#endpoint, subject, valuesOf(options));
  }
}

/** @throws ArgumentError */
export function valuesOf<T>({ codec = codecs.json<T>(), schema, validate = 'both' }: TopicOptions<T>): TopicValues<T> {
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function')
    throw new ArgumentError('a codec has encode and decode');
  if (schema !== undefined && typeof schema['~standard']?.validate !== 'function')
    throw new ArgumentError('a schema must be a Standard Schema');
  if (!['publish', 'receive', 'both'].includes(validate))
    throw new ArgumentError('validate must be publish, receive or both');
  return new TopicValues(codec, schema, validate);
}
