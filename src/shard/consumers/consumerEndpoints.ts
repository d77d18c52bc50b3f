import { timeText } from '../../base/timeText.js';
import { ApiError, apiErrors, invalidJson } from '../../stream/api/apiError.js';
import { Decoding } from '../../stream/api/decoding.js';
import type { JsonObject } from '../../stream/api/json.js';
import { expectEmpty, isEmptyBody, looksLikeJson, numberOf, readFields, valuesOf } from '../../stream/api/requests.js';
import type { ServerFacts } from '../../stream/api/streamInfo.js';
import { readGroup, readPause, readReset } from '../../stream/consumer/changes.js';
import type { Floor } from '../../stream/consumer/consumer.js';
import { type ConsumerRequest, consumerJson, readConsumerRequest } from '../../stream/consumerConfig.js';
import { checkGroupName } from '../../stream/consumerRules.js';
import type { ServerLevel } from '../../stream/metadata.js';
import type { Steps } from '../../stream/steps.js';
import type { Stream } from '../../stream/stream.js';
import { type Clock, zeroTime } from '../../stream/times.js';
import type { ApiRequest, JsonEndpoint } from '../streams/apiRequest.js';
import { checkLevel } from '../streams/apiService.js';
import type { ShardStreams } from '../streams/shardStreams.js';
import type { Slices } from '../streams/slices.js';
import type { ServedConsumer } from './servedConsumer.js';
import type { ShardConsumers } from './shardConsumers.js';

export interface ConsumerEndpointSite {
  readonly streams: ShardStreams;
  readonly consumers: ShardConsumers;
  readonly slices: Slices;
  readonly clock: Clock;
  readonly server: ServerFacts;
}

const createPrefix = ['CONSUMER', 'CREATE'].length;
const pageShape = { offset: 'int' } as const;
const noPage: JsonObject = { total: 0, offset: 0, limit: 0, consumers: [] };

export function consumerEndpoints(site: ConsumerEndpointSite): JsonEndpoint[] {
  const endpoint = (pattern: string, type: string, handle: JsonEndpoint['handle'], more = {}): JsonEndpoint => ({
    pattern: `CONSUMER.${pattern}`,
    answerer: 'owner',
    type: `consumer_${type}`,
    handle,
    ...more,
  });
  return [
    endpoint('CREATE.*', 'create', (request) => created(site, request, checkUnnamed)),
    endpoint('CREATE.*.>', 'create', (request) => created(site, request, checkNamed)),
    endpoint('DURABLE.CREATE.*.*', 'create', (request) => created(site, request, checkDurable)),
    endpoint('INFO.*.*', 'info', (request) => info(site, request), { anyLevel: true }),
    endpoint('DELETE.*.*', 'delete', (request) => deleted(site, request)),
    endpoint('PAUSE.*.*', 'pause', (request) => paused(site, request), { whenFailed: notPaused }),
    endpoint('RESET.*.*', 'reset', (request) => reset(site, request), {
      whenFailed: { reset_seq: 0 },
      audits: 'nothing',
    }),
    endpoint('UNPIN.*.*', 'unpin', (request) => unpinned(site, request)),
    endpoint('NAMES.*', 'names', (request) => names(site, request), { whenFailed: noPage }),
    endpoint('LIST.*', 'list', (request) => list(site, request), { whenFailed: noPage }),
  ];
}

type Check = (tokens: readonly string[], request: ConsumerRequest) => ConsumerRequest;

function named(request: ConsumerRequest, name: string): ConsumerRequest {
  if (/[/\\]/.test(name)) throw new ApiError(400, 10127, 'Consumer name can not contain path separators');
  return { ...request, config: { ...request.config, name } };
}

function checkUnnamed(_: readonly string[], request: ConsumerRequest): ConsumerRequest {
  if (request.config.durable_name !== '')
    throw new ApiError(400, 10020, 'consumer expected to be ephemeral but a durable name was set in request');
  return request;
}

function checkNamed(tokens: readonly string[], request: ConsumerRequest): ConsumerRequest {
  const [, name = '', ...filter] = tokens.slice(createPrefix);
  const { durable_name, filter_subject, filter_subjects } = request.config;
  if (filter.length > 0) {
    if (filter_subjects.length > 0)
      throw new ApiError(400, 10137, 'consumer with multiple subject filters cannot use subject based API');
    if (filter.join('.') !== filter_subject)
      throw new ApiError(400, 10131, 'Consumer create request did not match filtered subject from create subject');
  }
  if (durable_name !== '' && durable_name !== name) throw nameMismatch;
  return named(request, name);
}

function checkDurable(tokens: readonly string[], request: ConsumerRequest): ConsumerRequest {
  const [, , , , name = ''] = tokens;
  if (request.config.durable_name === '')
    throw new ApiError(400, 10018, 'consumer expected to be durable but a durable name was not set');
  if (request.config.durable_name !== name) throw nameMismatch;
  return named(request, name);
}

const noSuchGroup = new ApiError(400, 10160, 'Provided priority group does not exist for this consumer');
const nameMismatch = new ApiError(400, 10017, 'consumer name in subject does not match durable name in request');

async function created(site: ConsumerEndpointSite, request: ApiRequest, check: Check): Promise<JsonObject> {
  const decoding = new Decoding('CreateConsumerRequest');
  const read = readConsumerRequest(valuesOf(request.body, decoding), decoding);
  if (decoding.error !== null) throw invalidJson(decoding.error);
  if (read.stream !== request.name) throw apiErrors.nameMismatch;
  const wanted = check(request.tokens, read);
  const stream = await site.streams.get(request.name);
  return await site.slices.run(put(site, wanted, stream));
}

