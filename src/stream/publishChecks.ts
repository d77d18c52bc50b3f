import { byteText, latin1Bytes, readableText } from '../base/bytes.js';
import { classifySubject } from '../protocol/subject.js';
import { ApiError } from './api/apiError.js';
import { headerSequence, type PublishHeaders, publishHeader, timeToLive } from './publishHeaders.js';
import type { StreamConfig } from './streamConfig.js';
import { SubjectFilter } from './subjectFilter.js';

/** What the checks of a publish ask of the stream. */
export interface PublishedTo {
  readonly config: StreamConfig;
  readonly lastSequence: number;
  /** Id of the message that was accepted last, '' when it had none. */
  readonly lastId: string;
  /** The sequence of the last message whose subject a filter takes; 0 when there is none. */
  lastOf(filter: SubjectFilter): number;
}

const refused = {
  stream: new ApiError(400, 10060, 'expected stream does not match'),
  increment: new ApiError(400, 10168, 'message counters is disabled'),
  invalidIncrement: new ApiError(400, 10171, 'message counter increment is invalid'),
  invalidTtl: new ApiError(400, 10165, 'invalid per-message TTL'),
  ttl: new ApiError(400, 10166, 'per-message TTL is disabled'),
  batch: new ApiError(400, 10174, 'atomic publish is disabled'),
  schedule: new ApiError(400, 10188, 'message schedules is disabled'),
  expectedSubjectAlone: new ApiError(400, 10193, 'missing sequence for expected last sequence per subject'),
  scheduler: new ApiError(400, 10212, 'message schedules invalid scheduler'),
  fastBatch: new ApiError(400, 10205, 'batch publish is disabled'),
  source: new ApiError(400, 10227, 'message stream source header is not allowed'),
  rollup: new ApiError(500, 10111, 'rollup not permitted'),
} as const;

export type Rollup = 'none' | 'sub' | 'all';

/** What a reply to an acknowledged batch of JetStream's ends in. */
const fastBatchReply = '.$FI';

/** Why a message is refused before it is known whether it is a duplicate, in nats-server's order; null when it is not. */
export function refusalBefore(headers: PublishHeaders, subject: string, stream: PublishedTo): ApiError | null {
  const { config } = stream;
  if (headers.none) return null;
  if (headers.get(publishHeader.batch) !== '') return refused.batch;
  const increment = headers.get(publishHeader.increment);
  if (increment !== '') return /^[+-]?\d+$/.test(increment) ? refused.increment : refused.invalidIncrement;
  const expectedStream = headers.get(publishHeader.expectedStream);
  if (expectedStream !== '' && expectedStream !== byteText(config.name)) return refused.stream;
  if (!config.allow_msg_ttl && timeToLive(headers.get(publishHeader.ttl)) > 0) return refused.ttl;
  return (
    refusalOfSubjectSequence(headers, subject, stream) ??
    refusalOfSequence(headers, stream.lastSequence) ??
    (headers.get(publishHeader.schedule) === '' ? null : refused.schedule) ??
    refusalOfScheduler(headers, subject) ??
    (headers.get(publishHeader.source) === '' ? null : refused.source)
  );
}

function refusalOfSubjectSequence(headers: PublishHeaders, subject: string, stream: PublishedTo): ApiError | null {
  const expected = headers.get(publishHeader.expectedLastOfSubject);
  const other = headers.get(publishHeader.expectedSubject);
  if (expected === '') return other === '' ? null : refused.expectedSubjectAlone;
  const last = stream.lastOf(new SubjectFilter(other === '' ? subject : other));
  return headerSequence(expected) === last ? null : wrongSequence(last);
}

function refusalOfSequence(headers: PublishHeaders, last: number): ApiError | null {
  const expected = headers.get(publishHeader.expectedLast);
  return expected === '' || headerSequence(expected) === last ? null : wrongSequence(last);
}

/** A schedule's messages come from the server; others may only end one, where there are schedules. */
function refusalOfScheduler(headers: PublishHeaders, subject: string): ApiError | null {
  const next = headers.get(publishHeader.scheduleNext);
  const scheduler = headers.get(publishHeader.scheduler);
  if (next === '' && scheduler === '') return null;
  const bytes = latin1Bytes(scheduler);
  const ends = next === 'purge' && scheduler !== subject && classifySubject(bytes, 0, bytes.length) === 'literal';
  return ends ? refused.schedule : refused.scheduler;
}

function wrongSequence(last: number): ApiError {
  return new ApiError(400, 10071, `wrong last sequence: ${last}`);
}

/** Why a message that is no duplicate is refused for its headers; null when it is not. */
export function refusalBehind(headers: PublishHeaders, { config, lastId }: PublishedTo): ApiError | null {
  const expectedId = headers.get(publishHeader.expectedId);
  if (expectedId !== '' && expectedId !== lastId)
    return new ApiError(400, 10070, `wrong last msg ID: ${readableText(lastId)}`);
  const value = headers.get(publishHeader.rollup);
  if (value === '') return null;
  if (!config.allow_rollup_hdrs || config.deny_purge) return refused.rollup;
  if (rollupOf(headers) !== 'none') return null;
  return new ApiError(500, 10111, `rollup value invalid: ${JSON.stringify(readableText(value))}`);
}

/** Why a message that is to be stored is refused for its time to live, which is no time; null when it is not. */
export function refusalOfTimeToLive(headers: PublishHeaders): ApiError | null {
  const value = headers.get(publishHeader.ttl);
  return value === '' || timeToLive(value) > 0 ? null : refused.invalidTtl;
}

export function rollupOf(headers: PublishHeaders): Rollup {
  const value = headers.get(publishHeader.rollup).toLowerCase();
  return value === 'sub' || value === 'all' ? value : 'none';
}

/** Why a message is refused for its reply; null when it is not. */
export function refusalOfReply(reply: string): ApiError | null {
  return reply.endsWith(fastBatchReply) ? refused.fastBatch : null;
}
