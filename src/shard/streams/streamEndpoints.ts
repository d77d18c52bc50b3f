import { apiErrors, invalidConfig } from '../../stream/api/apiError.js';
import type { JsonObject } from '../../stream/api/json.js';
import {
  deleteMessage,
  messageJson,
  purgeOf,
  readDeletion,
  readPurge,
  readSelection,
  selectOne,
} from '../../stream/api/messages.js';
import {
  type Fields,
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
      handle: (request) => read(site, request, message, readSelection(request.body)),
      audits: 'failures',
    },
    {
      pattern: 'STREAM.MSG.DELETE.*',
      answerer: 'owner',
      type: 'stream_msg_delete',
      handle: (request) => change(site, request, deleted, readDeletion(request.body)),
    },
    ...refusedEndpoints(),
  ];
}

const noPage: JsonObject = { total: 0, offset: 0, limit: 0 };

/** Walks over a stream of which no change is under way, as it was asked for. */
async function read<T, A>(
  { streams, slices }: StreamSite,
  { name }: ApiRequest,
  walk: (stream: Stream, asked: A) => Steps<T>,
  asked: A,
): Promise<T> {
  return await slices.run(walk(await streams.get(name), asked));
}

/** The same for a walk that changes the stream: whoever asks for it meanwhile waits. */
function change<T, A>(
  { streams, slices }: StreamSite,
  { name }: ApiRequest,
  walk: (stream: Stream, asked: A) => Steps<T>,
  asked: A,
): Promise<T> {
  return streams.change(name, (stream) => slices.run(walk(stream, asked)));
}

function info(site: StreamSite, request: ApiRequest): Promise<JsonObject> {
  const { server, clock, detailed } = site;
  const details = detailsOf(request);
  const walk = (stream: Stream) => detailedInfo(stream, details, server, clock.nowUs());
  const answer = () => read(site, request, walk, details);
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
  const asked = readPurge(body);
  return { success: true, purged: await streams.purge(name, (stream) => purgeOf(stream, asked)) };
}

function* deleted(stream: Stream, asked: Fields): Steps<JsonObject> {
  yield* deleteMessage(stream, asked);
  return { success: true };
}

function* message(stream: Stream, asked: Fields): Steps<JsonObject> {
  const { sequence, noHeaders } = yield* selectOne(stream, asked);
  const found = yield* stream.read(sequence, (record) => messageJson(record, noHeaders));
  if (found === null) throw apiErrors.noMessage;
  return { message: found };
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
  const clustered = (pattern: string, type: string): JsonEndpoint => ({
    ...refuse(pattern, type, apiErrors.notClustered),
    anyLevel: true,
  });
  const noSnapshots = invalidConfig('snapshots are not supported by this server yet');
  return [
    refuse('STREAM.SNAPSHOT.*', 'stream_snapshot', noSnapshots),
    { ...refuse('STREAM.RESTORE.*', 'stream_restore', noSnapshots), whenFailed: { deliver_subject: '' } },
    clustered('STREAM.LEADER.STEPDOWN.*', 'stream_leader_stepdown'),
    clustered('STREAM.PEER.REMOVE.*', 'stream_remove_peer'),
    clustered('STREAM.PEER.EVACUATE.*', 'stream_evacuate_peer'),
    clustered('STREAM.CANCEL_MOVE.*', 'stream_cancel_move'),
    clustered('CONSUMER.LEADER.STEPDOWN.*.*', 'consumer_leader_stepdown'),
  ];
}