/** What the answer counts is all that there is: nothing is delivered before it is made. */
function* put(site: ConsumerEndpointSite, wanted: ConsumerRequest, stream: Stream): Steps<JsonObject> {
  const served = yield* site.consumers.put(wanted, stream);
  try {
    return yield* consumerInfo(site.clock, served, site.server);
  } finally {
    served.begin();
  }
}

async function info(site: ConsumerEndpointSite, request: ApiRequest): Promise<JsonObject> {
  expectEmpty(request.body);
  checkLevel(request);
  return await site.slices.run(consumerInfo(site.clock, await found(site, request), site.server));
}

async function deleted(site: ConsumerEndpointSite, request: ApiRequest): Promise<JsonObject> {
  expectEmpty(request.body);
  const { consumer } = await found(site, request);
  site.consumers.delete(request.name, consumer.name);
  return { success: true };
}

async function found(site: ConsumerEndpointSite, { name, tokens }: ApiRequest): Promise<ServedConsumer> {
  await site.streams.get(name);
  return site.consumers.get(name, tokens.at(-1) as string);
}

const notPaused: JsonObject = { paused: false, pause_until: zeroTime };

async function paused(site: ConsumerEndpointSite, request: ApiRequest): Promise<JsonObject> {
  const until = readPause(request.body);
  const served = await found(site, request);
  served.pause(until);
  if (until === null) return notPaused;
  return { paused: served.isPaused, pause_until: until.text, pause_remaining: served.pauseRemaining || undefined };
}

async function reset(site: ConsumerEndpointSite, request: ApiRequest): Promise<JsonObject> {
  const served = await found(site, request);
  const sequence = served.reset(readReset(request.body));
  const info = await site.slices.run(consumerInfo(site.clock, served, site.server));
  return { ...info, reset_seq: sequence };
}

async function unpinned(site: ConsumerEndpointSite, request: ApiRequest): Promise<JsonObject> {
  const group = readGroup(request.body);
  if (group === '') throw invalidJson('consumer group not specified');
  checkGroupName(group);
  const { consumer, pulls } = await found(site, request);
  if (!consumer.config.priority_groups.includes(group)) throw noSuchGroup;
  pulls?.unpin('admin');
  return {};
}

function groupsJson({ consumer, pulls }: ServedConsumer): readonly JsonObject[] | undefined {
  const { priority_groups, priority_policy } = consumer.config;
  if (priority_groups.length === 0 || pulls === null) return undefined;
  const { id, sinceUs } = pulls.pin;
  if (priority_policy !== 'pinned_client' || id === '')
    return priority_groups.map((group) => ({ group, pinned_ts: zeroTime }));
  return priority_groups.map((group) => ({ group, pinned_client_id: id, pinned_ts: timeText(sinceUs) }));
}

function offsetOf({ body }: ApiRequest): number {
  if (!looksLikeJson(body) || isEmptyBody(body)) return 0;
  return Math.max(0, numberOf(readFields(body, 'JSApiConsumersRequest', pageShape), 'offset'));
}

async function names(site: ConsumerEndpointSite, request: ApiRequest): Promise<JsonObject> {
  const offset = offsetOf(request);
  await site.streams.get(request.name);
  const all = site.consumers.of(request.name);
  const page = all.slice(offset, offset + namesPageMax).map(({ consumer }) => consumer.name);
  return { total: all.length, offset: Math.min(offset, all.length), limit: namesPageMax, consumers: page };
}

async function list(site: ConsumerEndpointSite, request: ApiRequest): Promise<JsonObject> {
  const offset = offsetOf(request);
  await site.streams.get(request.name);
  const all = site.consumers.of(request.name);
  const page: JsonObject[] = [];
  for (const served of all.slice(offset, offset + listPageMax))
    page.push(await site.slices.run(consumerInfo(site.clock, served, null)));
  return { total: all.length, offset: Math.min(offset, all.length), limit: listPageMax, consumers: page };
}

const namesPageMax = 1024;
const listPageMax = 256;

/** What is told of a consumer; how much it has left is counted in steps. */
export function* consumerInfo(clock: Clock, served: ServedConsumer, server: ServerLevel | null): Steps<JsonObject> {
  const { consumer } = served;
  yield* consumer.upcoming.recount();
  const pair = ({ delivery, sequence }: Floor, activeUs: number): JsonObject => ({
    consumer_seq: delivery,
    stream_seq: sequence,
    last_active: activeUs === 0 ? undefined : timeText(activeUs),
  });
  return {
    stream_name: consumer.stream.name,
    name: consumer.name,
    created: timeText(consumer.createdUs),
    config: consumerJson(consumer.config, server),
    delivered: pair(consumer.delivered, consumer.used.deliveredUs),
    ack_floor: pair(consumer.ackFloor, consumer.used.acknowledgedUs),
    num_ack_pending: consumer.inFlight.size,
    num_redelivered: consumer.redelivered,
    num_waiting: served.pulls?.size ?? 0,
    num_pending: consumer.upcoming.count,
    push_bound: served.push?.isBound || undefined,
    paused: served.isPaused || undefined,
    pause_remaining: served.pauseRemaining || undefined,
    priority_groups: groupsJson(served),
    ts: timeText(clock.nowUs()),
  };
}
