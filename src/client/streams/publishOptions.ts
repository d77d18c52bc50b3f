import { checkNames, type Names } from '../checks.js';
import { ArgumentError } from '../errors.js';
import { type Headers, type MessageFields, messageFieldNames } from '../headers.js';
import { type RequestOptions, requestOptionNames } from '../requests.js';

/** How a value is published to a stream. */
export interface StreamPublishOptions extends RequestOptions {
  /** Names the message: within the stream's `duplicateWindowMs` it is stored once. */
  readonly id?: string | undefined;
  /** Refused with `WRONG_LAST_SEQUENCE` unless this is the stream's last sequence. */
  readonly expectedLastSequence?: number | undefined;
  /** The same of the subject's last message; 0 where there is to be none. */
  readonly expectedLastSubjectSequence?: number | undefined;
  /** Refused with `WRONG_LAST_ID` unless the stream's last message has this id. */
  readonly expectedLastId?: string | undefined;
  /** Replaces all earlier messages of its subject, or of the stream, which has to allow it. */
  readonly rollup?: 'subject' | 'all' | undefined;
  /**
   * How long the message lives at most, in whole seconds from 1 on; `never` also beats the stream's `maxAgeMs`. The stream has to allow it
   * (`allowMessageTtl`).
   */
  readonly ttlSeconds?: number | 'never' | undefined;
}

const streamPublishOptionNames: Names<StreamPublishOptions> = {
  ...requestOptionNames,
  id: true,
  expectedLastSequence: true,
  expectedLastSubjectSequence: true,
  expectedLastId: true,
  rollup: true,
  ttlSeconds: true,
};

/**
 * The fields of the message that the options ask for.
 *
 * @throws ArgumentError
 */
export function fieldsOf(options: StreamPublishOptions): MessageFields {
  checkNames(options, streamPublishOptionNames);
  const { id, expectedLastSequence, expectedLastSubjectSequence, expectedLastId, rollup, ttlSeconds } = options;
  if (rollup !== undefined && rollup !== 'subject' && rollup !== 'all')
    throw new ArgumentError('rollup must be subject or all');
  const said = {
    'Nats-Msg-Id': id,
    'Nats-Expected-Last-Sequence': sequenceText(expectedLastSequence, 'expectedLastSequence'),
    'Nats-Expected-Last-Subject-Sequence': sequenceText(expectedLastSubjectSequence, 'expectedLastSubjectSequence'),
    'Nats-Expected-Last-Msg-Id': expectedLastId,
    'Nats-Rollup': rollup === 'subject' ? 'sub' : rollup,
    'Nats-TTL': lifetimeText(ttlSeconds),
  };
  const names = Object.keys(messageFieldNames) as (keyof MessageFields)[];
  const fields = Object.fromEntries(names.map((name) => [name, options[name]])) as MessageFields;
  const given = Object.entries(said).filter(([, value]) => value !== undefined);
  // without any the headers are left as they were given, to be checked
  if (given.length === 0) return fields;
  return { ...fields, headers: { ...options.headers, ...(Object.fromEntries(given) as Headers) } };
}

function lifetimeText(seconds: StreamPublishOptions['ttlSeconds']): string | undefined {
  if (seconds === undefined || seconds === 'never') return seconds;
  if (!Number.isSafeInteger(seconds) || seconds < 1)
    throw new ArgumentError('ttlSeconds must be a whole number from 1 on, or never');
  return String(seconds);
}

function sequenceText(sequence: number | undefined, name: string): string | undefined {
  if (sequence === undefined) return undefined;
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw new ArgumentError(`${name} must be a sequence from 0 on`);
  return String(sequence);
}
