import { apiErrors, invalidConfig } from '../../stream/api/apiError.js';
import type { JsonObject } from '../../stream/api/json.js';
import { deleteMessage, messageJson, purgeOf, selectOne } from '../../stream/api/messages.js';
import {
  expectEmpty,
  flagOf,
  isEmptyBody,
  looksLikeJson,
  numberOf,
  readFields,
  textOf,
} from '../../stream/api/requests.js';
import { detailedInfo, type InfoDetails, type ServerFacts } from '../../stream/api/streamInfo.js';
import type { Steps } from '../../stream/steps.js';
import type { Stream } from '../../stream/stream.js';
import type { Clock } from '../../stream/times.js';
import type { ApiRequest, JsonEndpoint } from './apiRequest.js';
import type { OneByOne } from './oneByOne.js';
import type { ShardStreams } from './shardStreams.js';
import type { Slices } from './slices.js';

const infoShape = { deleted_details: 'flag', subjects_filter: 'text', offset: 'int' } as const;
const listShape = { offset: 'int' } as const;

/** What the endpoints of a shard work with. */
export interface StreamSite {
  readonly streams: ShardStreams;
  readonly slices: Slices;
  readonly clock: Clock;
  readonly server: ServerFacts;
  /** Answers that may take as much memory as a stream has subjects. */
  readonly detailed: OneByOne;
}

/** The endpoints that the shard of the stream answers which their subject names. */
export function streamEndpoints(site: StreamSite): JsonEndpoint[] {
  return [
    {
      pattern: 'STREAM.INFO.*',
      answerer: 'owner',
      type: 'stream_info',
      handle: (request) => info(site, request),
      whenFailed: noPage,
    },
    {
      pattern: 'STREAM.PURGE.*',
      answerer: 'owner',
      type: 'stream_purge',
      handle: (request) => purged(site, request),
      whenFailed: { purged: 0 },
    },
    {
      pattern: 'STREAM.MSG.GET.*',
      answerer: 'owner',
      type: 'stream_msg_get',
      handle: (request) => read(site, request, (stream) => message(stream, request)),
    },
    {
      pattern: 'STREAM.MSG.DELETE.*',
      answerer: 'owner',
      type: 'stream_msg_delete',
      handle: (request) => change(site, request, (stream) => deleted(stream, request)),
    },
    ...consumerEndpoints(site),
    ...refusedEndpoints(),
  ];
}

const noPage: JsonObject = { total: 0, offset: 0, limit: 0 };

/** Walks over a stream of which no change is under way. */
async function read<T>(
  { streams, slices }: StreamSite,
  { name }: ApiRequest,
  walk: (stream: Stream) => Steps<T>,
): Promise<T> {
  return await slices.run(walk(await streams.get(name)));
}

/** The same for a walk that changes the stream: whoever asks for it meanwhile waits. */
function change<T>(
  { streams, slices }: StreamSite,
  { name }: ApiRequest,
  walk: (stream: Stream) => Steps<T>,
): Promise<T> {
  return streams.change(name, (stream) => slices.run(walk(stream)));
}

function info(site: StreamSite, request: ApiRequest): Promise<JsonObject> {
  const { server, clock, detailed } = site;
  const details = detailsOf(request);
  const answer = () => read(site, request, (stream) => detailedInfo(stream, details, server, clock.nowUs()));
  return details.deletedDetails || details.subjectsFilter !== '' ? detailed.run(answer) : answer();
}

function detailsOf({ body }: ApiRequest): InfoDetails {
  const asks = looksLikeJson(body) && !isEmptyBody(body);
  const fields = asks ? readFields(body, 'JSApiStreamInfoRequest', infoShape) : new Map();
  return {
    deletedDetails: flagOf(fields, 'deleted_details'),
    subjectsFilter: textOf(fields, 'subjects_filter'),
    offset: Math.max(0, numberOf(fields, 'offset')),
  };
}

