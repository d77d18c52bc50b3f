import type { JsonObject } from '../../stream/api/json.js';

/** A request to the API, kept until it is answered. */
export interface ApiRequest {
  /** The tokens of its subject behind `$JS.API.`, one byte a character. */
  readonly tokens: readonly string[];
  /** The stream that its subject names; '' when it names none. */
  readonly name: string;
  readonly body: string;
  readonly reply: Uint8Array;
  readonly requiresLevel: boolean;
  /** Who asks, as JSON, where that is to be told; '' where nobody listens. */
  readonly caller: string;
}

/** What a handler does that answers with JSON. */
export type JsonHandler = (request: ApiRequest) => JsonObject | Promise<JsonObject>;

export type Answerer = 'decider' | 'owner';

/** A handler, and what its answers are like. */
export interface JsonEndpoint {
  /** Behind `$JS.API.`. */
  readonly pattern: string;
  /** Who answers: the first shard, which decides on streams, or that of the stream which the pattern's first wildcard names. */
  readonly answerer: Answerer;
  /** Between `io.nats.jetstream.api.v1.` and `_response`. */
  readonly type: string;
  readonly handle: JsonHandler;
  /** Whether it answers without a look at the level that a request requires. */
  readonly anyLevel?: boolean;
  /** Which answers are told to those who listen to what is asked; all, unless it says otherwise. */
  readonly audits?: 'failures' | 'nothing';
  /** What an answer says beside the error. */
  readonly whenFailed?: JsonObject;
}
