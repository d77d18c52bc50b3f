import { invalidJson } from '../api/apiError.js';
import { Decoding } from '../api/decoding.js';
import type { Parsed } from '../api/json.js';
import { isEmptyBody, looksLikeJson, valuesOf } from '../api/requests.js';
import type { Moment } from '../consumerConfig.js';

type Field = (decoding: Decoding, value: Parsed) => void;

/** Reads the one field that a request has. @throws ApiError */
function readField(body: string, type: string, name: string, strict: boolean, field: Field): void {
  const decoding = new Decoding(type, strict);
  for (const value of valuesOf(body, decoding))
    decoding.object(value, '', type, { [name]: (each: Parsed) => field(decoding, each) });
  if (decoding.error !== null) throw invalidJson(decoding.error);
}

/** Until when a consumer is to be paused; null for not at all. */
export function readPause(body: string): Moment | null {
  let until: Moment | null = null;
  if (!looksLikeJson(body) || isEmptyBody(body)) return until;
  readField(body, 'JSApiConsumerPauseRequest', 'pause_until', true, (decoding, value) => {
    if (value === null) return;
    const timeUs = decoding.time(value, 'pause_until');
    until = { text: typeof value === 'string' ? value : '', timeUs };
  });
  return until;
}

/** At which message a consumer is to begin anew; 0 for behind what is acknowledged. */
export function readReset(body: string): number {
  let sequence = 0n;
  if (isEmptyBody(body)) return 0;
  readField(body, 'JSApiConsumerResetRequest', 'seq', false, (decoding, value) => {
    sequence = decoding.whole(value, 'seq', 'uint64');
  });
  return Number(sequence);
}

/** Whose pin is to be taken away; '' for nobody's. */
export function readGroup(body: string): string {
  let group = '';
  readField(body, 'JSApiConsumerUnpinRequest', 'group', false, (decoding, value) => {
    group = decoding.text(value, 'group');
  });
  return group;
}