async function purged({ streams }: StreamSite, { name, body }: ApiRequest): Promise<JsonObject> {
  return { success: true, purged: await streams.purge(name, (stream) => purgeOf(stream, body)) };
}

function* deleted(stream: Stream, { body }: ApiRequest): Steps<JsonObject> {
  yield* deleteMessage(stream, body);
  return { success: true };
}

function* message(stream: Stream, { body }: ApiRequest): Steps<JsonObject> {
  const { sequence, noHeaders } = yield* selectOne(stream, body);
  const found = yield* stream.read(sequence, (record) => messageJson(record, noHeaders));
  if (found === null) throw apiErrors.noMessage;
  return { message: found };
}

/** What there is to say of consumers while there are none. */
function consumerEndpoints(site: StreamSite): JsonEndpoint[] {
  const ofStream = ({ name }: ApiRequest): Promise<Stream> => site.streams.get(name);
  const refuse = (pattern: string, type: string, error: Error): JsonEndpoint => ({
    pattern: `CONSUMER.${pattern}`,
    answerer: 'owner',
    type: `consumer_${type}`,
    handle: async (request) => {
      await ofStream(request);
      throw error;
    },
  });
  const list = (name: string, limit: number): JsonEndpoint => ({
    pattern: `CONSUMER.${name}.*`,
    answerer: 'owner',
    type: `consumer_${name.toLowerCase()}`,
    handle: async (request) => {
      if (looksLikeJson(request.body) && !isEmptyBody(request.body))
        readFields(request.body, 'JSApiConsumersRequest', listShape);
      await ofStream(request);
      return { total: 0, offset: 0, limit, consumers: [] };
    },
    whenFailed: { ...noPage, consumers: [] },
  });
  const missing = apiErrors.consumersMissing;
  return [
    refuse('CREATE.*', 'create', missing),
    refuse('CREATE.*.>', 'create', missing),
    refuse('DURABLE.CREATE.*.*', 'create', missing),
    refuse('INFO.*.*', 'info', apiErrors.consumerNotFound),
    { ...refuse('DELETE.*.*', 'delete', apiErrors.consumerNotFound), handle: emptyThen(ofStream) },
    refuse('PAUSE.*.*', 'pause', apiErrors.consumerNotFound),
    refuse('UNPIN.*.*', 'unpin', apiErrors.consumerNotFound),
    refuse('RESET.*.*', 'reset', apiErrors.consumerNotFound),
    list('NAMES', 1024),
    list('LIST', 256),
  ];
}

function emptyThen(ofStream: (request: ApiRequest) => Promise<unknown>): JsonEndpoint['handle'] {
  return async (request) => {
    expectEmpty(request.body);
    await ofStream(request);
    throw apiErrors.consumerNotFound;
  };
}

/** What a server without a cluster, or ours, does not do. */
function refusedEndpoints(): JsonEndpoint[] {
  const refuse = (pattern: string, type: string, error: Error): JsonEndpoint => ({
    pattern,
    answerer: 'owner',
    type,
    handle: () => {
      throw error;
    },
  });
  return [
    refuse('STREAM.SNAPSHOT.*', 'stream_snapshot', invalidConfig('snapshots are not supported by this server yet')),
    refuse('STREAM.RESTORE.*', 'stream_restore', invalidConfig('snapshots are not supported by this server yet')),
    refuse('STREAM.LEADER.STEPDOWN.*', 'stream_leader_stepdown', apiErrors.notClustered),
    refuse('STREAM.PEER.REMOVE.*', 'stream_remove_peer', apiErrors.notClustered),
    refuse('STREAM.PEER.EVACUATE.*', 'stream_evacuate_peer', apiErrors.notClustered),
    refuse('STREAM.CANCEL_MOVE.*', 'stream_cancel_move', apiErrors.notClustered),
    refuse('CONSUMER.LEADER.STEPDOWN.*.*', 'consumer_leader_stepdown', apiErrors.notClustered),
  ];
}
