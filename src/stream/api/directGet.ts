import { byteText, latin1Bytes } from '../../base/bytes.js';
import { timeText } from '../../base/timeText.js';
import type { RecordView } from '../../log/storage.js';
import { statusBlock } from '../../protocol/statusBlock.js';
import type { Steps } from '../steps.js';
import type { Stream } from '../stream.js';
import { SubjectFilter } from '../subjectFilter.js';
import { ApiError } from './apiError.js';
import { hasConflict, readGet, select, startOf } from './messages.js';
import { conflicts, type Fields, flagOf, isEmptyBody, isSet, numberOf, subjectOf } from './requests.js';

/** Most messages that `multi_last` answers with. */
const resultsMax = 1024;

/** What a direct get is answered with that brings no message. */
export class DirectStatus extends Error {
  /** Status, description and further headers, as a headers block. */
  readonly block: Uint8Array;

  constructor(status: string, headers: Readonly<Record<string, number>> = {}) {
    super(status);
    this.block = statusBlock(status, headers);
  }
}

const emptyRequest = '408 Empty Request';
const badRequest = '408 Bad Request';
const notFound = '404 Message Not Found';

/** What a direct get asks for: one message, or several that are followed by a status. */
export type DirectGet =
  | { readonly kind: 'one'; readonly fields: Fields }
  | { readonly kind: 'batch'; readonly fields: Fields; readonly filter: SubjectFilter }
  | { readonly kind: 'multi'; readonly fields: Fields; readonly filters: readonly SubjectFilter[] };

/**
 * Reads a direct get.
 *
 * @param subject what the request's own subject names behind the stream, or ''
 * @throws DirectStatus
 */
export function readDirectGet(body: string, subject: string): DirectGet {
  const fields = fieldsOf(body, subject);
  if (!selectors.some((name) => isSet(fields, name))) throw new DirectStatus(emptyRequest);
  const wantsSeveral = numberOf(fields, 'batch') > 0;
  if ((wantsSeveral && isSet(fields, 'last_by_subj')) || hasConflict(fields) || conflicts(fields, directConflicts))
    throw new DirectStatus(badRequest);
  const filters = fields.get('multi_last') as readonly string[] | undefined;
  if (filters !== undefined && filters.length > 0)
    return { kind: 'multi', fields, filters: filters.map((filter) => new SubjectFilter(byteText(filter))) };
  if (!isSet(fields, 'batch')) return { kind: 'one', fields };
  const next = subjectOf(fields, 'next_by_subj');
  return { kind: 'batch', fields, filter: new SubjectFilter(next === '' ? '>' : next) };
}

const selectors = ['seq', 'last_by_subj', 'next_by_subj', 'start_time', 'multi_last'] as const;
const directConflicts = [
  ['last_by_subj', 'multi_last'],
  ['next_by_subj', 'multi_last'],
  ['up_to_seq', 'up_to_time'],
] as const;

/** What a body may say where the subject says which message. */
const besideSubject: readonly string[] = ['no_hdr', 'max_bytes'];

function fieldsOf(body: string, subject: string): Fields {
  if (subject === '' && isEmptyBody(body)) throw new DirectStatus(emptyRequest);
  const fields = isEmptyBody(body) ? new Map() : laxFields(body);
  if (subject === '') return fields;
  const others = [...fields.keys()].filter((name) => !besideSubject.includes(name) && isSet(fields, name));
  if (others.length > 0) throw new DirectStatus(badRequest);
  return new Map([...fields, ['last_by_subj', Buffer.from(subject, 'latin1').toString()]]);
}

function laxFields(body: string): Fields {
  try {
    return readGet(body, false);
  } catch (error) {
    if (error instanceof ApiError) throw new DirectStatus('408 Malformed Request');
    throw error;
  }
}

/** Where an answer of several messages is. */
export interface DirectProgress {
  /** Messages that match behind the one that is shown. */
  readonly pending: number;
  /** Sequence of the message before, 0 for the first. */
  readonly last: number;
}

/** A message as a direct get shows it: its headers, what it is, and its payload. */
export interface DirectMessage {
  readonly bytes: Uint8Array;
  readonly headerBytes: number;
}

