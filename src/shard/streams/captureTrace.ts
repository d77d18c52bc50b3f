import { readableText } from '../../base/bytes.js';
import type { MessageView } from '../../base/messageView.js';
import { nowText } from '../../base/timeText.js';
import { firstValue, readHeaderBlock } from '../../protocol/headerBlock.js';
import { eventTexts } from '../../protocol/trace/traceEvents.js';
import type { ApiError } from '../../stream/api/apiError.js';
import { publishHeader } from '../../stream/publishHeaders.js';
import type { Published } from '../../stream/publishing.js';

/** Refusals of which nats-server's traces say something else than its acknowledgements, by the number of the error. */
const otherTexts: Readonly<Record<number, string>> = {
  10054: 'maximum payload exceeded',
  10097: 'maximum payload exceeded',
  10060: 'expected stream does not match',
  10111: 'rollup not permitted',
  10166: 'message TTL disabled',
};
const wrongLastId = 10070;
const wrongLastSequence = 10071;
/** The stream is full: it is said with the subject, and without a number. */
const noRoom = 10077;
const invalidTtl = 10165;

/**
 * What a trace says of a message that a stream has taken or refused, as JSON in ASCII.
 *
 * @param subject one character a byte
 * @param ignored whether nobody is interested in what a stream keeps only for that
 */
export function captureEvent(
  stream: string,
  subject: string,
  { refusal, duplicate, sequence }: Published,
  ignored: boolean,
  message: MessageView,
): string {
  const event = { type: 'js', ts: nowText(), stream } as const;
  const subjectToo = { ...event, subject: readableText(subject), sequence };
  if (duplicate) return textOf({ ...event, error: 'msgid is duplicate' });
  if (refusal === null) return textOf(ignored ? { ...subjectToo, nointerest: true } : subjectToo);
  const error = errorOf(refusal, message);
  const isStoring = refusal.errCode === noRoom || refusal.errCode === invalidTtl;
  return textOf(isStoring ? { ...subjectToo, error } : { ...event, error });
}

function textOf(event: Parameters<typeof eventTexts>[0][number]): string {
  return eventTexts([event])[0] ?? '[]';
}

function errorOf({ errCode, message: text }: ApiError, message: MessageView): string {
  if (errCode === noRoom) return text;
  const other = otherTexts[errCode];
  if (other !== undefined) return other;
  const block = readHeaderBlock(message.bytes, message.starts[0], message.payloadStart(0));
  const value = (name: string): string => firstValue(block, name) ?? '';
  const found = text.slice(text.indexOf(': ') + 2);
  if (errCode === wrongLastId)
    return `last msgid mismatch: ${JSON.stringify(value(publishHeader.expectedId))} vs ${JSON.stringify(found)}`;
  if (errCode !== wrongLastSequence) return `${text} (${errCode})`;
  const ofSubject = value(publishHeader.expectedLastOfSubject);
  return ofSubject === ''
    ? `last sequence mismatch: ${value(publishHeader.expectedLast)} vs ${found}`
    : `last sequence by subject mismatch: ${ofSubject} vs ${found}`;
}
