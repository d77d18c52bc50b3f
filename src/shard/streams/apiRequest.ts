import type { JsonObject } from '../../stream/api/json.js';
import type { Steps, Stream } from '../../stream/stream.js';

/** A request to the API, kept until it is answered. */
export interface ApiRequest {
  /** The tokens of its subject behind `$JS.API.`, one byte a character. */
  readonly tokens: readonly string[];
  /** The stream that its subject names; '' when it names none. */
  readonly name: string;
  readonly body: string;
  readonly reply: Uint8Array;
  readonly requiresLevel: boolean;
}

/** What a handler does that answers with JSON. */
export type JsonHandler = (request: ApiRequest) => JsonObject | Promise<JsonObject>;

/** What is asked of one stream. */
export type StreamHandler = (stream: Stream, request: ApiRequest) => Steps<JsonObject>;

/** A handler, and what its answers are like. */
export interface JsonEndpoint {
  /** Behind `$JS.API.`. */
  readonly pattern: string;
  /** Which token names the stream whose shard answers; missing where shard 0 does. */
  readonly nameToken?: number;
  /** Between `io.nats.jetstream.api.v1.` and `_response`. */
  readonly type: string;
  readonly handle: JsonHandler;
  /** What an answer says beside the error. */
  readonly whenFailed?: JsonObject;
}
