import { readableText } from '../../base/bytes.js';
import { sequenceStartMax } from '../../base/limits.js';
import { timeText } from '../../base/timeText.js';
import type { RecordView } from '../../log/storage.js';
import type { PurgeOrder } from '../purges.js';
import type { Steps } from '../steps.js';
import type { Stream } from '../stream.js';
import { SubjectFilter } from '../subjectFilter.js';
import { ApiError, apiErrors } from './apiError.js';
import type { JsonObject } from './json.js';
import {
  conflicts,
  type Fields,
  flagOf,
  isEmptyBody,
  isSet,
  looksLikeJson,
  numberOf,
  readFields,
  subjectOf,
} from './requests.js';

const getShape = {
  seq: 'whole',
  last_by_subj: 'text',
  next_by_subj: 'text',
  batch: 'int',
  max_bytes: 'int',
  start_time: 'time',
  multi_last: 'texts',
  up_to_seq: 'whole',
  up_to_time: 'time',
  no_hdr: 'flag',
} as const;

/**
 * Reads what is asked for by `STREAM.MSG.GET` or `DIRECT.GET`.
 *
 * @throws ApiError
 */
export function readGet(body: string, strict: boolean): Fields {
  return readFields(body, 'JSApiMsgGetRequest', getShape, strict);
}

/** Whether selectors of one message exclude each other. */
export function hasConflict(fields: Fields): boolean {
  return conflicts(fields, [
    ['seq', 'last_by_subj'],
    ['seq', 'start_time'],
    ['start_time', 'last_by_subj'],
    ['last_by_subj', 'next_by_subj'],
  ]);
}

/** The sequence that a request for one message means; 0 when there is none. */
export function* select(stream: Stream, fields: Fields): Steps<number> {
  const last = subjectOf(fields, 'last_by_subj');
  if (last !== '') return yield* stream.search.lastOf(new SubjectFilter(last));
  const next = subjectOf(fields, 'next_by_subj');
  const from = startOf(stream, fields);
  if (from === 0) return 0;
  if (next !== '') return yield* stream.search.nextOf(new SubjectFilter(next), from);
  if (isSet(fields, 'start_time')) return from;
  return stream.has(from) ? from : 0;
}

/** Where a request begins: at a sequence or a time; 0 when nothing is that late. */
export function startOf(stream: Stream, fields: Fields): number {
  if (isSet(fields, 'start_time')) return stream.search.firstSince(numberOf(fields, 'start_time'));
  return numberOf(fields, 'seq') || 1;
}

/**
 * Reads what `STREAM.MSG.GET` asks for.
 *
 * @throws ApiError
 */
export function readSelection(body: string): Fields {
  if (isEmptyBody(body)) throw apiErrors.badRequest;
  const fields = readGet(body, true);
  const selectors = ['seq', 'last_by_subj', 'next_by_subj', 'start_time'];
  const unusable = numberOf(fields, 'batch') > 0 || numberOf(fields, 'max_bytes') > 0;
  if (hasConflict(fields) || unusable || !selectors.some((name) => isSet(fields, name))) throw apiErrors.badRequest;
  return fields;
}

/** The message that is selected, and how it is to be shown. */
export function* selectOne(stream: Stream, fields: Fields): Steps<{ sequence: number; noHeaders: boolean }> {
  const sequence = yield* select(stream, fields);
  if (sequence === 0) throw apiErrors.noMessage;
  return { sequence, noHeaders: flagOf(fields, 'no_hdr') };
}

/** A message as `STREAM.MSG.GET` shows it. */
export function messageJson(record: RecordView, noHeaders: boolean): JsonObject {
  const { span, start, headerBytes, end, sequence } = record;
  const base64 = (from: number, to: number): string => Buffer.from(span.bytes.subarray(from, to)).toString('base64');
  const payloadStart = start + headerBytes;
  return {
    subject: subjectText(record),
    seq: sequence,
    hdrs: noHeaders || headerBytes === 0 ? undefined : base64(start, payloadStart),
    data: payloadStart === end ? undefined : base64(payloadStart, end),
    time: timeText(record.timeUs),
  };
}

function subjectText({ span, subjectStart, subjectEnd }: RecordView): string {
  return readableText(Buffer.from(span.bytes.subarray(subjectStart, subjectEnd)).toString('latin1'));
}

const deleteShape = { seq: 'whole', no_erase: 'flag' } as const;

/**
 * Reads what `STREAM.MSG.DELETE` asks for.
 *
 * @throws ApiError
 */
export function readDeletion(body: string): Fields {
  if (isEmptyBody(body)) throw apiErrors.badRequest;
  return readFields(body, 'JSApiMsgDeleteRequest', deleteShape);
}

/** Carries out `STREAM.MSG.DELETE`. */
export function* deleteMessage(stream: Stream, fields: Fields): Steps {
  if (stream.config.sealed) throw apiErrors.sealed;
  if (stream.config.deny_delete) throw apiErrors.deleteDenied;
  const sequence = numberOf(fields, 'seq');
  const isFile = stream.config.storage === 'file';
  if (sequence === 0 && isFile) throw new ApiError(500, 10057, 'no message found');
  if (yield* stream.delete(sequence, !flagOf(fields, 'no_erase'))) return;
  if (sequence > stream.lastSequence && isFile) throw new ApiError(500, 10057, 'stream store EOF');
  if (sequence < stream.firstSequence && isFile) throw new ApiError(500, 10057, 'no message found');
  throw new ApiError(400, 10043, `sequence ${sequence} not found`);
}

const purgeShape = { filter: 'text', seq: 'whole', keep: 'whole' } as const;

/**
 * Reads what `STREAM.PURGE` asks for.
 *
 * @throws ApiError
 */
export function readPurge(body: string): Fields {
  const asks = looksLikeJson(body) && !isEmptyBody(body);
  const fields: Fields = asks ? readFields(body, 'JSApiStreamPurgeRequest', purgeShape) : new Map();
  const sequence = numberOf(fields, 'seq');
  if ((sequence > 0 && isSet(fields, 'keep')) || sequence > sequenceStartMax) throw apiErrors.badRequest;
  return fields;
}

/** What a purge that is asked for removes of a stream. */
export function* purgeOf(stream: Stream, fields: Fields): Steps<PurgeOrder> {
  const [sequence, keep] = [numberOf(fields, 'seq'), numberOf(fields, 'keep')];
  if (stream.config.sealed) throw apiErrors.sealed;
  if (stream.config.deny_purge) throw apiErrors.purgeDenied;
  const filter = subjectOf(fields, 'filter');
  const end = sequence > 0 ? sequence : stream.lastSequence + 1;
  const { purges } = stream;
  if (filter === '' || filter === '>') return keep > 0 ? purges.toNewest(keep) : purges.below(end);
  return keep > 0 ? yield* purges.subjectsToNewest(filter, keep) : purges.subjects(filter, end);
}
