import { Decoding } from './api/decoding.js';
import { type ParsedObject, parseJson, writeJson } from './api/json.js';
import { configJson, readConfigRequest, type StreamConfig } from './streamConfig.js';

/** What a stream is, beside its messages. */
export interface StreamDescription {
  readonly config: StreamConfig;
  readonly createdUs: number;
}

/** A stream's description as it is kept. */
export function writeDescription({ config, createdUs }: StreamDescription): string {
  return writeJson({ created_us: createdUs, config: configJson(config, null) });
}

/** @throws Error for what is no description that this version can read */
export function readDescription(text: string): StreamDescription {
  const description = parseJson(text) as ParsedObject;
  const decoding = new Decoding('StreamConfig');
  const { config, unsupported } = readConfigRequest(description.get('config') ?? null, decoding);
  const error = decoding.error ?? unsupported[0];
  if (error !== undefined) throw new Error(`the description of a stream is not of this version: ${error}`);
  return { config, createdUs: Number(description.get('created_us')) };
}
