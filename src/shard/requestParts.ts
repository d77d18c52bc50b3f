import { assert } from '../base/assert.js';
import { latin1String } from '../base/bytes.js';
import type { MessageView } from '../base/messageView.js';
import { space } from '../protocol/ascii.js';
import { sharedPrefixOf } from '../router/sharedTopics.js';
import type { Topic } from '../router/topic.js';

/** What tells how a request is laid out. */
type AskedTopic = Pick<Topic, 'kind' | 'text'>;

/** Where the body of request `index` begins: where one topic stands for many subjects, the rest of the subject and a blank stand before it. */
export function bodyStart({ kind }: AskedTopic, requests: MessageView, index: number): number {
  const start = requests.payloadStart(index);
  return kind === 'shared' ? restEnd(requests, start) + 1 : start;
}

/** The subject of request `index`, one byte a character. */
export function requestSubject({ kind, text }: AskedTopic, requests: MessageView, index: number): string {
  if (kind !== 'shared') return text;
  const start = requests.payloadStart(index);
  return sharedPrefixOf(text) + latin1String(requests.bytes, start, restEnd(requests, start));
}

function restEnd({ bytes }: MessageView, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== space) at++;
  assert(at < bytes.length, 'a blank stands behind the rest of a subject');
  return at;
}
