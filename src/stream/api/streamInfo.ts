import { byteText, readableText } from '../../base/bytes.js';
import { deletedDetailsMax, streamStepMessages } from '../../base/limits.js';
import { timeText } from '../../base/timeText.js';
import type { ServerLevel } from '../metadata.js';
import type { StoredSubject } from '../search.js';
import { sorted } from '../sorting.js';
import type { Steps } from '../steps.js';
import type { Stream } from '../stream.js';
import { configJson, type StreamConfig } from '../streamConfig.js';
import { SubjectFilter } from '../subjectFilter.js';
import { zeroTime } from '../times.js';
import { apiErrors } from './apiError.js';
import { type JsonObject, writeMap } from './json.js';

/** Subjects that one answer lists. */
const subjectsPageMax = 100_000;

/** What is to be told of a stream beside what always is. */
export interface InfoDetails {
  readonly deletedDetails: boolean;
  /** '' for no details of subjects. */
  readonly subjectsFilter: string;
  readonly offset: number;
}

/** Who answers: what of it is told with a stream. */
export interface ServerFacts extends ServerLevel {
  readonly serverName: string;
  readonly domain: string;
}

/** What of a stream may be told by another thread, too. */
export interface StreamSummary {
  readonly config: StreamConfig;
  readonly createdUs: number;
  readonly messages: number;
  readonly bytes: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly firstTimeUs: number;
  readonly lastTimeUs: number;
  readonly subjects: number;
  readonly consumers: number;
}

export function summaryOf(stream: Stream): StreamSummary {
  const { config, createdUs, messages, bytes, firstSequence, lastSequence, firstTimeUs, lastTimeUs } = stream;
  const times = { firstTimeUs, lastTimeUs };
  return {
    config,
    createdUs,
    messages,
    bytes,
    firstSequence,
    lastSequence,
    ...times,
    subjects: stream.subjects,
    consumers: stream.consumers.size,
  };
}

export function stateJson(summary: StreamSummary): JsonObject {
  return {
    messages: summary.messages,
    bytes: summary.bytes,
    first_seq: summary.firstSequence,
    first_ts: timeOrNone(summary.firstTimeUs),
    last_seq: summary.lastSequence,
    last_ts: timeOrNone(summary.lastTimeUs),
    num_subjects: summary.subjects || undefined,
    num_deleted: deletedOf(summary) || undefined,
    consumer_count: summary.consumers,
  };
}

type Counted = Pick<StreamSummary, 'messages' | 'firstSequence' | 'lastSequence'>;

/** Sequences between the first and the last that no message has. */
function deletedOf({ messages, firstSequence, lastSequence }: Counted): number {
  return messages === 0 ? 0 : lastSequence - firstSequence + 1 - messages;
}

function timeOrNone(timeUs: number): string {
  return timeUs === 0 ? zeroTime : timeText(timeUs);
}

/** A stream as answers show it, without what only `STREAM.INFO` adds. */
export function infoJson(summary: StreamSummary, server: ServerLevel | null, nowUs: number): JsonObject {
  return {
    config: configJson(summary.config, server),
    created: timeText(summary.createdUs),
    state: stateJson(summary),
    ts: timeText(nowUs),
  };
}

/** The answer to `STREAM.INFO`. */
export function* detailedInfo(
  stream: Stream,
  details: InfoDetails,
  server: ServerFacts,
  nowUs: number,
): Steps<JsonObject> {
  const subjects = details.subjectsFilter === '' ? [] : yield* subjectCounts(stream, details.subjectsFilter);
  const page = yield* shown(subjects.slice(details.offset, details.offset + subjectsPageMax));
  const deleted = details.deletedDetails ? yield* gapsOf(stream) : [];
  const info = infoJson(summaryOf(stream), server, nowUs);
  const { domain, serverName } = server;
  return {
    total: subjects.length,
    offset: subjects.length === 0 ? 0 : details.offset,
    limit: subjects.length === 0 ? 0 : subjectsPageMax,
    ...info,
    state: {
      ...(info.state as JsonObject),
      subjects: page.length === 0 ? undefined : writeMap(new Map(page)),
      deleted: deleted.length === 0 ? undefined : deleted,
    },
    domain: domain || undefined,
    cluster: { leader: serverName },
  };
}

/** @throws ApiError when there are more than one answer tells of */
function* gapsOf(stream: Stream): Steps<number[]> {
  if (deletedOf(stream) > deletedDetailsMax) throw apiErrors.insufficientResources;
  return yield* stream.search.gaps();
}

function* subjectCounts(stream: Stream, filter: string): Steps<StoredSubject[]> {
  const subjects = yield* stream.search.matching(new SubjectFilter(byteText(filter)));
  return yield* sorted(subjects, (one, other) => (one.text < other.text ? -1 : 1));
}

/** Subjects of a page as they are told. */
function* shown(subjects: readonly StoredSubject[]): Steps<[string, number][]> {
  const page: [string, number][] = [];
  for (const { text, count } of subjects) {
    page.push([readableText(text), count]);
    if (page.length % streamStepMessages === 0) yield;
  }
  return page;
}