/** @param progress null where the answer is one message */
export function directMessage(
  record: RecordView,
  stream: Stream,
  noHeaders: boolean,
  progress: DirectProgress | null,
): DirectMessage {
  const { span, start, headerBytes, end } = record;
  const payload = span.bytes.subarray(start + headerBytes, end);
  if (noHeaders) return { bytes: payload.slice(), headerBytes: 0 };
  const subject = Buffer.from(span.bytes.subarray(record.subjectStart, record.subjectEnd)).toString('latin1');
  const told: (readonly [string, string | number])[] = [
    ['Nats-Stream', byteText(stream.name)],
    ['Nats-Subject', subject],
    ['Nats-Sequence', record.sequence],
    ['Nats-Time-Stamp', timeText(record.timeUs)],
  ];
  if (progress !== null) told.push(['Nats-Num-Pending', progress.pending], ['Nats-Last-Sequence', progress.last]);
  const lines = told.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const own = headerBytes === 0 ? latin1Bytes('NATS/1.0\r\n') : span.bytes.subarray(start, start + headerBytes - 2);
  const block = Buffer.concat([own, latin1Bytes(`${lines}\r\n`)]);
  return { bytes: Buffer.concat([block, payload]), headerBytes: block.length };
}

/** The sequence of the one message that is asked for. */
export function* directOne(stream: Stream, fields: Fields): Steps<number> {
  const sequence = yield* select(stream, fields);
  if (sequence === 0) throw new DirectStatus(notFound);
  return sequence;
}

/** Which messages an answer of several begins with, and how many there are. */
export interface DirectRange {
  readonly sequence: number;
  readonly pending: number;
}

/** Where a batch begins. */
export function* directBatch(stream: Stream, fields: Fields, filter: SubjectFilter): Steps<DirectRange> {
  const from = startOf(stream, fields);
  const sequence = from === 0 ? 0 : yield* stream.search.nextOf(filter, from);
  if (sequence === 0 && numberOf(fields, 'batch') > 0) throw new DirectStatus(notFound);
  if (sequence === 0) return { sequence, pending: 0 };
  return { sequence, pending: yield* stream.search.countOf(filter, sequence) };
}

/** Which messages `multi_last` means, in order, and up to which sequence it has looked. */
export interface DirectLasts {
  readonly sequences: readonly number[];
  readonly upTo: number;
}

export function* directLasts(stream: Stream, fields: Fields, filters: readonly SubjectFilter[]): Steps<DirectLasts> {
  const upTo = upToOf(stream, fields);
  const from = numberOf(fields, 'seq');
  const found = new Set<number>();
  for (const filter of filters)
    for (const { text } of yield* stream.search.matching(filter)) {
      const sequence = yield* stream.search.lastUpTo(text, upTo);
      if (sequence !== 0) found.add(sequence);
      if (found.size > resultsMax) throw new DirectStatus('413 Too Many Results');
    }
  if (found.size === 0) throw new DirectStatus('404 No Results');
  const sequences = [...found].filter((sequence) => sequence >= from).sort((a, b) => a - b);
  return { sequences, upTo };
}

function upToOf(stream: Stream, fields: Fields): number {
  if (isSet(fields, 'up_to_seq')) return numberOf(fields, 'up_to_seq');
  if (!isSet(fields, 'up_to_time')) return stream.lastSequence;
  const since = stream.search.firstSince(numberOf(fields, 'up_to_time'));
  return since === 0 ? stream.lastSequence : since - 1;
}

/** What ends an answer of several messages. */
export function endOfBatch({ pending, last }: DirectProgress, upTo: number | null): DirectStatus {
  const numbers = { 'Nats-Num-Pending': pending, 'Nats-Last-Sequence': last };
  return new DirectStatus('204 EOB', upTo === null ? numbers : { ...numbers, 'Nats-UpTo-Sequence': upTo });
}

/** How much an answer of several messages may bring: one message however large. */
export class DirectBudget {
  #messages: number;
  #bytes: number;
  #begun = false;

  /** @param messages at most */
  constructor(messages: number, fields: Fields) {
    this.#messages = messages;
    this.#bytes = numberOf(fields, 'max_bytes') || Number.POSITIVE_INFINITY;
  }

  get spent(): boolean {
    return this.#messages <= 0 || (this.#begun && this.#bytes <= 0);
  }

  take({ subjectStart, end }: RecordView): void {
    this.#begun = true;
    this.#messages--;
    this.#bytes -= end - subjectStart;
  }
}

/** Whether the answer is to bring payloads alone. */
export function withoutHeaders(get: DirectGet): boolean {
  return get.kind !== 'multi' && flagOf(get.fields, 'no_hdr');
}
