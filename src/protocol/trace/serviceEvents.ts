import { readableText } from '../../base/bytes.js';
import { userInfoSubject } from '../subject.js';
import type { TraceEvent } from './traceEvents.js';

/** As nats-server has its accounts import what its system account answers. */
const systemAccount = '$SYS';
const userInfoImported = '$SYS.REQ.USER.$G.INFO';
/** Requests that a stream or consumer there takes by itself. */
const takenDirectly = ['$JS.API.CONSUMER.MSG.NEXT.', '$JS.API.DIRECT.GET.'];

/** What nats-server does with a request to itself before it is answered. @param subject one character a byte */
export function serviceEvents(subject: string, ts: string): TraceEvent[] {
  if (subject === userInfoSubject) return [{ type: 'si', ts, acc: systemAccount, from: subject, to: userInfoImported }];
  if (!subject.startsWith('$JS.')) return [];
  const [first, domain, ...rest] = subject.split('.');
  const isInDomain = domain !== 'API' && rest[0] === 'API';
  const api = isInDomain ? [first, ...rest].join('.') : subject;
  const mapped: TraceEvent[] = isInDomain ? [{ type: 'sm', ts, to: readableText(api) }] : [];
  if (!api.startsWith('$JS.API.') || takenDirectly.some((prefix) => api.startsWith(prefix))) return mapped;
  return [...mapped, { type: 'si', ts, acc: systemAccount, from: readableText(api), to: readableText(api) }];
}
