import { readableText } from '../../base/bytes.js';
import { apiErrors, invalidConfig, invalidJson } from '../../stream/api/apiError.js';
import { Decoding } from '../../stream/api/decoding.js';
import type { JsonObject } from '../../stream/api/json.js';
import {
  expectEmpty,
  isEmptyBody,
  looksLikeJson,
  numberOf,
  readFields,
  subjectOf,
  valuesOf,
} from '../../stream/api/requests.js';
import { infoJson, type ServerFacts, type StreamSummary } from '../../stream/api/streamInfo.js';
import { effectiveConfig } from '../../stream/configRules.js';
import type { Steps } from '../../stream/steps.js';
import { type ConfigRequest, readConfigRequest } from '../../stream/streamConfig.js';
import type { Clock } from '../../stream/times.js';
import type { ApiRequest, JsonEndpoint } from './apiRequest.js';
import type { Catalogue } from './catalogue.js';
import type { OneByOne } from './oneByOne.js';
import type { Slices } from './slices.js';

const namesPageMax = 1024;
const listPageMax = 256;
const pageShape = { offset: 'int', subject: 'text' } as const;

/** What the endpoints of the catalogue work with. */
export interface CatalogueSite {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly server: ServerFacts;
  readonly slices: Slices;
  /** Lists are put together one behind the other: each has many streams described by their shards. */
  readonly listed: OneByOne;
}

/** The endpoints that the shard answers which decides on streams. */
export function catalogueEndpoints(site: CatalogueSite): JsonEndpoint[] {
  const { catalogue } = site;
  return [
    { pattern: 'INFO', answerer: 'decider', type: 'account_info', handle: () => accountInfo(site) },
    {
      pattern: 'STREAM.CREATE.*',
      answerer: 'decider',
      type: 'stream_create',
      handle: (request) => create(site, request),
    },
    {
      pattern: 'STREAM.UPDATE.*',
      answerer: 'decider',
      type: 'stream_update',
      handle: (request) => update(site, request),
    },
    {
      pattern: 'STREAM.DELETE.*',
      answerer: 'decider',
      type: 'stream_delete',
      handle: async ({ body, tokens }) => {
        expectEmpty(body);
        await catalogue.delete(nameIn(tokens));
        return { success: true };
      },
    },
    {
      pattern: 'STREAM.NAMES',
      answerer: 'decider',
      type: 'stream_names',
      handle: ({ body }) => names(catalogue, body),
      whenFailed: { total: 0, offset: 0, limit: 0, streams: null },
    },
    {
      pattern: 'STREAM.LIST',
      answerer: 'decider',
      type: 'stream_list',
      handle: ({ body }) => list(site, body),
      whenFailed: { total: 0, offset: 0, limit: 0, streams: [] },
    },
  ];
}

function nameIn(tokens: readonly string[]): string {
  return readableText(tokens[2] as string);
}

/** @throws ApiError for what is no configuration */
export function readConfig(body: string): ConfigRequest {
  const decoding = new Decoding('StreamConfigRequest');
  const request = readConfigRequest(isEmptyBody(body) ? [] : valuesOf(body, decoding), decoding);
  if (decoding.error !== null) throw invalidJson(decoding.error);
  return request;
}

async function create({ catalogue, server, clock }: CatalogueSite, { body, tokens }: ApiRequest): Promise<JsonObject> {
  const request = readConfig(body);
  const { config, unsupported } = request;
  if (config.name !== nameIn(tokens)) throw apiErrors.nameMismatch;
  if (/[/\\]/.test(config.name)) throw apiErrors.pathSeparators;
  if (config.sealed) throw invalidConfig('stream configuration for create can not be sealed');
  if (config.mirror_direct && !unsupported.includes('mirror'))
    throw invalidConfig('stream has no mirror but does have mirror direct');
  const summary = await catalogue.create(effectiveConfig(request));
  return { ...infoJson(summary, server, clock.nowUs()), did_create: true };
}

async function update({ catalogue, server, clock }: CatalogueSite, { body, tokens }: ApiRequest): Promise<JsonObject> {
  const request = readConfig(body);
  const config = effectiveConfig(request);
  if (config.name !== nameIn(tokens)) throw apiErrors.nameMismatch;
  const summary = await catalogue.update(config);
  return { ...infoJson(summary, server, clock.nowUs()), domain: server.domain || undefined };
}

interface Page {
  readonly names: readonly string[];
  readonly total: number;
  readonly offset: number;
}

async function pageOf(catalogue: Catalogue, body: string, name: string, limit: number): Promise<Page> {
  const asks = looksLikeJson(body) && !isEmptyBody(body);
  const fields = asks ? readFields(body, name, pageShape) : new Map();
  const all = await catalogue.names(subjectOf(fields, 'subject'));
  const offset = Math.min(Math.max(0, numberOf(fields, 'offset')), all.length);
  return { names: all.slice(offset, offset + limit), total: all.length, offset };
}

async function names(catalogue: Catalogue, body: string): Promise<JsonObject> {
  const { names: found, total, offset } = await pageOf(catalogue, body, 'JSApiStreamNamesRequest', namesPageMax);
  return { total, offset, limit: namesPageMax, streams: found.length === 0 ? null : found };
}

async function list(site: CatalogueSite, body: string): Promise<JsonObject> {
  const { catalogue, slices, listed } = site;
  const page = await pageOf(catalogue, body, 'JSApiStreamListRequest', listPageMax);
  return await listed.run(async () => {
    const summaries = await catalogue.list(page.names);
    const streams = await slices.run(describe(site, summaries));
    return { total: page.total, offset: page.offset, limit: listPageMax, streams };
  });
}

function* describe({ server, clock }: CatalogueSite, summaries: readonly StreamSummary[]): Steps<JsonObject[]> {
  const domain = server.domain || undefined;
  const streams: JsonObject[] = [];
  for (const summary of summaries) {
    streams.push({ ...infoJson(summary, null, clock.nowUs()), domain });
    yield;
  }
  return streams;
}

async function accountInfo({ catalogue, server }: CatalogueSite): Promise<JsonObject> {
  const usages = await catalogue.usage();
  const sum = (of: (usage: (typeof usages)[number]) => number): number =>
    usages.reduce((total, usage) => total + of(usage), 0);
  return {
    memory: sum(({ memoryBytes }) => memoryBytes),
    storage: sum(({ fileBytes }) => fileBytes),
    reserved_memory: sum(({ reservedMemoryBytes }) => reservedMemoryBytes),
    reserved_storage: sum(({ reservedFileBytes }) => reservedFileBytes),
    streams: sum(({ streams }) => streams),
    consumers: sum(({ consumers }) => consumers),
    limits: {
      max_memory: -1,
      max_storage: -1,
      max_streams: -1,
      max_consumers: -1,
      max_ack_pending: -1,
      memory_max_stream_bytes: -1,
      storage_max_stream_bytes: -1,
      max_bytes_required: false,
    },
    domain: server.domain || undefined,
    api: { level: server.level, total: sum(({ answered }) => answered), errors: sum(({ failed }) => failed) },
  };
}
