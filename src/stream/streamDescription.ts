import { Decoding } from './api/decoding.js';
import { type ParsedObject, parseJson, writeJson } from './api/json.js';
import type { PurgeOrder } from './purges.js';
import { configJson, readConfigRequest, type StreamConfig } from './streamConfig.js';

/** What a stream is, beside its messages. */
export interface StreamDescription {
  readonly config: StreamConfig;
  readonly createdUs: number;
  /** What may have been carried out in part; null: nothing. */
  readonly purge: PurgeOrder | null;
}

/** A stream's description as it is kept. */
export function writeDescription({ config, createdUs, purge }: StreamDescription): string {
  return writeJson({
    created_us: createdUs,
    config: configJson(config, null),
    purge: purge === null ? undefined : { ...purge },
  });
}

/** @throws Error for what is no description that this version can read */
export function readDescription(text: string): StreamDescription {
  const [description] = [...parseJson(text)] as [ParsedObject];
  const decoding = new Decoding('StreamConfig');
  const { config, unsupported } = readConfigRequest([description.get('config') ?? null], decoding);
  const error = decoding.error ?? unsupported[0];
  if (error !== undefined) throw new Error(`the description of a stream is not of this version: ${error}`);
  return { config, createdUs: Number(description.get('created_us')), purge: purgeOf(description) };
}

function purgeOf(description: ParsedObject): PurgeOrder | null {
  const purge = description.get('purge') as ParsedObject | undefined;
  if (purge === undefined) return null;
  const [filter, below, next] = ['filter', 'below', 'next'].map((name) => purge.get(name));
  return { filter: String(filter), below: Number(below), next: Number(next) };
}
